"""Trainings in threads, in other processes and within each other: each as if it were alone."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from joblib import parallel_config  # type: ignore[import-untyped]
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from headtune import Predictor, TextClassifier
from headtune.progress import SilentProgress
from headtune.training import one_fit
from tests_support import TEXTS, TOPICS, Heard, in_forked_child

PATIENCE_SECONDS = 120


@pytest.fixture
def estimators(tiny_llama: Path) -> tuple[TextClassifier, TextClassifier]:
    """Two that share no setting which the libraries below keep once a process."""
    common: dict[str, Any] = {"max_steps": 2, "learning_rate": 5e-3, "device": "cpu"}
    one = TextClassifier(str(tiny_llama), "last-1", dtype="float32", seed=1, **common)
    other = TextClassifier(
        str(tiny_llama), "lora", dtype="bfloat16", seed=2, lora_dropout=0.2, **common
    )
    return one, other


def answers(estimator: TextClassifier) -> npt.NDArray[np.float64]:
    fitted: TextClassifier = clone(estimator).fit(TEXTS, TOPICS)
    return fitted.predict_proba(TEXTS)


def test_pairs_of_trainings_in_threads(
    estimators: tuple[TextClassifier, TextClassifier], tmp_path: Path
) -> None:
    """Each gives what it gives alone, and a thread that loads and predicts meanwhile, too."""
    expected = [answers(estimator) for estimator in estimators]
    clone(estimators[1]).fit(TEXTS, TOPICS).save(tmp_path / "run")
    predicted = Predictor.load(tmp_path / "run", device="cpu").predict_proba(TEXTS)
    stop = threading.Event()

    def load_and_predict() -> int:
        n_times = 0
        while not stop.is_set() or not n_times:
            predictor = Predictor.load(tmp_path / "run", device="cpu")
            np.testing.assert_array_equal(predictor.predict_proba(TEXTS), predicted)
            n_times += 1
        return n_times

    with ThreadPoolExecutor(3) as pool:
        beside = pool.submit(load_and_predict)
        try:
            for _ in range(2):
                futures = [pool.submit(answers, estimator) for estimator in estimators]
                for future, alone in zip(futures, expected, strict=True):
                    np.testing.assert_array_equal(future.result(PATIENCE_SECONDS), alone)
        finally:
            stop.set()
        assert beside.result(PATIENCE_SECONDS) > 0
    assert torch.get_default_dtype() == torch.float32


def test_scikit_learn_in_threads(
    estimators: tuple[TextClassifier, TextClassifier],
) -> None:
    estimator = estimators[0]
    expected = cross_val_score(estimator, TEXTS, TOPICS, cv=2)
    with parallel_config("threading"):
        grid = GridSearchCV(estimator, {"seed": [1]}, cv=2, n_jobs=2, refit=False)
        found = grid.fit(TEXTS, TOPICS).cv_results_
    assert [found[f"split{n}_test_score"][0] for n in range(2)] == expected.tolist()


def test_in_a_forked_child(estimators: tuple[TextClassifier, TextClassifier]) -> None:
    """Also while another thread of the parent is at it, whose turn never ends in the child."""
    expected = answers(estimators[0])
    within, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with one_fit(SilentProgress()):
            within.set()
            go_on.wait(PATIENCE_SECONDS)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        within.wait(PATIENCE_SECONDS)
        found = in_forked_child(lambda: answers(estimators[0]))
    finally:
        go_on.set()
        thread.join()
    np.testing.assert_array_equal(found, expected)


class Calls(SilentProgress):
    """Calls something once, in the middle of a training."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call
        self.n_steps = 0

    def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
        self.n_steps += "loss" in figures
        if self.n_steps == 1:
            self.n_steps += 1
            self.call()


def test_within_a_progress_callback(estimators: tuple[TextClassifier, TextClassifier]) -> None:
    """A training, and a child that trains; the outer one goes on as it would have."""
    outer, inner = estimators
    expected = [answers(estimator) for estimator in estimators]
    found: list[npt.NDArray[np.float64]] = []

    def train() -> None:
        found.append(in_forked_child(lambda: answers(inner)))
        found.append(answers(inner))

    found.append(answers(clone(outer).set_params(progress=Calls(train))))
    for got, alone in zip(found, [expected[1], expected[1], expected[0]], strict=True):
        np.testing.assert_array_equal(got, alone)


def test_who_waits_says_so() -> None:
    heard, within, go_on = Heard(), threading.Event(), threading.Event()

    def hold() -> None:
        with one_fit(SilentProgress()):
            within.set()
            go_on.wait(PATIENCE_SECONDS)

    def wait() -> None:
        with one_fit(heard):
            pass

    with ThreadPoolExecutor(2) as pool:
        pool.submit(hold)
        within.wait(PATIENCE_SECONDS)
        second = pool.submit(wait)
        while not heard.lines and not second.done():
            pass
        go_on.set()
        second.result(PATIENCE_SECONDS)
    assert heard.lines == ["Another training of this process goes first."]
