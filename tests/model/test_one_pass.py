"""Threads: one pass at a time through a model, and models side by side."""

import copy
import gc
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headtune.model import (
    Compute,
    SequenceClassifier,
    attach_trunk,
    load_backbone,
    make_trainable,
    predict_logits,
)
from headtune.model import one_pass as locks
from headtune.model.one_pass import lock_of
from headtune.options import MachineConfig, ModelConfig, TuneConfig
from headtune.pretrained import find_pretrained
from headtune.types import TokenizedExample
from tests_support import keep_states

CPU = Compute(torch.device("cpu"), torch.float32, "as asked")
PATIENCE_SECONDS = 60


def make_classifier(folder: Path) -> SequenceClassifier:
    options = ModelConfig(model=str(folder))
    backbone = load_backbone(find_pretrained(str(folder)), options, MachineConfig(), CPU)
    return SequenceClassifier(backbone, 3, seed=1).eval()


def make_examples() -> list[TokenizedExample]:
    rng = np.random.default_rng(0)
    return [
        TokenizedExample(rng.integers(2, 300, length).astype(np.int32), None, row)
        for row, length in enumerate((5, 17, 1, 9, 30, 3), start=1)
    ]


def test_two_models_run_at_the_same_time(tiny_llama: Path) -> None:
    """Each waits, within its pass, for the other to be within its own."""
    both_within = threading.Barrier(2)

    def wait(*_: Any) -> None:
        both_within.wait(PATIENCE_SECONDS)

    classifiers = [make_classifier(tiny_llama) for _ in range(2)]
    for classifier in classifiers:
        classifier.backbone.get_input_embeddings().register_forward_hook(wait)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda c: predict_logits(c, make_examples(), 1_000), classifiers))
    np.testing.assert_array_equal(found[0], found[1])


def test_a_thread_waits_while_another_is_in_the_same_model(tiny_llama: Path) -> None:
    classifier, at_once, most = make_classifier(tiny_llama), [0], [0]
    guard = threading.Lock()

    def enter(*_: Any) -> None:
        with guard:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])

    def leave(*_: Any) -> None:
        with guard:
            at_once[0] -= 1

    classifier.backbone.get_input_embeddings().register_forward_pre_hook(enter)
    classifier.backbone.norm.register_forward_hook(leave)
    expected = predict_logits(classifier, make_examples(), 20)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: predict_logits(classifier, make_examples(), 20), range(12)))
    assert most == [1]
    for logits in found:
        np.testing.assert_array_equal(logits, expected)


@pytest.mark.parametrize("with_states", [False, True])
def test_two_models_at_once_answer_as_each_alone(
    with_states: bool, model_folder: Callable[[str], Path]
) -> None:
    """Hooks of last blocks, frozen blocks that are stepped over: each on its own modules."""
    work: list[tuple[SequenceClassifier, Any]] = []
    for family in ("llama", "mistral"):
        classifier = make_classifier(model_folder(family))
        make_trainable(classifier, TuneConfig(tune="last-1"))
        trunk = attach_trunk(classifier, TuneConfig(tune="last-1"))
        assert trunk is not None
        examples = make_examples()
        work.append((classifier, keep_states(trunk, examples) if with_states else examples))
    alone = [predict_logits(classifier, examples, 20) for classifier, examples in work]
    turns = [number % 2 for number in range(24)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: predict_logits(*work[n], 20), turns))
    for number, logits in zip(turns, found, strict=True):
        np.testing.assert_array_equal(logits, alone[number])


def test_a_lock_goes_with_its_model_and_is_in_nobody_s_way() -> None:
    first, second = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    assert lock_of(first) is lock_of(first)
    assert lock_of(first) is not lock_of(second)
    assert lock_of(copy.deepcopy(first)) is not lock_of(first)
    gc.collect()
    n_locks = len(locks._LOCKS)
    del second
    gc.collect()
    assert len(locks._LOCKS) == n_locks - 1
