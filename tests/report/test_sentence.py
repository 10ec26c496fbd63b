"""sentence.py: what is said follows from the counts, also where it is unwelcome."""

from collections.abc import Callable

import numpy as np
import pytest

from headtune.metrics import classification_metrics
from headtune.report import Report
from headtune.report.baselines import majority_baseline
from headtune.report.sentence import judge, standing
from headtune.types import LabelSet

from .conftest import metrics_with

MakeReport = Callable[..., Report]


def test_better_than_both(make_report: MakeReport) -> None:
    assert make_report().sentence() == (
        "On 1,000 test texts the tuned model is right on 988 (98.8 %; 95 % interval "
        "97.9 to 99.3 %): better than always answering 'ham' (870 right, 87.0 %) and "
        "better than TF-IDF with logistic regression (955 right, 95.5 %)."
    )


def test_not_distinguishable_from_tfidf(make_report: MakeReport) -> None:
    sentence = make_report(after={"test": metrics_with(43)}).sentence()
    assert "better than always answering 'ham'" in sentence
    assert "but not distinguishable from TF-IDF with logistic regression (955 right" in sentence
    assert sentence.endswith("TF-IDF costs far less and may do as well here.")


def test_worse_than_both(make_report: MakeReport) -> None:
    sentence = make_report(after={"test": metrics_with(500)}).sentence()
    assert "worse than always answering 'ham'" in sentence
    assert "worse than TF-IDF" in sentence
    assert sentence.endswith("TF-IDF is the better and the cheaper choice.")
    assert "better than" not in sentence


def test_few_rows_prove_little() -> None:
    """3 of 4 against 1 of 4 is 50 points, and nothing."""
    labels = LabelSet(("a", "b"))
    three = classification_metrics([[0.9, 0.1]] * 4, [0, 0, 0, 1], labels)
    one = classification_metrics([[0.1, 0.9]] * 4, [0, 0, 0, 1], labels)
    assert (three["accuracy"], one["accuracy"]) == (0.75, 0.25)
    assert judge(three, one) == "not distinguishable"


@pytest.mark.parametrize(
    ("n_wrong", "verdict"),
    [
        (26, "better"),
        (33, "not distinguishable"),
        (45, "not distinguishable"),
        (60, "not distinguishable"),
        (68, "worse"),
    ],
)
def test_verdict_turns_where_chance_ends(n_wrong: int, verdict: str) -> None:
    """45 wrong of 1,000: 18 more or fewer is 1.96 standard errors of a difference."""
    assert judge(metrics_with(n_wrong), metrics_with(45)) == verdict


def test_validation_speaks_where_there_is_no_test_part(make_report: MakeReport) -> None:
    sentence = make_report(after={"validation": metrics_with(9)}).sentence()
    assert sentence.startswith("On 1,000 validation texts the tuned model is right on 991")
    assert sentence.endswith("helped to choose the weights, so this may flatter.")


def test_nothing_held_back(make_report: MakeReport) -> None:
    assert "nothing is known" in make_report(after={}).sentence()


def test_without_baselines(make_report: MakeReport) -> None:
    assert make_report(baselines={}).sentence().endswith("97.9 to 99.3 %).")


def test_the_majority_class_is_that_of_training() -> None:
    labels = LabelSet(("first", "it's", "third"))
    majority = majority_baseline([1, 1, 2], [0, 0, 1], labels)
    sentence = standing({"test": majority}, {"majority": {"test": majority}})
    assert 'always answering "it\'s" (1 right, 33.3 %)' in sentence


@pytest.mark.parametrize("n_right", [0, 1])
def test_one_text(n_right: int) -> None:
    row = np.array([[0.9, 0.1]])
    metrics = classification_metrics(row, [1 - n_right], LabelSet(("a", "b")))
    assert standing({"test": metrics}, {}).startswith("On 1 test text the tuned model")
