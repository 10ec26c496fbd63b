"""The token budget: an estimate of memory that holds, and fewer tokens where there is little."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from headtune.batches import collate
from headtune.model import (
    Compute,
    SequenceClassifier,
    bytes_per_token,
    load_backbone,
    make_trainable,
    token_budget,
)
from headtune.model.hardware import budget
from headtune.options import MachineConfig, ModelConfig, TuneConfig
from headtune.pretrained import PretrainedFolder
from headtune.types import TokenizedExample

FAMILIES = ("gpt2", "llama", "qwen3", "gemma3_text")


def load(folder: Path, tune: str) -> SequenceClassifier:
    compute = Compute(torch.device("cpu"), torch.float32, "")
    backbone = load_backbone(
        PretrainedFolder(folder.name, folder), ModelConfig(), MachineConfig(), compute
    )
    classifier = SequenceClassifier(backbone, 2)
    make_trainable(classifier, TuneConfig(tune=tune))
    return classifier


def saved_bytes_per_token(classifier: SequenceClassifier) -> float:
    """What autograd keeps of a packed step of texts of 16 tokens, weights not counted."""
    rng = np.random.default_rng(0)
    texts = [
        TokenizedExample(rng.integers(0, 300, 16).astype(np.int32), 0, row) for row in range(1, 65)
    ]
    weights = {p.untyped_storage().data_ptr() for p in classifier.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    batch = collate(texts)
    classifier.prunes_last_block = False  # one block of two would be a large part here
    classifier.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = classifier(batch).sum()
    assert loss.requires_grad
    return sum(kept.values()) / batch.n_tokens


@pytest.mark.parametrize("tune", ["lora", "full"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_estimate_is_near_what_training_keeps(
    family: str, tune: str, model_folder: Callable[[str], Path]
) -> None:
    classifier = load(model_folder(family), tune)
    estimate = bytes_per_token(classifier, trains=True)
    assert 0.7 < estimate / saved_bytes_per_token(classifier) < 1.8


def test_training_takes_more_than_predicting_and_recomputation_less(
    model_folder: Callable[[str], Path],
) -> None:
    classifier = load(model_folder("llama"), "full")
    predicting = bytes_per_token(classifier, trains=False)
    recomputing = bytes_per_token(classifier, trains=True, recomputes=True)
    assert predicting < recomputing < bytes_per_token(classifier, trains=True)
    assert bytes_per_token(load(model_folder("llama"), "last-1"), trains=True) < recomputing


def have_free(monkeypatch: pytest.MonkeyPatch, n_bytes: float) -> None:
    memory = SimpleNamespace(available=n_bytes)
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)


def test_with_memory_enough_it_is_what_the_device_likes(
    monkeypatch: pytest.MonkeyPatch, model_folder: Callable[[str], Path]
) -> None:
    have_free(monkeypatch, 64e9)
    found = token_budget(load(model_folder("llama"), "lora"), trains=True)
    assert (found.max_tokens, found.free_bytes) == (2_048, None)


def test_it_is_halved_until_half_of_what_is_free_holds_a_batch(
    monkeypatch: pytest.MonkeyPatch, model_folder: Callable[[str], Path]
) -> None:
    classifier = load(model_folder("llama"), "lora")
    needed = bytes_per_token(classifier, trains=True)
    have_free(monkeypatch, 2 * 700 * needed)
    found = token_budget(classifier, trains=True)
    assert (found.max_tokens, found.free_bytes) == (512, 2 * 700 * needed)
    have_free(monkeypatch, 0)
    assert token_budget(classifier, trains=True).max_tokens == budget.LEAST


def test_an_accelerator_counts_what_torch_holds_unused(
    monkeypatch: pytest.MonkeyPatch, model_folder: Callable[[str], Path]
) -> None:
    classifier = load(model_folder("llama"), "lora")
    needed = bytes_per_token(classifier, trains=False)
    monkeypatch.setattr(
        SequenceClassifier, "device", property(lambda self: torch.device("cuda", 0))
    )

    def held(n_bytes: float) -> Callable[[Any], int]:
        return lambda device: int(n_bytes)

    monkeypatch.setattr(torch.cuda, "memory_allocated", held(1e9))
    monkeypatch.setattr(torch.cuda, "memory_reserved", held(1e9 + 2 * 5_000 * needed))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2 * 4_000 * needed, 80e9))
    assert token_budget(classifier, trains=False).max_tokens == 8_192
