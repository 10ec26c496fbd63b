"""Weights of examples in training: a step of all of them is that of as many copies."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headtune.batches import collate
from headtune.model import (
    Compute,
    SequenceClassifier,
    load_backbone,
    make_trainable,
    trained_state,
)
from headtune.options import MachineConfig, ModelConfig, TrainConfig, TuneConfig
from headtune.pretrained import find_pretrained
from headtune.progress import SilentProgress
from headtune.training import FitResult, fit
from headtune.types import LabelSet, TokenizedExample

LABELS = LabelSet(("a", "b"))
CPU = Compute(torch.device("cpu"), torch.float32, "as asked")


def made(folder: Path) -> SequenceClassifier:
    pretrained = find_pretrained(str(folder))
    backbone = load_backbone(pretrained, ModelConfig(model=str(folder)), MachineConfig(), CPU)
    classifier = SequenceClassifier(backbone, 2, seed=1)
    make_trainable(classifier, TuneConfig(tune="last-1"))
    return classifier


def examples(*weights: float) -> list[TokenizedExample]:
    rng = np.random.default_rng(0)
    return [
        TokenizedExample(
            rng.integers(2, 300, int(rng.integers(2, 25))).astype(np.int32),
            int(rng.random() < 0.4),
            row,
            weight=weight,
        )
        for row, weight in enumerate(weights, start=1)
    ]


def trained(
    folder: Path, out: Path, train: list[TokenizedExample], budget: int = 10_000, **options: Any
) -> tuple[FitResult, SequenceClassifier]:
    classifier = made(folder)
    fitted: dict[str, Any] = {"balance": "none", "validation": []}
    fitted |= {
        name: options.pop(name) for name in list(options) if name in (*fitted, "label_weights")
    }
    settings = {"batch_size": len(train), "max_steps": 1, "log_steps": 1, "warmup": 0.0}
    result = fit(
        classifier,
        LABELS,
        train,
        fitted.pop("validation"),
        TrainConfig(**settings | options),
        tune="last-1",
        max_tokens_per_batch=budget,
        folder=out,
        progress=SilentProgress(),
        **fitted,
    )
    return result, classifier


WEIGHTS = (1, 3, 1, 2, 1, 1, 2, 4, 1, 1)


@pytest.mark.parametrize("budget", [10_000, 30])
@pytest.mark.parametrize(
    "weighing", [{}, {"balance": "weights"}, {"label_weights": {"b": 3.0}}], ids=str
)
def test_a_row_of_weight_three_is_the_row_three_times(
    tiny_llama: Path, tmp_path: Path, budget: int, weighing: dict[str, Any]
) -> None:
    """Loss and gradient of a step of all, whatever the packing and the weights of labels."""
    one = [replace(example, weight=1.0) for example in examples(*WEIGHTS)]
    copies = [row for row, weight in zip(one, WEIGHTS, strict=True) for _ in range(weight)]
    expected, theirs = trained(tiny_llama, tmp_path / "copies", copies, **weighing)
    scaled = [replace(row, weight=row.weight / 100) for row in examples(*WEIGHTS)]
    result, ours = trained(tiny_llama, tmp_path / "weights", scaled, budget, **weighing)
    for key in ("loss", "gradient_norm"):
        assert dict(result.history[0])[key] == pytest.approx(
            dict(expected.history[0])[key], rel=1e-4
        )
    for name, tensor in trained_state(ours).items():
        torch.testing.assert_close(tensor, trained_state(theirs)[name], atol=1e-5, rtol=0)
    plain, _ = trained(tiny_llama, tmp_path / "plain", one, **weighing)
    assert plain.history[0]["loss"] != pytest.approx(expected.history[0]["loss"], rel=1e-3)


def test_a_light_example_alone_in_a_step_counts_little(tiny_llama: Path, tmp_path: Path) -> None:
    """The step is divided by what an example weighs on average, not by its own weight."""
    train = examples(1.0, 3.0)
    classifier = made(tiny_llama).eval()
    with torch.no_grad():
        losses = {
            e.row: torch.nn.functional.cross_entropy(
                classifier(collate([e])), torch.tensor([e.label])
            )
            for e in train
        }
    result, _ = trained(tiny_llama, tmp_path, train, batch_size=1, max_steps=2, learning_rate=1e-12)
    found = sorted(row["loss"] for row in result.history if "loss" in row)
    expected = sorted(losses[e.row].item() * e.weight / 2.0 for e in train)
    assert found == pytest.approx(expected, rel=1e-4)


def test_validation_is_weighted_while_training(tiny_llama: Path, tmp_path: Path) -> None:
    held_back = examples(*WEIGHTS)
    copies = [replace(row, weight=1.0) for row in held_back for _ in range(int(row.weight))]
    ours, theirs = (
        trained(tiny_llama, tmp_path / str(n), examples(*[1.0] * 10), validation=part)[0].history[
            -1
        ]
        for n, part in enumerate((held_back, copies))
    )
    for key in ("validation_loss", "validation_accuracy", "validation_macro_f1"):
        assert dict(ours)[key] == pytest.approx(dict(theirs)[key], rel=1e-5)


def test_a_batch_without_weights_has_none() -> None:
    assert collate(examples(1.0, 1.0)).weights is None
    weights = collate(examples(1.0, 0.5)).to("cpu").weights
    assert weights is not None
    assert weights.tolist() == [1.0, 0.5]
    with pytest.raises(ValueError, match="weights must have shape"):
        replace(collate(examples(1.0, 1.0)), weights=torch.ones(3))


@pytest.mark.parametrize("options", [{"loss": "focal"}, {"label_smoothing": 0.2}], ids=str)
def test_other_losses_train_alike_whatever_the_packing(
    tiny_llama: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    train = examples(*WEIGHTS)
    whole, one = trained(tiny_llama, tmp_path / "a", train, **options)
    parts, two = trained(tiny_llama, tmp_path / "b", train, budget=30, **options)
    _, plain = trained(tiny_llama, tmp_path / "c", train)
    assert whole.history[0]["loss"] == pytest.approx(parts.history[0]["loss"], rel=1e-5)
    for name, value in trained_state(one).items():
        assert torch.allclose(value, trained_state(two)[name], atol=2e-5)
    assert not torch.equal(one.score.weight, plain.score.weight)
