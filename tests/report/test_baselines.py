"""baselines.py and tfidf.py: frequencies, a planted word, honest choices, odd data."""

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from headtune.errors import PredictionError
from headtune.report import tfidf
from headtune.report.baselines import (
    baseline_figures,
    measure_baselines,
)
from headtune.report.tfidf import TfidfBaseline, fit_tfidf
from headtune.tasks.metrics import Metrics
from headtune.types import Example, LabelSet, PreparedData

HAM_SPAM = LabelSet(("ham", "spam"))
WORDS = ("meet", "lunch", "tomorrow", "call", "the", "car", "later", "home", "please", "time")


@pytest.fixture(autouse=True)
def _no_warning_passes() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def planted(
    n: int, seed: int, words: tuple[str, ...] = ("", "prize")
) -> tuple[list[str], list[int]]:
    """Random words; those of label i also hold the i-th word given."""
    generator = np.random.default_rng(seed)
    ids = generator.integers(0, len(words), size=n).tolist()
    texts = [" ".join([*generator.choice(WORDS, size=6), words[index]]) for index in ids]
    return texts, ids


def as_examples(texts: list[str], ids: list[int]) -> tuple[Example, ...]:
    rows = range(1, len(texts) + 1)
    return tuple(Example(*values) for values in zip(texts, ids, rows, strict=True))


def accuracy(fitted: TfidfBaseline, texts: list[str], ids: npt.ArrayLike) -> float:
    predicted = fitted.predict_proba(texts).argmax(axis=1)
    return float(np.mean(predicted == np.asarray(ids)))


def majority(train_ids: list[int], test_ids: list[int]) -> Metrics:
    """Figures of the majority baseline on the test part."""
    train, test = (as_examples(["a text"] * len(ids), ids) for ids in (train_ids, test_ids))
    data = PreparedData(HAM_SPAM, train, (), test)
    figures = baseline_figures(measure_baselines(data, seed=0), data)["majority"]["test"]
    assert figures is not None
    return figures


def test_majority_gives_the_training_frequencies() -> None:
    metrics = majority([0, 0, 0, 1], [0, 0, 1, 1, 1])
    assert metrics["accuracy"] == pytest.approx(0.4)
    assert metrics["confusion"] == [[2, 0], [3, 0]]
    assert metrics["log_loss"] == pytest.approx(-(2 * np.log(0.75) + 3 * np.log(0.25)) / 5)


def test_majority_of_a_label_that_training_lacks_is_finite() -> None:
    assert majority([0, 0], [1])["log_loss"] < 40


@pytest.mark.parametrize("n_validation", [0, 60])
def test_tfidf_learns_a_planted_word(n_validation: int) -> None:
    fitted = fit_tfidf(*planted(200, 0), *planted(n_validation, 1), HAM_SPAM, seed=42)
    assert accuracy(fitted, *planted(100, 2)) > 0.97


def test_tfidf_learns_a_word_order() -> None:
    """Pairs of neighbours are seen: the same words in another order are another label."""
    texts = ["dog bites man", "man bites dog"] * 20
    fitted = fit_tfidf(texts, [0, 1] * 20, [], [], HAM_SPAM, seed=0)
    assert accuracy(fitted, texts[:2], [0, 1]) == 1.0


def test_tfidf_knows_nothing_about_noise() -> None:
    texts, _ = planted(300, 0, words=("", ""))
    ids = np.random.default_rng(5).integers(0, 2, size=300)
    fitted = fit_tfidf(texts[:200], ids[:200], [], [], HAM_SPAM, seed=42)
    assert 0.3 < accuracy(fitted, texts[200:], ids[200:]) < 0.7


