"""decision.py: each rule on rows where it matters; thresholds against counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from headtune.errors import ConfigError
from headtune.options import DecideConfig
from headtune.options.written import parse_shares
from headtune.tasks.decision import (
    DecisionRule,
    answer_metrics,
    threshold_for_precision,
    threshold_for_recall,
)
from headtune.types import LabelSet

LABELS = LabelSet(("ham", "spam", "fraud"))
ROWS = np.array([[0.7, 0.25, 0.05], [0.1, 0.85, 0.05], [0.05, 0.95, 0.0], [0.3, 0.3, 0.4]])


@pytest.mark.parametrize(
    ("thresholds", "abstain_below", "answers"),
    [
        ({}, None, "ham spam spam fraud"),
        ({"spam": 0.9}, None, "ham ham spam fraud"),
        ({"spam": 0.2}, None, "spam spam spam spam"),
        ({"spam": 0.2, "ham": 0.6}, None, "ham spam spam spam"),
        ({}, 0.8, "unsure spam spam unsure"),
        ({"spam": 0.9}, 0.5, "ham unsure spam unsure"),
        ({"spam": 0.2}, 0.8, "spam spam spam spam"),
        ({"ham": 0.9, "spam": 0.9, "fraud": 0.9}, None, "unsure unsure spam unsure"),
        ({}, 0.0, "ham spam spam fraud"),
        ({"spam": 0.95}, None, "ham ham spam fraud"),
    ],
)
def test_answers(thresholds: dict[str, float], abstain_below: float | None, answers: str) -> None:
    rule = DecisionRule(thresholds, abstain_below)
    found = rule.answers(ROWS, LABELS)
    assert [answer.label for answer in found] == answers.split()
    assert [answer.unsure for answer in found] == [a == "unsure" for a in answers.split()]
    assert found[0].probabilities == {"ham": 0.7, "spam": 0.25, "fraud": 0.05}


def test_a_rule_that_does_not_suit_the_labels_is_refused() -> None:
    with pytest.raises(ConfigError, match="'eggs', which is not among the labels: ham, spam, frau"):
        DecisionRule({"eggs": 0.5}).check(LABELS)
    with pytest.raises(ConfigError, match="Rename the label"):
        DecisionRule({}, 0.5).check(LabelSet(("sure", "unsure")))
    DecisionRule({"sure": 0.5}).check(LabelSet(("sure", "unsure")))


def test_answer_metrics_by_hand() -> None:
    found = answer_metrics(DecisionRule({}, 0.8), ROWS, np.array([0, 1, 0, 2]), LABELS)
    assert found["coverage"] == 0.5
    assert found["accuracy"] == 0.5
    assert found["per_label"]["spam"] == {"precision": 0.5, "recall": 1.0}
    assert found["per_label"]["ham"] == {"precision": None, "recall": 0.0}
    nothing = answer_metrics(DecisionRule({}, 1.0), ROWS, np.array([0, 1, 0, 2]), LABELS)
    assert (nothing["coverage"], nothing["accuracy"]) == (0.0, None)


@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40),
    st.floats(0.05, 1.0),
)
def test_thresholds_are_the_best_of_all(rows: list[tuple[int, bool]], wanted: float) -> None:
    """scikit-learn's curve has precision and recall at every threshold."""
    p = np.array([value / 20 for value, _ in rows])
    is_label = np.array([label for _, label in rows])
    if not is_label.any():
        assert threshold_for_precision(p, is_label, wanted) is None
        assert threshold_for_recall(p, is_label, wanted) is None
        return
    precision, recall, thresholds = precision_recall_curve(is_label, p)
    precise = thresholds[precision[:-1] >= wanted]
    assert threshold_for_precision(p, is_label, wanted) == (precise.min() if len(precise) else None)
    assert threshold_for_recall(p, is_label, wanted) == thresholds[recall[:-1] >= wanted].max()


@pytest.mark.parametrize("item", ["spam", "=0.5", "spam=", "spam=high", "spam=0", "spam=1.1"])
def test_thresholds_that_are_no_shares_are_refused(item: str) -> None:
    with pytest.raises(ConfigError, match=r"such as spam=0\.9"):
        parse_shares("threshold", (item,))


def test_a_label_has_one_threshold() -> None:
    assert parse_shares("threshold", ("a=b=0.5", "c=1")) == {"a=b": 0.5, "c": 1.0}
    with pytest.raises(ConfigError, match="twice"):
        DecideConfig(threshold=("spam=0.5", "spam=0.6"))
    with pytest.raises(ConfigError, match="'spam' can have one of"):
        DecideConfig(threshold=("spam=0.5",), target_recall=("spam=0.6",))
    with pytest.raises(ConfigError, match="between 0 and 1"):
        DecideConfig(abstain_below=80)
