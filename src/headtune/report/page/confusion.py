"""Which labels are taken for which: the confusion matrix, ready to be shown.

A matrix of many labels is a wall of noughts, so its most frequent mistakes are also listed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

__all__ = ["MOST_COLUMNS", "Cell", "Mistake", "frequent_mistakes", "matrix"]

MOST_COLUMNS = 25
"""With more labels a matrix is not shown: nobody reads it, and it is in report.json."""

MOST_MISTAKES = 12


@dataclass(frozen=True, slots=True)
class Cell:
    """``n`` texts, which are ``share`` of those with this true label."""

    n: int
    share: float
    is_right: bool

    @property
    def tone(self) -> float:
        """How strong its colour is, 0 to 1: the square root, so that a few mistakes are seen."""
        return sqrt(self.share)


@dataclass(frozen=True, slots=True)
class Mistake:
    """``n`` of the ``of`` texts that are ``label`` were called ``predicted``."""

    label: str
    predicted: str
    n: int
    of: int


def matrix(counts: Sequence[Sequence[int]]) -> list[list[Cell]]:
    """The cells; rows are true labels, columns predicted ones."""
    return [
        [
            Cell(n, n / max(1, sum(row)), is_right=true == predicted)
            for predicted, n in enumerate(row)
        ]
        for true, row in enumerate(counts)
    ]


def frequent_mistakes(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> list[Mistake]:
    """The most frequent first."""
    mistakes = [
        Mistake(labels[true], labels[predicted], n, sum(row))
        for true, row in enumerate(counts)
        for predicted, n in enumerate(row)
        if n and true != predicted
    ]
    return sorted(mistakes, key=lambda mistake: -mistake.n)[:MOST_MISTAKES]
