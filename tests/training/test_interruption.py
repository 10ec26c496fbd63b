"""Ctrl-C while a model is trained: what was trained is kept, and a second one ends it at once."""

import signal
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from headtune import TextClassifier
from headtune.model import predict_together
from headtune.progress import SilentProgress
from tests_support import TEXTS, TOPICS


@pytest.fixture(autouse=True)
def pythons_own_handler() -> Iterator[None]:
    """Whoever runs the tests may have set another."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def classifier(tiny_llama: Path) -> TextClassifier:
    return TextClassifier(
        str(tiny_llama), "head", epochs=50, batch_size=8, evaluations_per_epoch=2, log_steps=1
    )


class PressAt(SilentProgress):
    """Presses Ctrl-C while something is done, so many times: "Training" for a step, by number."""

    def __init__(self, stage: str, step: int, times: int = 1) -> None:
        self.wanted, self.step, self.times = stage, step, times
        self.name, self.n_steps = "", 0
        self.lines: list[str] = []

    def stage(self, name: str) -> None:
        self.name, self.n_steps = name, 0
        if (self.wanted, self.step) == (name, 0):
            self.press()

    def say(self, message: str) -> None:
        self.lines.append(message)

    def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
        self.n_steps += 1
        if (self.wanted, self.step) == (self.name, self.n_steps):
            self.press()

    def press(self) -> None:
        for _ in range(self.times):
            signal.raise_signal(signal.SIGINT)


def test_what_was_trained_is_kept(classifier: TextClassifier, tmp_path: Path) -> None:
    classifier.set_params(progress=PressAt("Training", 7))
    with pytest.warns(UserWarning, match=r"ended at step 7 of 250\. .* weights of step \d") as told:
        classifier.fit(TEXTS, TOPICS)
    assert len(told) == 1
    assert classifier.fitted_.result.n_steps == 7
    assert classifier.history_[-1]["step"] == 7
    assert {"loss", "validation_loss"} <= {name for row in classifier.history_ for name in row}
    assert set(classifier.predict(TEXTS)) <= {"prize", "dinner"}
    loaded = TextClassifier.load(classifier.save(tmp_path / "run"))
    assert np.allclose(loaded.predict_proba(TEXTS), classifier.predict_proba(TEXTS), atol=1e-6)


def test_the_weights_are_those_of_a_run_that_was_to_be_so_short(
    classifier: TextClassifier,
) -> None:
    short = clone(classifier).set_params(max_steps=7, schedule="constant").fit(TEXTS, TOPICS)
    classifier.set_params(progress=PressAt("Training", 7), schedule="constant")
    with pytest.warns(UserWarning, match="Interrupted"):
        classifier.fit(TEXTS, TOPICS)
    assert classifier.fitted_.result.best_step == short.fitted_.result.best_step
    assert np.array_equal(classifier.predict_proba(TEXTS), short.predict_proba(TEXTS))


def test_without_a_validation_part_the_last_weights_are_kept(classifier: TextClassifier) -> None:
    classifier.set_params(progress=PressAt("Training", 4), validation_fraction=0)
    with pytest.warns(UserWarning, match="weights of step 4"):
        classifier.fit(TEXTS, TOPICS)
    assert len(classifier.predict(TEXTS)) == len(TEXTS)


def test_interrupted_while_it_is_scored_no_other_step_is_taken(
    classifier: TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([True])

    def score(*arguments: Any) -> Any:
        if next(times, False):
            signal.raise_signal(signal.SIGINT)
        return predict_together(*arguments)

    monkeypatch.setattr("headtune.training.trainer.predict_together", score)
    with pytest.warns(UserWarning, match=r"ended at step 3 of 250\. .* step 3"):
        classifier.fit(TEXTS, TOPICS)


@pytest.mark.parametrize(
    ("stage", "step", "times"),
    [
        ("Loading the model", 0, 1),  # nothing is trained yet
        ("Training", 1, 1),  # nor in the first step
        ("Training", 5, 2),  # a second time
        ("Scoring after training", 0, 2),
    ],
)
def test_it_stops_at_once(classifier: TextClassifier, stage: str, step: int, times: int) -> None:
    classifier.set_params(progress=PressAt(stage, step, times))
    if stage.startswith("Scoring"):
        classifier.set_params(max_steps=3)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(TEXTS, TOPICS)
    with pytest.raises(NotFittedError):
        classifier.predict(TEXTS)


def test_once_while_it_is_scored_at_the_end_loses_nothing(classifier: TextClassifier) -> None:
    classifier.set_params(progress=PressAt("Scoring after training", 0), max_steps=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier.fit(TEXTS, TOPICS)
    assert classifier.fitted_.result.n_steps == 3


def test_one_of_many_fits_ends_all(classifier: TextClassifier) -> None:
    classifier.set_params(progress=PressAt("Training", 4))
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(classifier, TEXTS, TOPICS, cv=2)


def test_another_handler_and_another_thread_are_left_alone(classifier: TextClassifier) -> None:
    heard = []
    signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    classifier.set_params(progress=PressAt("Training", 3), max_steps=5)
    classifier.fit(TEXTS, TOPICS)
    assert heard == [True]
    assert classifier.fitted_.result.n_steps == 5
    signal.signal(signal.SIGINT, signal.default_int_handler)
    classifier.set_params(progress=False)
    thread = threading.Thread(target=classifier.fit, args=(TEXTS, TOPICS))
    thread.start()
    thread.join()
    assert classifier.fitted_.result.n_steps == 5
