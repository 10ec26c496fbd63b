"""Our packed logits and gradients equal those of transformers' own padded models."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForSequenceClassification

from headtune.batches import StepCollator, collate
from headtune.model import (
    Compute,
    SequenceClassifier,
    load_backbone,
    make_trainable,
    predict_logits,
)
from headtune.options import MachineConfig, ModelConfig, TuneConfig
from headtune.pretrained import find_pretrained
from headtune.tasks.losses import weighted_sum
from headtune.types import TokenizedExample

FAMILIES = ["gpt2", "llama", "qwen3", "mistral", "gemma3_text"]
CPU = Compute(torch.device("cpu"), torch.float32, "as asked")
LENGTHS = (5, 17, 1, 9, 17, 3, 30, 2)


def make_classifier(folder: Path, tune: str = "full") -> SequenceClassifier:
    options = ModelConfig(model=str(folder))
    backbone = load_backbone(find_pretrained(str(folder)), options, MachineConfig(), CPU)
    classifier = SequenceClassifier(backbone, n_labels=3, seed=1)
    make_trainable(classifier, TuneConfig(tune=tune, lora_rank=4))
    return classifier.eval()


def make_examples(seed: int = 0, lengths: Sequence[int] = LENGTHS) -> list[TokenizedExample]:
    """Random ids, the padding id (0) among them and at the very end of some texts."""
    rng = np.random.default_rng(seed)
    examples = []
    for row, length in enumerate(lengths, start=1):
        ids = rng.integers(0, 300, length).astype(np.int32)
        if row % 3 == 0:
            ids[-1] = 0
        examples.append(TokenizedExample(ids, int(rng.integers(3)), row))
    return examples


def make_reference(folder: Path, classifier: SequenceClassifier) -> Any:
    reference = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=3, attn_implementation="eager"
    )
    with torch.no_grad():
        reference.score.weight.copy_(classifier.score.weight)
    return reference.eval()


def padded_logits(reference: Any, examples: list[TokenizedExample]) -> torch.Tensor:
    """transformers' logits on input padded on the left, read at the last position.

    Its own pooling searches for the padding id, which our texts contain, so the padded states
    are read by position.
    """
    longest = max(len(example) for example in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for i, example in enumerate(examples):
        ids[i, longest - len(example) :] = torch.from_numpy(example.input_ids.astype(np.int64))
        mask[i, longest - len(example) :] = 1
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    base = reference.base_model
    states = base(input_ids=ids, attention_mask=mask, position_ids=positions).last_hidden_state
    logits: torch.Tensor = reference.score(states[:, -1])
    return logits


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_equal_padded_transformers(family: str, model_folder: Callable[[str], Path]) -> None:
    classifier = make_classifier(model_folder(family))
    assert classifier.packs
    reference = make_reference(model_folder(family), classifier)
    with torch.no_grad():
        expected = padded_logits(reference, make_examples())
        ours = classifier(collate(make_examples()))
    assert expected.std() > 0.01
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_equal_transformers_own_forward(
    family: str, model_folder: Callable[[str], Path]
) -> None:
    """Where no text holds the padding id, transformers' whole forward agrees as well."""
    classifier = make_classifier(model_folder(family))
    reference = make_reference(model_folder(family), classifier)
    examples = [
        TokenizedExample(np.maximum(example.input_ids, 2), None, example.row)
        for example in make_examples()
    ]
    longest = max(LENGTHS)
    ids = torch.zeros(len(examples), longest, dtype=torch.long)
    for i, example in enumerate(examples):
        ids[i, : len(example)] = torch.from_numpy(example.input_ids.astype(np.int64))
    mask = (torch.arange(longest) < torch.tensor(LENGTHS)[:, None]).long()
    with torch.no_grad():
        expected = reference(input_ids=ids, attention_mask=mask).logits
        ours = classifier(collate(examples))
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_do_not_depend_on_company(family: str, model_folder: Callable[[str], Path]) -> None:
    """Order, number in a batch and token budget change nothing."""
    classifier = make_classifier(model_folder(family))
    examples = make_examples()
    expected = predict_logits(classifier, examples, max_tokens_per_batch=1)
    for budget in (7, 40, 10_000):
        np.testing.assert_allclose(
            predict_logits(classifier, examples, budget), expected, atol=1e-5
        )
    backwards = predict_logits(classifier, examples[::-1], 40)[::-1]
    np.testing.assert_allclose(backwards, expected, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tune", ["last-1", "lora", "full"])
def test_gradient_of_packed_step_equals_padded_step(
    family: str, tune: str, model_folder: Callable[[str], Path]
) -> None:
    """Class-weighted loss; the packed step is taken in several micro-batches."""
    examples = make_examples()
    weights = torch.tensor([0.5, 1.0, 3.0])
    packed, padded = (make_classifier(model_folder(family), tune) for _ in range(2))
    if tune == "lora":  # fresh adapters are zero on one side, and pass no gradient to the other
        _disturb_adapters(packed)
        _disturb_adapters(padded)

    _, ours = packed_step(packed, examples, weights, budget=35)
    _, expected = padded_step(padded, examples, weights)
    assert expected.keys() == ours.keys()
    assert len(ours) >= 3
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-5, rtol=0, msg=name)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 70), min_size=1, max_size=10),
    budget=st.sampled_from([1, 40, 150, 1_000]),
    seed=st.integers(0, 99),
)
def test_steps_over_random_lengths_equal_padded_steps(
    family: str,
    lengths: list[int],
    budget: int,
    seed: int,
    full_pair: Callable[[str], tuple[SequenceClassifier, SequenceClassifier]],
) -> None:
    """Whatever the lengths and the packing: logits, and the gradients of every parameter."""
    packed, padded = full_pair(family)
    examples, weights = make_examples(seed, lengths), torch.tensor([0.5, 1.0, 3.0])
    logits, gradients = packed_step(packed, examples, weights, budget)
    expected_logits, expected = padded_step(padded, examples, weights)
    torch.testing.assert_close(logits, expected_logits, atol=1e-5, rtol=0)
    assert gradients.keys() == expected.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-5, rtol=0, msg=name)


