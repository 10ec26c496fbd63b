"""``bench``: rates are made of what was timed, and the model comes out as it went in."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headtune import TextClassifier
from headtune.bench.measure import _Pace, _StepClock, bench, train_steps, untrained_predictor
from headtune.bench.result import BenchResult
from headtune.errors import DataError, ModelNotFoundError
from headtune.model import make_trainable, trained_state
from headtune.options import DataConfig, ModelConfig, TuneConfig
from headtune.progress import SilentProgress
from headtune.tokens import encode_texts
from headtune.types import TokenizedExample
from tests_support import TEXTS, TOPICS
from typed_values import misfits

KEYS = {
    "name", "is_run", "device", "dtype", "reason", "threads", "parameters", "texts",
    "load_seconds", "matrix_flops_per_second", "prediction", "latency", "training",
    "peak_memory_bytes",
}  # fmt: skip
RATES = {
    "examples_per_second", "tokens_per_second", "useful_flops_per_second", "share_of_matrix_rate",
}  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "texts.csv"
    path.write_text("\n".join(["id,text", *(f"{n},{text}" for n, text in enumerate(TEXTS))]))
    return path


def check(found: Any) -> None:
    assert set(found) == KEYS
    assert misfits(found, BenchResult) == []
    rate = found["matrix_flops_per_second"][found["dtype"]]
    for stage in ("prediction", "training"):
        figures = found[stage]
        assert set(figures) >= RATES
        assert min(figures[name] for name in RATES - {"share_of_matrix_rate"}) > 0
        if rate is None:  # too busy to tell
            assert figures["share_of_matrix_rate"] is None
        else:
            assert 0 < figures["share_of_matrix_rate"] <= 1
            assert figures["share_of_matrix_rate"] == pytest.approx(
                figures["useful_flops_per_second"] / rate
            )
        tokens_a_text = figures["tokens_per_second"] / figures["examples_per_second"]
        assert 1 <= tokens_a_text <= found["texts"]["longest"] + 1e-6
    assert 0 < found["latency"]["median_seconds"] <= found["latency"]["slowest_tenth_seconds"]
    memory = found["peak_memory_bytes"]
    inexact = 2**20  # Linux adds the pages of each thread up in batches (proc(5), VmHWM)
    assert inexact < memory["loaded"] <= memory["prediction"] + inexact
    assert memory["prediction"] <= memory["training"] + inexact


def test_a_model(tiny_llama: Path, table: Path) -> None:
    found = bench(str(tiny_llama), source=str(table), batch_size=8, seconds=0.5)
    check(found)
    assert not found["is_run"]
    assert found["training"]["batch_size"] == 8
    assert found["texts"]["texts"] == len(TEXTS)
    # Four operations a weight in training (two forward, two back), and two more for each adapter
    # weight; the forward pass of a token has two.
    flops = {
        stage: found[stage]["useful_flops_per_second"] / found[stage]["tokens_per_second"]
        for stage in ("prediction", "training")
    }
    assert 2.0 < flops["training"] / flops["prediction"] < 3.5


@pytest.mark.parametrize("tune", ["last-1", "lora"])
def test_a_run_is_measured_and_left_alone(
    tiny_llama: Path, table: Path, tmp_path: Path, tune: str
) -> None:
    run = TextClassifier(str(tiny_llama), tune, max_steps=1).fit(TEXTS, TOPICS).save(tmp_path / "r")
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    found = bench(str(run), source=str(table), batch_size=4, seconds=0.3)
    check(found)
    assert found["is_run"]
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_steps_train_what_requires_a_gradient(tiny_llama: Path) -> None:
    """The untrained predictor has no gradients until LoRA opens some; then steps move those."""
    predictor, _ = untrained_predictor(str(tiny_llama), ModelConfig())
    assert not any(p.requires_grad for p in predictor.classifier.parameters())
    make_trainable(predictor.classifier, TuneConfig(tune="lora", lora_rank=2))
    before = trained_state(predictor.classifier)
    examples = [
        TokenizedExample(example.input_ids, row % 2, row)
        for row, example in enumerate(encode_texts(TEXTS, predictor.tokenizer, 64))
    ]
    train_steps(predictor.classifier, examples, batch_size=4, n_steps=3, max_tokens_per_batch=512)
    after = trained_state(predictor.classifier)
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_untrained_predictor_is_the_same_for_a_seed(tiny_llama: Path) -> None:
    first, second, other = (
        untrained_predictor(str(tiny_llama), ModelConfig(), seed=seed)[0].predict_proba(TEXTS[:3])
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)


def test_pace_of_steps_leaves_out_the_first() -> None:
    clock = _StepClock(SilentProgress())
    clock.moments = [(0.0, 8, 80), (10.0, 8, 90), (11.0, 8, 100), (13.0, 4, 50)]
    assert clock.pace(leave_out=2) == _Pace(n_examples=12, n_tokens=150, seconds=3.0)


def test_a_yardstick_that_is_exceeded_is_unknown(
    tiny_llama: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = iter([7.0, 70.0])
    monkeypatch.setattr("headtune.model.hardware.measured._in_memory", {})
    monkeypatch.setattr("headtune.model.hardware.measured._known", lambda name: None)
    monkeypatch.setattr("headtune.model.hardware.yardstick._measure", lambda *_: next(rates, 700.0))
    found = bench(str(tiny_llama), source=str(table), batch_size=4, seconds=0.1)
    assert found["matrix_flops_per_second"][found["dtype"]] is None
    assert found["prediction"]["share_of_matrix_rate"] is None
    assert found["training"]["share_of_matrix_rate"] is None


def test_page_names_every_key(tiny_llama: Path, table: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    found = bench(str(tiny_llama), source=str(table), batch_size=4, seconds=0.1)
    keys = set(found) | {
        key
        for name, values in found.items()
        if isinstance(values, dict) and name != "matrix_flops_per_second"
        for key in values
    }
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_mistakes_are_named(tiny_llama: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError):
        bench(str(tmp_path / "nothing"))
    empty = tmp_path / "empty.csv"
    empty.write_text('text\n" "\n')
    with pytest.raises(DataError):
        bench(str(tiny_llama), source=str(empty), data=DataConfig(text="text"))
