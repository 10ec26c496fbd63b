"""evidence.py, comparison.py and mistakes.py: counted by hand on a dozen rows."""

from itertools import pairwise

import numpy as np
import pytest

from headtune.report.baselines import Baseline
from headtune.report.evidence import Measured, collect_evidence
from headtune.report.mistakes import confusion_of, errors_by_length, surest_mistakes
from headtune.tasks.metrics import classification_metrics
from headtune.tasks.settle import Settled
from headtune.types import Example, LabelSet, PreparedData

LABELS = LabelSet(("ham", "spam"))
IDS = np.array([0, 0, 0, 1, 1, 1])
SPAM = np.array([0.1, 0.6, 0.9, 0.8, 0.3, 0.05])
"""Probability of spam: rows 2, 3, 5 and 6 are wrong, row 6 most surely."""
ANSWERS = np.stack([1 - SPAM, SPAM], axis=1)
ROWS = tuple(
    Example(f"text {n}", int(label), 10 * n) for n, label in enumerate(IDS.tolist(), start=1)
)


def measured(**changes: object) -> Measured:
    values = {
        "data": PreparedData(LABELS, ROWS, (), ROWS),
        "before": {"test": np.full((6, 2), 0.5)},
        "uncalibrated": {"test": ANSWERS},
        "after": {"test": ANSWERS},
        "settled": Settled(),
        "lengths": {"test": [3, 4, 5, 6, 7, 8]},
        "seed": 0,
    }
    return Measured(**{**values, **changes})  # type: ignore[arg-type]


def test_the_surest_mistakes_come_first() -> None:
    found = surest_mistakes(ANSWERS, ROWS, IDS, LABELS)
    assert [mistake["row"] for mistake in found] == [60, 30, 50, 20]
    assert found[0] == {
        "row": 60,
        "text": "text 6",
        "label": "spam",
        "predicted": "ham",
        "probability": pytest.approx(0.95),
    }


def test_at_most_fifty_mistakes_are_listed() -> None:
    rows = [Example("x", 0, n) for n in range(80)]
    answers = np.tile([0.2, 0.8], (80, 1))
    found = surest_mistakes(answers, rows, np.zeros(80, dtype=np.int64), LABELS)
    assert [mistake["row"] for mistake in found] == list(range(50))


def test_confusion_is_that_of_the_metrics() -> None:
    confusion = confusion_of(ANSWERS, IDS, LABELS, "test")
    assert confusion == {"part": "test", "labels": ["ham", "spam"], "counts": [[1, 2], [2, 1]]}
    assert confusion["counts"] == classification_metrics(ANSWERS, IDS, LABELS)["confusion"]


@pytest.mark.parametrize("seed", range(5))
def test_every_row_is_in_one_range_of_length(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n = int(generator.integers(1, 300))
    lengths = generator.integers(1, 10 ** (seed + 1), size=n).tolist()
    ids = generator.integers(0, 2, size=n)
    answers = generator.dirichlet([1, 1], size=n)
    bins = errors_by_length(answers, lengths, ids)
    assert sum(row["n"] for row in bins) == n
    assert sum(row["errors"] for row in bins) == int((answers.argmax(axis=1) != ids).sum())
    assert all(row["low"] <= row["high"] and row["n"] for row in bins)
    assert all(a["high"] < b["low"] for a, b in pairwise(bins))
    assert len(bins) <= 8


def test_lengths_that_are_all_alike_make_one_range() -> None:
    bins = errors_by_length(ANSWERS, [7] * 6, IDS)
    assert bins == [{"low": 7, "high": 7, "n": 6, "errors": 4}]


def test_errors_are_counted_where_they_are() -> None:
    """Long texts are wrong, short ones right."""
    lengths = list(range(1, 161))
    answers = np.array([[0.9, 0.1] if size <= 80 else [0.1, 0.9] for size in lengths])
    bins = errors_by_length(answers, lengths, np.zeros(160, dtype=np.int64))
    assert [row["n"] for row in bins] == pytest.approx([20] * 8, abs=1)
    expected = [sum(row["low"] <= size <= row["high"] for size in lengths[80:]) for row in bins]
    assert [row["errors"] for row in bins] == expected
    assert sum(expected) == 80


def test_evidence_compares_with_every_baseline_and_the_untuned_model() -> None:
    always_ham = Baseline({"test": np.tile([0.9, 0.1], (6, 1))})
    found = collect_evidence(measured(), {"majority": always_ham})
    by_name = {entry["baseline"]: entry for entry in found["comparison"]}
    assert list(by_name) == ["majority", "before"]
    assert by_name["majority"]["only_model_right"] == 1
    assert by_name["majority"]["only_baseline_right"] == 2
    assert by_name["majority"]["difference"] == pytest.approx(-1 / 6)
    assert by_name["majority"]["n"] == 6
    assert by_name["majority"]["part"] == "test"
    assert found["confusion"]["part"] == "test"


def test_validation_speaks_where_there_is_no_test_part_and_nobody_where_neither_is() -> None:
    data = PreparedData(LABELS, ROWS, ROWS, ())
    found = collect_evidence(
        measured(
            data=data,
            before={},
            uncalibrated={"validation": ANSWERS},
            after={"validation": ANSWERS},
            lengths={"validation": [1] * 6},
        ),
        {},
    )
    assert found["confusion"]["part"] == "validation"
    assert found["comparison"] == []
    nothing = PreparedData(LABELS, ROWS, (), ())
    assert collect_evidence(measured(data=nothing, before={}, after={}, lengths={}), {}) == {}


def test_a_range_of_lengths_that_nobody_has_is_left_out() -> None:
    """The middle of 2, 2, 9, 9 is 5.5, cut at 5: from 5 to 8 there is no text."""
    answers = np.tile([[0.9, 0.1]], (4, 1))
    bins = errors_by_length(answers, [2, 2, 9, 9], np.zeros(4, dtype=np.int64))
    assert sum(entry["n"] for entry in bins) == 4
    assert all(entry["low"] in (2, 9) for entry in bins)
