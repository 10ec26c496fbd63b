"""sentence.py: what is said follows from the counts, also where it is unwelcome."""

from collections.abc import Callable

import numpy as np
import pytest

from headtune.report import Report
from headtune.report.comparison import compare_with
from headtune.report.entries import Opponent
from headtune.report.sentence import judge, standing
from headtune.tasks.figures import BaselineFigures
from headtune.tasks.metrics import classification_metrics
from headtune.types import LabelSet

from .conftest import compared, constant_metrics, metrics_with

MakeReport = Callable[..., Report]


def test_better_than_both(make_report: MakeReport) -> None:
    assert make_report().sentence() == (
        "On 1,000 test texts the tuned model is right on 988 (98.8 %; 95 % interval "
        "97.9 to 99.3 %): better than always answering 'ham' by 11.8 points (9.6 to 14.0, "
        "p < 0.001) and better than TF-IDF with logistic regression by 3.3 points (2.2 to 4.4, "
        "p < 0.001)."
    )


def test_not_distinguishable_from_tfidf(make_report: MakeReport) -> None:
    after, comparison = {"test": metrics_with(43)}, compared(43)
    sentence = make_report(after=after, evidence={"comparison": comparison}).sentence()
    assert "better than always answering 'ham' by" in sentence
    assert (
        "but not distinguishable from TF-IDF with logistic regression (difference 0.2 points, "
        "0.0 to 0.5, p = 0.5)."
    ) in sentence
    assert sentence.endswith("TF-IDF costs far less and may do as well here.")


def test_equal_verdicts_are_joined_by_and_and_a_change_by_but(make_report: MakeReport) -> None:
    after, (majority, tfidf) = {"test": metrics_with(43)}, compared(43)
    figures = make_report().baselines
    sentence = standing(
        after,
        figures | {"linear_probe": figures["tfidf"]},
        [majority, tfidf, {**tfidf, "baseline": "linear_probe"}],
    )
    assert "p < 0.001), but not distinguishable from TF-IDF" in sentence
    assert "p = 0.5) and not distinguishable from a linear probe of the frozen model" in sentence


def test_worse_than_both(make_report: MakeReport) -> None:
    after, comparison = {"test": metrics_with(500)}, compared(500)
    sentence = make_report(after=after, evidence={"comparison": comparison}).sentence()
    assert "worse than always answering 'ham' by 37.0 points (" in sentence
    assert "worse than TF-IDF with logistic regression by 45.5 points (42.4 to 48.6" in sentence
    assert sentence.endswith("TF-IDF is the better and the cheaper choice.")
    assert "better than" not in sentence


@pytest.mark.parametrize(
    ("n_wrong", "verdict"),
    [
        (39, "better"),
        (40, "ahead"),
        (43, "not distinguishable"),
        (47, "not distinguishable"),
        (50, "behind"),
        (51, "worse"),
    ],
)
def test_verdict_turns_where_chance_ends(n_wrong: int, verdict: str) -> None:
    """Right on 6 texts that the other gets wrong, and never the other way: 2 * 0.5^6 = 0.03. On 5:
    p = 0.06, but an interval without 0. On 2, one resample in seven has none of them."""
    assert judge(compared(n_wrong)[1]) == verdict


@pytest.mark.parametrize(
    ("p", "interval", "verdict"),
    [(0.04, [0.0, 0.1], "ahead"), (0.04, [0.001, 0.1], "better"), (0.2, [0.0, 0.1], None)],
)
def test_both_tests_have_a_say(p: float, interval: list[float], verdict: str | None) -> None:
    entry = compared(43)[1]
    measured: Opponent = {**entry, "p_value": p, "interval": interval, "difference": 0.05}
    assert judge(measured) == (verdict or "not distinguishable")


def test_few_rows_on_which_tfidf_was_far_ahead() -> None:
    """Of 12 texts TF-IDF gets five right that the tuned model does not: its interval leaves out 0,
    p does not."""
    labels, truth = LabelSet(("a", "b")), np.zeros(12, dtype=np.int64)
    tuned = np.where(np.arange(12)[:, None] < 5, [0.1, 0.9], [0.9, 0.1])
    tfidf = np.tile([0.8, 0.2], (12, 1))
    entries = compare_with(tuned, {"tfidf": tfidf}, truth, "test", seed=0)
    after = {"test": classification_metrics(tuned, truth, labels)}
    figures = classification_metrics(tfidf, truth, labels)
    baselines: dict[str, BaselineFigures] = {"tfidf": {"validation": None, "test": figures}}
    assert standing(after, baselines, entries).endswith(
        "): behind TF-IDF with logistic regression by 41.7 points (16.7 to 66.7, p = 0.062). Where "
        'it says "ahead" or "behind", interval and p-value disagree: these rows are too few to '
        "tell. TF-IDF costs far less, and was ahead here."
    )


def test_validation_speaks_where_there_is_no_test_part(make_report: MakeReport) -> None:
    sentence = make_report(
        after={"validation": metrics_with(9)},
        evidence={"comparison": compared(9, part="validation")},
    ).sentence()
    assert sentence.startswith("On 1,000 validation texts the tuned model is right on 991")
    assert sentence.endswith("helped to choose the weights, so this may flatter.")


def test_nothing_held_back(make_report: MakeReport) -> None:
    assert "nothing is known" in make_report(after={}).sentence()


def test_without_baselines(make_report: MakeReport) -> None:
    assert make_report(baselines={}, evidence={}).sentence().endswith("97.9 to 99.3 %).")


def test_the_majority_class_is_that_of_training() -> None:
    labels = LabelSet(("first", "it's", "third"))
    label_ids = np.array([0, 0, 1])
    majority = constant_metrics([1, 1, 2], label_ids, labels)
    answers = np.tile([0.0, 2 / 3, 1 / 3], (3, 1))
    comparison = compare_with(answers, {"majority": answers}, label_ids, "test", seed=0)
    sentence = standing(
        {"test": majority}, {"majority": {"validation": None, "test": majority}}, comparison
    )
    assert 'from always answering "it\'s" (difference 0.0 points, 0.0 to 0.0, p = 1)' in sentence


def test_what_was_compared_but_is_no_baseline_is_left_to_the_table(make_report: MakeReport) -> None:
    before = {**compared(12)[0], "baseline": "before"}
    report = make_report(evidence={"comparison": [*compared(12), before]})
    assert report.sentence() == make_report().sentence()


@pytest.mark.parametrize("n_right", [0, 1])
def test_one_text(n_right: int) -> None:
    row = np.array([[0.9, 0.1]])
    metrics = classification_metrics(row, [1 - n_right], LabelSet(("a", "b")))
    assert standing({"test": metrics}, {}, []).startswith("On 1 test text the tuned model")
