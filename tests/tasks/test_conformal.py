"""Coverage on simulated exchangeable rows, over 1,000 draws, and the definition by hand."""

import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from headtune.errors import PredictionError
from headtune.tasks.conformal import (
    SetRule,
    chances_of,
    conformal_bound,
    prediction_sets,
    set_figures,
    set_scores,
)
from headtune.types import LabelSet, TokenizedExample

DRAWS = 1_000


def simulated(generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are wrong by a temperature, and labels from the true ones."""
    logits = generator.normal(size=(n, 6)) * 1.5
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1).clip(max=5)
    said = np.exp(2 * logits) / np.exp(2 * logits).sum(axis=1, keepdims=True)
    return said, labels


def test_sets_hold_the_truth_as_often_as_asked() -> None:
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(DRAWS):
        probabilities, labels = simulated(generator, 101)
        chances = generator.random(101)
        bound = conformal_bound(set_scores(probabilities[:100], labels[:100], chances[:100]), 0.9)
        held += prediction_sets(probabilities[100:], chances[100:], bound)[0, labels[100]]
    expected = np.ceil(101 * 0.9) / 101  # of n + 1 exchangeable rows, the last one's rank
    assert binomtest(int(held), DRAWS, expected).pvalue > 0.01


def test_intervals_hold_the_truth_as_often_as_asked() -> None:
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(DRAWS):
        predicted = generator.normal(size=51)
        true = predicted + generator.standard_t(3, size=51)
        bound = conformal_bound(np.abs(predicted[:50] - true[:50]), 0.8)
        held += abs(predicted[50] - true[50]) <= bound
    assert binomtest(int(held), DRAWS, np.ceil(51 * 0.8) / 51).pvalue > 0.01


def test_the_bound_is_the_corrected_quantile() -> None:
    scores = np.arange(1.0, 20.0)  # 19 rows
    assert conformal_bound(scores, 0.9) == 18
    assert conformal_bound(scores, 0.95) == 19
    assert conformal_bound(scores, 0.96) == np.inf


def test_a_set_grows_from_the_most_probable_label_on() -> None:
    generator = np.random.default_rng(2)
    probabilities, _ = simulated(generator, 200)
    chances = generator.random(200)
    for bound in (0.5, 0.8, 0.95):
        sets = prediction_sets(probabilities, chances, bound)
        lowest_in = np.where(sets, probabilities, 2).min(axis=1)
        highest_out = np.where(sets, -1, probabilities).max(axis=1)
        assert (lowest_in >= highest_out).all()
    assert prediction_sets(probabilities, chances, 2.0).all()


def test_chances_are_of_the_text_and_evenly_spread() -> None:
    generator = np.random.default_rng(3)
    texts = [
        TokenizedExample(generator.integers(0, 900, 12).astype(np.int32), None, row)
        for row in range(2_000)
    ]
    chances = chances_of(texts)
    assert kstest(chances, "uniform").pvalue > 0.01
    assert chances_of(texts[5:6])[0] == chances[5]
    assert chances_of([]).shape == (0,)


def test_figures_by_hand() -> None:
    sets = np.array([[1, 0], [1, 1], [0, 0], [0, 1]], bool)
    found = set_figures(sets, np.array([0, 0, 0, 0]), LabelSet(("a", "b")), 0.9)
    assert found["coverage"] == 0.5
    assert found["mean_size"] == 1.0
    assert found["sizes"] == {"0": 1, "1": 2, "2": 1}
    assert found["per_label"]["a"] == {"n": 4, "coverage": 0.5, "mean_size": 1.0}
    assert found["per_label"]["b"] == {"n": 0, "coverage": None, "mean_size": None}
    low, high = found["interval"]
    assert low < 0.5 < high


def test_too_few_rows_hold_everything() -> None:
    rule = SetRule.fitted(0.95, np.full(5, 0.3))
    assert prediction_sets(np.array([[0.9, 0.1]]), np.array([0.0]), rule.bound).all()


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.5, float("nan")])
def test_a_coverage_out_of_range_is_an_error(coverage: float) -> None:
    with pytest.raises(PredictionError, match="between 0 and 1"):
        conformal_bound(np.ones(3), coverage)
    with pytest.raises(PredictionError, match="there are none"):
        conformal_bound(np.ones(0), 0.9)