@pytest.fixture(scope="module")
def full_pair(
    model_folder: Callable[[str], Path],
) -> Callable[[str], tuple[SequenceClassifier, SequenceClassifier]]:
    """Family -> two equal classifiers, every parameter of which is trained; made once."""

    @cache
    def pair(family: str) -> tuple[SequenceClassifier, SequenceClassifier]:
        return make_classifier(model_folder(family)), make_classifier(model_folder(family))

    return pair


def packed_step(
    classifier: SequenceClassifier,
    examples: list[TokenizedExample],
    weights: torch.Tensor,
    budget: int,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Logits in the order of the examples, and gradients by name; in micro-batches."""
    classifier.zero_grad()
    logits = torch.empty(len(examples), 3)
    total = weights[[example.label for example in examples]].sum()
    for batch in StepCollator(budget)(examples):
        assert batch.labels is not None
        found = classifier(batch)
        torch.autograd.backward(weighted_sum(found, batch.labels, weights) / total)
        logits[[row - 1 for row in batch.rows]] = found.detach()
    return logits, _gradients(classifier)


def padded_step(
    classifier: SequenceClassifier, examples: list[TokenizedExample], weights: torch.Tensor
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The same by transformers' own attention, all examples padded into one batch."""
    classifier.zero_grad()
    classifier.backbone.set_attn_implementation("eager")
    logits = classifier.score(_states_padded(classifier, examples))
    targets = torch.tensor([example.label for example in examples])
    torch.autograd.backward(torch.nn.functional.cross_entropy(logits, targets, weight=weights))
    return logits.detach(), _gradients(classifier)


def _gradients(classifier: SequenceClassifier) -> dict[str, torch.Tensor]:
    """Of every trained parameter; each has one."""
    found = {n: p.grad for n, p in classifier.named_parameters() if p.requires_grad}
    assert all(gradient is not None for gradient in found.values()), found.keys()
    return {name: gradient.clone() for name, gradient in found.items() if gradient is not None}


def _disturb_adapters(classifier: SequenceClassifier) -> None:
    generator = torch.Generator().manual_seed(3)
    for name, parameter in classifier.named_parameters():
        if "lora_" in name:
            parameter.data.normal_(0, 0.1, generator=generator)


def _states_padded(
    classifier: SequenceClassifier, examples: list[TokenizedExample]
) -> torch.Tensor:
    lengths = torch.tensor([len(example) for example in examples])
    mask = (torch.arange(int(lengths.max())) < lengths[:, None]).long()
    ids = torch.zeros_like(mask)
    for i, example in enumerate(examples):
        ids[i, : len(example)] = torch.from_numpy(example.input_ids.astype(np.int64))
    states = classifier.backbone(input_ids=ids, attention_mask=mask).last_hidden_state
    pooled: torch.Tensor = states[torch.arange(len(examples)), lengths - 1]
    return pooled
