"""metrics.py: against figures worked out by hand, and against scikit-learn."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, classification_report, f1_score, log_loss

from headtune.errors import PredictionError
from headtune.tasks.metrics import (
    accuracy_interval,
    classification_metrics,
    count_correct,
    softmax,
)
from headtune.types import LabelSet

HAM_SPAM = LabelSet(("ham", "spam"))
COLOURS = LabelSet(("red", "green", "blue"))


def test_figures_worked_out_by_hand() -> None:
    # True ham, ham, ham, spam; predicted ham, ham, spam, spam.
    metrics = classification_metrics(
        [[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.25, 0.75]], [0, 0, 0, 1], HAM_SPAM
    )
    assert list(metrics) == ["n", "accuracy", "macro_f1", "log_loss", "per_label", "confusion"]
    assert metrics["n"] == 4
    assert metrics["accuracy"] == 0.75
    assert metrics["confusion"] == [[2, 1], [0, 1]]
    assert metrics["per_label"]["ham"] == pytest.approx(
        {"precision": 1.0, "recall": 2 / 3, "f1": 0.8, "support": 3}
    )
    assert metrics["per_label"]["spam"] == pytest.approx(
        {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "support": 1}
    )
    assert metrics["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert metrics["log_loss"] == pytest.approx(-np.log(0.9 * 0.8 * 0.4 * 0.75) / 4)
    assert count_correct(metrics) == 3


def test_equals_scikit_learn_on_random_rows() -> None:
    generator = np.random.default_rng(0)
    probabilities = softmax(generator.normal(size=(200, 3)))
    label_ids = generator.integers(0, 3, size=200)
    predicted = probabilities.argmax(axis=1)
    metrics = classification_metrics(probabilities, label_ids, COLOURS)
    assert metrics["accuracy"] == pytest.approx(accuracy_score(label_ids, predicted))
    assert metrics["macro_f1"] == pytest.approx(f1_score(label_ids, predicted, average="macro"))
    assert metrics["log_loss"] == pytest.approx(log_loss(label_ids, probabilities))
    theirs = classification_report(
        label_ids, predicted, target_names=COLOURS.names, output_dict=True
    )
    for name in COLOURS.names:
        ours = metrics["per_label"][name]
        assert ours["precision"] == pytest.approx(theirs[name]["precision"])
        assert ours["recall"] == pytest.approx(theirs[name]["recall"])
        assert ours["f1"] == pytest.approx(theirs[name]["f1-score"])
        assert ours["support"] == theirs[name]["support"]


def test_a_label_missing_from_the_part_is_zero_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics = classification_metrics([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]], [0, 1], COLOURS)
    assert metrics["per_label"]["blue"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert metrics["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    # Everything is right, so the label that never occurs must not pull the mean down.
    assert metrics["macro_f1"] == 1.0


def test_a_label_that_is_only_predicted_counts_in_macro_f1() -> None:
    metrics = classification_metrics([[0.9, 0.1, 0.0], [0.0, 0.2, 0.8]], [0, 1], COLOURS)
    assert metrics["macro_f1"] == pytest.approx(1 / 3)


def test_one_row_and_a_probability_of_zero_stay_finite() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics = classification_metrics([[1.0, 0.0]], [1], HAM_SPAM)
    assert metrics["accuracy"] == 0.0
    assert 30 < metrics["log_loss"] < 40  # -log of float64's smallest step


def test_float32_rows_are_taken_without_a_warning() -> None:
    rows = softmax(np.random.default_rng(1).normal(size=(50, 3))).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics = classification_metrics(rows, np.zeros(50, dtype=np.int32), COLOURS)
    assert metrics["log_loss"] == pytest.approx(float(-np.log(rows[:, 0]).mean()), rel=1e-5)


@pytest.mark.parametrize(
    ("probabilities", "label_ids", "message"),
    [
        (np.empty((0, 2)), [], "at least one labelled text"),
        ([[0.5, 0.5]], [0, 1], r"shape \(n, 2\)"),
        ([[0.2, 0.3, 0.5]], [0], r"received \(1, 3\)"),
        ([[0.5, 0.5]], [2], "from 0 to 1"),
        ([[0.5, 0.5]], [-1], "from 0 to 1"),
        ([[0.5, 0.5]], [0.0], "whole numbers"),
        ([[2.5, -1.0]], [0], "softmax"),
        ([[1.5, -0.5]], [0], "at least 0"),
        ([[float("nan"), 0.5]], [0], "finite"),
        ([[float("inf"), 0.5]], [0], "finite"),
    ],
)
def test_wrong_arrays_are_refused(probabilities: object, label_ids: object, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        classification_metrics(probabilities, label_ids, HAM_SPAM)  # type: ignore[arg-type]


def test_softmax_does_not_overflow_and_ignores_a_shift() -> None:
    logits = np.array([[1.0, 2.0, 3.0], [-5.0, 0.0, 5.0]])
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax(logits), expected)
    np.testing.assert_allclose(softmax(logits + 10_000), expected)
    np.testing.assert_allclose(softmax([[1e30, -1e30]]), [[1.0, 0.0]])
    assert softmax(logits.astype(np.float32)).dtype == np.float64


def test_wilson_interval_against_published_values() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    assert accuracy_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert accuracy_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert accuracy_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert accuracy_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_interval_ends_at_nothing_and_everything_exactly() -> None:
    for n in range(1, 100):  # rounding would leave the ends beside 0 and 1 for some of these
        assert accuracy_interval(0, n)[0] == 0.0
        assert accuracy_interval(n, n)[1] == 1.0


@pytest.mark.parametrize(("n_correct", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_impossible_counts_are_refused(n_correct: int, n: int) -> None:
    with pytest.raises(PredictionError, match="0 <= correct <= n"):
        accuracy_interval(n_correct, n)
