"""The figures of classifiers and of their answers, as types: what ``tasks`` measures, stages hand
on and ``report.json`` holds.

They are dictionaries with known keys, so what is measured is written as it is, key by key, in this
order; a type checker knows each. Leaf module.
"""

from typing import Literal, TypedDict

__all__ = [
    "HELD_BACK",
    "AnswerFigures",
    "AnsweredLabel",
    "BaselineFacts",
    "BaselineFigures",
    "Bin",
    "FileMetrics",
    "HeldBack",
    "LabelFigures",
    "Metrics",
    "PartMetrics",
    "Reliability",
    "SetFigures",
    "SetsOfLabel",
]

HeldBack = Literal["validation", "test"]

HELD_BACK: tuple[HeldBack, ...] = ("validation", "test")
"""Parts that are measured."""


class LabelFigures(TypedDict):
    """One label; ``support`` counts the rows that truly have it."""

    precision: float
    recall: float
    f1: float
    support: int


class Metrics(TypedDict):
    """What ``classification_metrics`` gives; the keys are explained in ``metrics.py``."""

    n: int
    accuracy: float
    macro_f1: float
    log_loss: float
    per_label: dict[str, LabelFigures]
    confusion: list[list[int]]


PartMetrics = dict[str, Metrics | None]
"""Part -> its figures, None for a part without rows."""


class BaselineFacts(TypedDict, total=False):
    """How a fitted baseline was made: the strength of its penalty, and the rows it read."""

    C: float
    train_rows: int


class BaselineFigures(BaselineFacts):
    """A baseline: its figures on each part, and facts."""

    validation: Metrics | None
    test: Metrics | None


class AnsweredLabel(TypedDict):
    """None where a label is never the answer, or never occurs."""

    precision: float | None
    recall: float | None


class AnswerFigures(TypedDict):
    """How the answers of a rule do; ``coverage`` is the share that is answered."""

    coverage: float
    accuracy: float | None
    per_label: dict[str, AnsweredLabel]


class SetsOfLabel(TypedDict):
    """Sets of the rows that truly have a label; None where there are none."""

    n: int
    coverage: float | None
    mean_size: float | None


class SetFigures(TypedDict):
    """How sets of labels do: the share that holds the truth, with its 95 % interval, beside the
    one that was wanted; labels in a set on average, and how many rows have sets of each size."""

    wanted: float
    n: int
    coverage: float
    interval: list[float]
    mean_size: float
    sizes: dict[str, int]
    per_label: dict[str, SetsOfLabel]


class FileMetrics(Metrics, total=False):
    """Figures of a table: what was left out of it, its answers under a rule, its sets of labels,
    and all of it without int8."""

    answers: AnswerFigures
    sets: SetFigures
    set_aside: int
    plain: "FileMetrics"


class Bin(TypedDict):
    """Rows whose predicted label has a probability from ``low`` to ``high``."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


class Reliability(TypedDict):
    """Expected calibration error, and the bins that have rows."""

    ece: float
    bins: list[Bin]
