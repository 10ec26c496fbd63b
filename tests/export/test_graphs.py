"""ONNX and OpenVINO: any pooling, any padding, and what eight bits cost."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headtune import Predictor, RunConfig, train_run
from headtune.artifact.manifest import seal_of
from headtune.errors import ProbeError
from headtune.export import FORMATS, export_run, onnx_file
from headtune.export.padded import PaddedClassifier
from headtune.export.proof import agreement_of
from headtune.export.source import Probabilities, Source, open_source
from headtune.tasks.metrics import softmax
from tests_support import TEXTS, TOPICS

from .conftest import FAMILIES, RunOf


def unscaled(source: Source, texts: list[str]) -> Probabilities:
    """What the run says; its head has been divided by the temperature already."""
    return replace(Predictor.of(source.artifact), temperature=1.0).predict_proba(texts)


def padded(source: Source, texts: list[str], side: str) -> Any:
    source.tokenizer.padding_side = side
    batch = source.tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        model = PaddedClassifier(source.classifier)
        return softmax(model(batch["input_ids"], batch["attention_mask"]).numpy())


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("family", FAMILIES)
def test_padding_on_either_side_changes_nothing(
    source_of: Callable[..., Source], family: str, side: str
) -> None:
    texts = [TEXTS[0], TEXTS[0] + " and " + TEXTS[1] + " and " + TEXTS[2], "a"]
    source = source_of(family, "head")
    expected = unscaled(source, texts)
    assert agreement_of(expected, padded(source, texts, side)).max_probability_difference < 1e-5


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("pooling", ["first", "mean", "last"])
@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
def test_every_pooling_and_attention(
    source_of: Callable[..., Source], pooling: str, attention: str, side: str
) -> None:
    source = source_of("gemma3_text", "head", pooling=pooling, attention=attention)
    expected = unscaled(source, TEXTS[:3])
    found = padded(source, TEXTS[:3], side)
    assert agreement_of(expected, found).max_probability_difference < 1e-5


def test_temperature_and_thresholds_travel_along(
    run_of: RunOf, said_of_texts: Callable[[Path], Probabilities], tmp_path: Path
) -> None:
    """Folded into the head where the tool takes a softmax; thresholds are written down."""
    run = Path(shutil.copytree(run_of("llama", "lora"), tmp_path / "run"))
    values = json.loads((run / "headtune.json").read_text())
    values |= {"temperature": 0.25, "thresholds": {"prize": 0.7}, "abstain_below": 0.6}
    (run / "headtune.json").write_text(json.dumps(values | {"seal": seal_of(values)}))
    cold = said_of_texts(run)
    assert np.abs(cold - said_of_texts(run_of("llama", "lora"))).max() > 0.01
    for to in ("transformers", "peft"):
        exported = export_run(run, to, tmp_path / to)
        assert "divided by 0.25" in exported.facts[1]
        assert "{'prize': 0.7}, unsure below 0.6" in exported.facts[2]
        found = FORMATS[to].answerer()(open_source(run), tmp_path / to, TEXTS)
        assert agreement_of(cold, found).max_probability_difference < 1e-4


def test_a_pooling_that_transformers_lacks_goes_to_onnx(
    run_of: RunOf, said_of_texts: Callable[[Path], Probabilities], tmp_path: Path
) -> None:
    run = run_of("llama", "head", pooling="mean")
    export_run(run, "onnx", tmp_path / "out")
    found = FORMATS["onnx"].answerer()(open_source(run), tmp_path / "out", TEXTS)
    assert agreement_of(said_of_texts(run), found).max_probability_difference < 1e-4


@pytest.fixture
def spam_run(tiny_llama: Path, tmp_path: Path) -> Path:
    """A run on a table that is a file."""
    table = tmp_path / "table.csv"
    rows = "\n".join(f"{text},{topic}" for text, topic in zip(TEXTS, TOPICS, strict=True))
    table.write_text(f"text,label\n{rows}\n")
    values = {
        "source": str(table),
        "model": {"model": str(tiny_llama)},
        "tune": {"tune": "head"},
        "train": {"max_steps": 20, "learning_rate": 0.01},
        "data": {"split": "50/40/10"},
    }
    train_run(RunConfig.from_dict(values), out=tmp_path / "run")
    return tmp_path / "run"


def test_int8_is_smaller_and_its_cost_is_measured(spam_run: Path, tmp_path: Path) -> None:
    """On the validation part, whose short texts the run keeps with its predictions."""
    exported = export_run(spam_run, "onnx", tmp_path / "out", quantize="int8")
    measured = exported.measured["validation"]
    assert measured["n_texts"] == 16
    assert 0 <= measured["accuracy_rounded"] <= 1
    assert measured["max_probability_difference"] > 0
    assert "On 16 validation texts" in (tmp_path / "out" / "README.md").read_text()
    import onnx

    nodes = onnx.load(tmp_path / "out" / "model.onnx").graph.node
    rounded = [node for node in nodes if node.op_type == "MatMulNBits"]
    assert len(rounded) == 14  # seven layers in each of two blocks
    settings = {entry.name: entry.i for entry in rounded[0].attribute}
    assert (settings["bits"], settings["block_size"], settings["accuracy_level"]) == (8, 32, 4)


def test_rounding_that_changes_labels_is_refused(
    spam_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = onnx_file.answers_of_onnxruntime
    calls: list[int] = []

    def flipped_after_rounding(source: Any, folder: Path, texts: list[str]) -> Probabilities:
        calls.append(len(texts))
        found = answers(source, folder, texts)
        return np.flip(found, axis=1) if len(calls) == 2 else found

    monkeypatch.setattr(onnx_file, "answers_of_onnxruntime", flipped_after_rounding)
    with pytest.raises(ProbeError, match=r"on validation texts, .* 1\d of 16 labels changed"):
        export_run(spam_run, "onnx", tmp_path / "out", quantize="int8")
    assert not (tmp_path / "out").exists()
