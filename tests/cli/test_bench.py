"""``headtune bench``: options reach the measuring, figures reach the terminal."""

import json
from typing import Any

import pytest

from .conftest import Headtune

FOUND: dict[str, Any] = {
    "name": "smollm2-135m",
    "is_run": False,
    "device": "cpu",
    "dtype": "float32",
    "reason": "float32 (bfloat16 is 20 times slower here)",
    "threads": 2,
    "parameters": 134_516_160,
    "texts": {"source": "sms-spam", "texts": 5574, "tokens": 200_664, "longest": 120},
    "load_seconds": 1.25,
    "matrix_flops_per_second": {"float32": 140e9, "bfloat16": 7e9},
    "prediction": {
        "examples_per_second": 14.25,
        "tokens_per_second": 513.0,
        "useful_flops_per_second": 109e9,
        "share_of_matrix_rate": 0.7786,
    },
    "latency": {"texts": 40, "median_seconds": 0.08125, "slowest_tenth_seconds": 0.1},
    "training": {
        "tune": "lora",
        "batch_size": 16,
        "examples_per_second": 6.0,
        "tokens_per_second": 216.0,
        "useful_flops_per_second": 92e9,
        "share_of_matrix_rate": 0.657,
    },
    "peak_memory_bytes": {"loaded": 2**30, "prediction": 2**30, "training": 2**31},
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the measuring was called with; it answers ``FOUND`` at once."""
    arguments: dict[str, Any] = {}

    def measure(name: str, **given: Any) -> dict[str, Any]:
        arguments.update(given, name=name)
        return FOUND

    monkeypatch.setattr("headtune.bench.measure.bench", measure)
    return arguments


def test_options_reach_the_measuring(headtune: Headtune, asked: dict[str, Any]) -> None:
    done = headtune(
        *("bench", "runs/messages", "tweets.csv", "--text", "body", "--dtype", "float32"),
        *("--batch-size", "32", "--seconds", "3"),
    )
    assert done.code == 0
    assert (asked["name"], asked["source"]) == ("runs/messages", "tweets.csv")
    assert asked["data"].text == "body"
    assert asked["machine"].dtype == "float32"
    assert (asked["batch_size"], asked["seconds"]) == (32, 3.0)


def test_figures_reach_the_terminal(
    headtune: Headtune, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = headtune("bench", "smollm2-135m").out
    assert asked["source"] == "sms-spam"
    assert "smollm2-135m, with an untrained head; 134,516,160 parameters" in shown
    assert "one text     81.2 ms, the slowest tenth from 100.0 ms (40 texts)" in shown
    assert "1.1 GB loaded, 1.1 GB predicting, 2.1 GB training" in shown
    monkeypatch.setitem(FOUND, "peak_memory_bytes", dict.fromkeys(FOUND["peak_memory_bytes"]))
    assert "memory" not in headtune("bench", "smollm2-135m").out
    rows = {line[:26].strip(): line[26:].split() for line in shown.splitlines()}
    assert rows["prediction"] == ["14.2", "513", "109.0", "77.9", "%"]
    assert rows["LoRA training, batch 16"] == ["6.0", "216", "92.0", "65.7", "%"]
    assert rows["matrix product, float32"] == ["140.0", "100", "%"]
    assert rows["matrix product, bfloat16"] == ["7.0"]


def test_what_is_not_known_is_said(
    headtune: Headtune, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = {"share_of_matrix_rate": None}
    monkeypatch.setitem(FOUND, "matrix_flops_per_second", {"float32": None, "bfloat16": 7e9})
    monkeypatch.setitem(FOUND, "prediction", FOUND["prediction"] | unknown)
    monkeypatch.setitem(FOUND, "training", FOUND["training"] | unknown)
    shown = headtune("bench", "smollm2-135m").out
    rows = {line[:26].strip(): line[26:].split() for line in shown.splitlines()}
    assert rows["prediction"][-2:] == ["not", "known"]
    assert rows["matrix product, float32"] == ["not", "known"]


def test_json_has_everything(headtune: Headtune, asked: dict[str, Any]) -> None:
    assert json.loads(headtune("bench", "smollm2-135m", "--json").out) == FOUND


def test_no_time_is_wrong_usage(headtune: Headtune) -> None:
    done = headtune("bench", "smollm2-135m", "--seconds", "0")
    assert done.code == 2
    assert "--seconds must be above 0" in done.err
