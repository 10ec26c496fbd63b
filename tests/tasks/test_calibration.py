"""calibration.py: scikit-learn's temperature on the same logits; errors counted by hand."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from headtune.errors import PredictionError
from headtune.tasks.calibration import fit_temperature, reliability
from headtune.tasks.metrics import softmax


def sampled(
    n: int, sureness: float, n_labels: int = 3, seed: int = 0
) -> tuple[
    np.ndarray[tuple[int, int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.int64]]
]:
    """Logits whose right temperature is ``sureness``: labels are drawn as they say without it."""
    generator = np.random.default_rng(seed)
    logits = 2 * generator.normal(size=(n, n_labels))
    cumulated = softmax(logits).cumsum(axis=1)
    ids = (generator.random(n)[:, None] > cumulated).sum(axis=1)
    return sureness * logits, ids.astype(np.int64)


class GivenLogits(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose features are its logits."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "GivenLogits":
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        return X

    def predict(self, X: np.ndarray) -> np.ndarray:
        best: np.ndarray = self.classes_[X.argmax(axis=1)]
        return best


@pytest.mark.parametrize("sureness", [0.5, 1.0, 4.0])
def test_the_temperature_is_scikit_learns(sureness: float) -> None:
    logits, ids = sampled(3_000, sureness)
    twin = CalibratedClassifierCV(
        FrozenEstimator(GivenLogits().fit(logits, ids)), method="temperature", ensemble=False
    ).fit(logits, ids)
    ours = softmax(logits / fit_temperature(logits, ids))
    assert ours == pytest.approx(twin.predict_proba(logits), abs=2e-3)


@pytest.mark.parametrize("sureness", [0.3, 1.0, 3.0, 20.0])
def test_the_temperature_that_was_planted_is_found(sureness: float) -> None:
    assert fit_temperature(*sampled(5_000, sureness)) == pytest.approx(sureness, rel=0.1)


@pytest.mark.parametrize("n", [1, 4, 30])
def test_few_rows_that_are_all_right_do_not_make_certainty(n: int) -> None:
    logits = np.tile([2.0, -2.0], (n, 1))
    temperature = fit_temperature(logits, np.zeros(n, dtype=np.int64))
    assert 0.3 < temperature <= 1.0


def test_without_rows_the_temperature_is_one() -> None:
    assert fit_temperature(np.empty((0, 2)), np.empty(0, dtype=np.int64)) == 1.0


def test_hopeless_logits_stay_within_bounds() -> None:
    """Sure and always wrong: the best is to say nothing."""
    logits = np.tile([40.0, -40.0], (50, 1))
    assert fit_temperature(logits, np.ones(50, dtype=np.int64)) == pytest.approx(100, rel=0.01)


def test_calibration_error_by_hand() -> None:
    """Four rows at 0.9, two right; two rows at 0.6, both right."""
    rows = [[0.9, 0.1]] * 4 + [[0.4, 0.6]] * 2
    found = reliability(rows, [0, 0, 1, 1, 1, 1])
    assert found["ece"] == pytest.approx((4 * 0.4 + 2 * 0.4) / 6)
    assert [(row["n"], row["accuracy"]) for row in found["bins"]] == [(2, 1.0), (4, 0.5)]
    assert [row["confidence"] for row in found["bins"]] == pytest.approx([0.6, 0.9])
    for row in found["bins"]:
        assert row["high"] - row["low"] == pytest.approx(1 / 15)
        assert row["low"] < row["confidence"] <= row["high"] + 1e-12


def test_the_right_temperature_lowers_the_error_and_changes_no_answer() -> None:
    logits, ids = sampled(4_000, 5.0)
    before, after = softmax(logits), softmax(logits / fit_temperature(logits, ids))
    assert reliability(after, ids)["ece"] < 0.2 * reliability(before, ids)["ece"]
    assert np.array_equal(before.argmax(axis=1), after.argmax(axis=1))


def test_certain_and_right_is_no_error() -> None:
    assert reliability([[1.0, 0.0]] * 3, [0, 0, 0]) == {
        "ece": 0.0,
        "bins": [{"low": 14 / 15, "high": 1.0, "n": 3, "confidence": 1.0, "accuracy": 1.0}],
    }


def test_no_rows_are_refused() -> None:
    with pytest.raises(PredictionError, match="at least one"):
        reliability(np.empty((0, 2)), [])
