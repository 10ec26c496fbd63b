"""What people who looked at one text agree on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

__all__ = ["DISAGREE", "Answers", "Found", "Record", "as_labels", "majority"]

Record: TypeAlias = Mapping[str, object]

Found: TypeAlias = dict[str, list[object]] | str
"""The labels of a record by question, or why it has none."""

Answers: TypeAlias = dict[str, list[list[object]]]
"""By question, the labels that each of the people gave."""

DISAGREE = "the annotators disagree"


def majority(answers: Answers, otherwise: str) -> Found:
    """What more people gave than anything else; why there is none where two are as many.

    ``otherwise`` is said where nobody gave an answer.
    """
    given = {question: [labels for labels in each if labels] for question, each in answers.items()}
    found: dict[str, list[object]] = {}
    for question, each in given.items():
        ranked = Counter(tuple(sorted(labels, key=str)) for labels in each).most_common(2)
        if len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
            return DISAGREE
        if ranked:
            found[question] = next(x for x in each if tuple(sorted(x, key=str)) == ranked[0][0])
    return found or otherwise


def as_labels(value: object) -> list[object]:
    """One answer as labels: those of a list, or the one; none of what is no label."""
    values: Sequence[object] = value if isinstance(value, list | tuple) else [value]
    return [x for x in values if isinstance(x, str | int | float | bool)]