@pytest.mark.parametrize(
    ("ham", "spam"),
    [
        ("我明天去上海看朋友", "恭喜您获得大奖请点击"),
        ("\U0001f642\U0001f337", "\U0001f525\U0001f4b0"),
        ("a b", "c d"),
        ("!?", "$$"),
    ],
    ids=["han", "pictographs", "letters", "signs"],
)
def test_tfidf_reads_any_script(ham: str, spam: str) -> None:
    """No spaces, no letters, one-letter words: all have tokens, and parts of a text suffice."""
    fitted = fit_tfidf([ham, spam] * 10, [0, 1] * 10, [], [], HAM_SPAM, seed=0)
    assert accuracy(fitted, [ham[:-1], spam[:-1]], [0, 1]) == 1.0


def test_validation_chooses_c() -> None:
    """Labels that words decide ask for a weak penalty; coin flips for the strongest."""
    texts, ids = planted(300, 0)
    clear = fit_tfidf(texts[:200], ids[:200], texts[200:], ids[200:], HAM_SPAM, seed=0)
    coins = np.random.default_rng(7).integers(0, 2, size=300)
    noise = fit_tfidf(texts[:200], coins[:200], texts[200:], coins[200:], HAM_SPAM, seed=0)
    assert clear.c == max(tfidf.C_GRID)
    assert noise.c == min(tfidf.C_GRID)


def test_training_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfidf, "MAX_TRAIN_ROWS", 80)
    texts, ids = planted(200, 0)
    first = fit_tfidf(texts, ids, [], [], HAM_SPAM, seed=1)
    assert first.train_rows == 80
    again = fit_tfidf(texts, ids, [], [], HAM_SPAM, seed=1)
    other = fit_tfidf(texts, ids, [], [], HAM_SPAM, seed=2)
    np.testing.assert_array_equal(first.predict_proba(texts), again.predict_proba(texts))
    assert not np.array_equal(first.predict_proba(texts), other.predict_proba(texts))
    assert accuracy(first, texts, ids) > 0.9


def test_labels_that_training_lacks_get_no_probability() -> None:
    three = LabelSet(("a", "b", "c"))
    fitted = fit_tfidf(["x", "y"] * 5, [0, 2] * 5, ["z"], [1], three, seed=0)
    probabilities = fitted.predict_proba(["x", "y", "new"])
    np.testing.assert_array_equal(probabilities[:, 1], 0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert probabilities.argmax(axis=1)[:2].tolist() == [0, 2]


def test_tiny_training_parts() -> None:
    assert accuracy(fit_tfidf(["x", "y"], [0, 1], [], [], HAM_SPAM, 0), ["y"], [1]) == 1
    one_label = fit_tfidf(["x", "y", "z"], [1, 1, 1], [], [], HAM_SPAM, 0)
    np.testing.assert_array_equal(one_label.predict_proba(["w"]), [[0.0, 1.0]])


def test_no_training_row_is_refused() -> None:
    with pytest.raises(PredictionError, match="at least one training row"):
        fit_tfidf([], [], [], [], HAM_SPAM, 0)


def test_measure_baselines_has_both_parts_and_skips_empty_ones() -> None:
    train, validation = as_examples(*planted(120, 0)), as_examples(*planted(30, 1))
    test = as_examples(*planted(40, 2))
    data = PreparedData(HAM_SPAM, train, validation, test)
    measured = baseline_figures(measure_baselines(data, seed=0), data)
    assert list(measured) == ["majority", "tfidf"]
    for baseline in measured.values():
        parts = (baseline["validation"], baseline["test"])
        assert [part and part["n"] for part in parts] == [30, 40]
    assert measured["tfidf"]["train_rows"] == 120
    assert measured["tfidf"]["C"] in tfidf.C_GRID
    better, worse = measured["tfidf"]["test"], measured["majority"]["test"]
    assert better is not None
    assert worse is not None
    assert better["accuracy"] > worse["accuracy"]

    data = PreparedData(HAM_SPAM, train, (), test)
    only_test = baseline_figures(measure_baselines(data, seed=0), data)
    assert only_test["majority"]["validation"] is None
    assert only_test["tfidf"]["validation"] is None
    assert only_test["majority"]["test"] == measured["majority"]["test"]
