"""The peer of the spam benchmark computes what headtune computes, so the comparison is fair."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bench_spam_recipe import make_gpt2
from headtune.batches import collate
from headtune.bench.measure import untrained_predictor
from headtune.model import SequenceClassifier, make_trainable
from headtune.options import MachineConfig, ModelConfig, TuneConfig
from headtune.types import TokenizedExample
from peer_spam_recipe import SpamRecipe


def examples_of(lengths: list[int]) -> list[TokenizedExample]:
    generator = np.random.default_rng(3)
    return [
        TokenizedExample(generator.integers(2, 300, n).astype(np.int32), row % 2, row)
        for row, n in enumerate(lengths, start=1)
    ]


@pytest.fixture
def both(
    model_folder: Callable[[str], Path], tmp_path: Path
) -> Callable[..., tuple[SequenceClassifier, SpamRecipe]]:
    """headtune's classifier, last block trained, and the recipe with the same weights."""
    folder = make_gpt2(tmp_path / "gpt2", str(model_folder("gpt2")), quick=True)
    options = ModelConfig(model=str(folder), random_weights=True)
    machine = MachineConfig(dtype="float32", device="cpu")

    def make(length: int, last_real_token: bool) -> tuple[SequenceClassifier, SpamRecipe]:
        ours, theirs = (untrained_predictor(str(folder), options, machine)[0] for _ in range(2))
        make_trainable(ours.classifier, TuneConfig(tune="last-1"))
        backbone = theirs.classifier.backbone
        backbone.set_attn_implementation("sdpa")
        recipe = SpamRecipe(
            backbone,
            theirs.classifier.score.weight,
            length=length,
            padding_id=0,
            last_real_token=last_real_token,
        )
        return ours.classifier, recipe

    return make


def our_loss(classifier: SequenceClassifier, examples: list[TokenizedExample]) -> torch.Tensor:
    batch = collate(examples)
    assert batch.labels is not None
    classifier.train()
    return cross_entropy(classifier(batch), batch.labels)


@pytest.mark.parametrize("lengths", [[12] * 8, [12, 3, 7, 12, 1, 5, 9, 2]])
def test_first_step_has_our_loss_and_our_gradients(
    both: Callable[..., tuple[SequenceClassifier, SpamRecipe]], lengths: list[int]
) -> None:
    """Where messages differ in length, the recipe is told to classify the last real token."""
    classifier, recipe = both(length=12, last_real_token=len(set(lengths)) > 1)
    examples = examples_of(lengths)
    ours = our_loss(classifier, examples)
    ours.backward()  # type: ignore[no-untyped-call]
    theirs = recipe.train_step(examples)
    assert theirs == pytest.approx(ours.item(), abs=1e-6)
    trained = {n: p for n, p in classifier.backbone.named_parameters() if p.requires_grad}
    their_parameters = dict(recipe.backbone.named_parameters())
    assert {n for n, p in their_parameters.items() if p.requires_grad} == set(trained)
    for name, parameter in trained.items():
        torch.testing.assert_close(
            their_parameters[name].grad, parameter.grad, atol=1e-6, rtol=1e-4
        )


def test_the_published_recipe_classifies_the_last_position(
    both: Callable[..., tuple[SequenceClassifier, SpamRecipe]],
) -> None:
    """Padding included, which headtune never does: its loss is another one."""
    classifier, recipe = both(length=12, last_real_token=False)
    examples = examples_of([12, 3, 7, 12, 1, 5, 9, 2])
    assert recipe.loss(examples).item() != pytest.approx(
        our_loss(classifier, examples).item(), abs=1e-6
    )


def test_training_moves_the_loss(
    both: Callable[..., tuple[SequenceClassifier, SpamRecipe]],
) -> None:
    _, recipe = both(length=12, last_real_token=False)
    examples = examples_of([12] * 8)
    losses = [recipe.train_step(examples) for _ in range(30)]
    assert losses[-1] < losses[0]
    assert 0 <= recipe.count_right(examples) <= 8
