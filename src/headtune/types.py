"""The small types that one stage hands to the next.

Leaf module: it imports nothing of headtune but the errors, and no torch, so that the command
line and the data stage stay quick to import. Each type checks itself once, when it is made.
``PackedBatch`` (tensors) lives in ``batches/packed_batch.py``; ``Report`` in ``report/report.py``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Required, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from headtune.errors import LabelError, TokenizationError, option

__all__ = [
    "ColumnsAccount",
    "DataAccount",
    "Example",
    "HistoryRow",
    "LabelSet",
    "LabelValue",
    "LeakedRow",
    "LeakedRows",
    "Leaks",
    "PartAccount",
    "Prediction",
    "PreparedData",
    "SetAside",
    "SetAsideRow",
    "TokenizedExample",
    "known_label",
    "label_ids_of",
    "row_weights",
]


LabelValue: TypeAlias = str | bool | int | float
"""A label as the data have it: 1, True, "spam"."""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The label names of a classifier, in the order of its logits.

    ``own_values`` are the labels as the data have them where these are not the names: whole
    numbers, booleans. They decide nothing and are not compared. Raises ``LabelError`` when there
    are fewer than two names, one occurs twice, or there are not as many values.
    """

    names: tuple[str, ...]
    own_values: tuple[LabelValue, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if len(self.names) < 2:
            found = f"one label, {self.names[0]!r}" if self.names else "no label"
            raise LabelError(
                f"A classifier needs at least two labels; the data has {found}.",
                option="label",
                way_out=f"Check that {option('label')} names the right column.",
            )
        if len(set(self.names)) != len(self.names):
            raise LabelError(f"Label names must differ; received {list(self.names)}.")
        if self.own_values and len(self.own_values) != len(self.names):
            raise LabelError(
                f"{len(self.names)} labels cannot have {len(self.own_values)} values of their own."
            )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def values(self) -> tuple[LabelValue, ...]:
        """The labels as the data have them, in the order of the names."""
        return self.own_values or self.names

    @property
    def id2label(self) -> dict[int, str]:
        """Index of a logit -> label name."""
        return dict(enumerate(self.names))

    @property
    def label2id(self) -> dict[str, int]:
        """Label name -> index of its logit."""
        return {name: index for index, name in enumerate(self.names)}

    def encode(self, names: Iterable[str]) -> npt.NDArray[np.int64]:
        """Label names to indices, shape ``(n,)``. Raises ``LabelError`` on an unknown name."""
        label2id = self.label2id
        try:
            return np.array([label2id[name] for name in names], dtype=np.int64)
        except KeyError as error:
            raise LabelError(
                f"Label {error.args[0]!r} is unknown to this classifier.",
                way_out=f"It knows: {', '.join(self.names)}.",
            ) from None

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Indices of logits to label names."""
        return [self.names[index] for index in indices]


@dataclass(frozen=True, slots=True)
class Example:
    """One text with its label.

    ``label`` is an index into a ``LabelSet``, or None where unknown. ``row`` is the 1-based
    record number in the source (a header is not counted): what a user finds it by. ``weight`` is
    how much it counts beside others, in losses and figures.
    """

    text: str
    label: int | None
    row: int
    weight: float = 1.0


def label_ids_of(examples: "Iterable[Example | TokenizedExample]") -> npt.NDArray[np.int64]:
    """The labels of examples that all have one, shape ``(n,)``.

    Raises ``LabelError``, naming the row, where a label is unknown: it is never taken for the
    first one.
    """
    return np.array([known_label(example) for example in examples], dtype=np.int64)


def known_label(example: "Example | TokenizedExample") -> int:
    """The label of an example. Raises ``LabelError`` where it is unknown."""
    if example.label is None:
        raise LabelError(
            f"Row {example.row} has no label, and one is needed here.",
            row=example.row,
            way_out="Give it one, or leave the row out.",
        )
    return example.label


def row_weights(
    examples: "Sequence[Example | TokenizedExample]",
) -> npt.NDArray[np.float64] | None:
    """The weights of examples, shape ``(n,)``; None where each counts as one."""
    weights = np.array([example.weight for example in examples], dtype=np.float64)
    return None if (weights == 1.0).all() else weights


@dataclass(frozen=True, slots=True)
class SetAsideRow:
    """A row that could not be used: 1-based record number, the reason, and what it held."""

    row: int
    reason: str
    content: str


class ColumnsAccount(TypedDict):
    """Where text and label were found, and in words why there."""

    text: str | None
    label: str | None
    template: str | None
    found: str


class SetAside(TypedDict):
    """How many rows could not be used, by reason."""

    count: int
    by_reason: dict[str, int]


class PartAccount(TypedDict):
    """Rows of a part, and how many have each label."""

    rows: int
    labels: dict[str, int]


class LeakedRows(TypedDict):
    """Of the ``rows`` of a part, those that copy a training row: exact copies, and near ones."""

    rows: int
    exact: int
    near: int


class LeakedRow(TypedDict):
    """One copy (``kind`` is "exact" or "near") and its training row: numbers, beginnings."""

    part: str
    kind: str
    row: int
    text: str
    train_row: int
    train_text: str


class Leaks(TypedDict):
    """What validation and test have in common with training; see ``data/repeats/leaks.py``."""

    validation: LeakedRows
    test: LeakedRows
    examples: list[LeakedRow]


class DataAccount(TypedDict, total=False):
    """Every row of the data accounted for; the keys are explained in ``data/summary.py``.

    Empty for lists of Python; an account of an older headtune may lack keys.
    """

    source: str
    columns: ColumnsAccount
    detected: list[str]
    notes: list[str]
    read_with: dict[str, str | int]
    rows_read: int
    set_aside: SetAside
    repeats: int
    conflicting_texts: int
    repeats_across_parts: int
    labels: dict[str, int]
    parts: dict[str, PartAccount]
    balance: str
    split: str
    split_seed: int
    fingerprint: str
    near_repeats: int
    leaks: Leaks


@dataclass(frozen=True, slots=True)
class PreparedData:
    """Stage 1's result: labels and three disjoint parts (validation and test may be empty).

    ``summary`` is what ``report.json`` shows under ``data``: rows read, set aside, repeats,
    rows and label counts of each part, how the columns were found, and the fingerprint
    (sha256 over labels and texts of every part, in order).
    """

    labels: LabelSet
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]
    set_aside: tuple[SetAsideRow, ...] = ()
    summary: DataAccount = field(default_factory=DataAccount)

    @property
    def parts(self) -> dict[str, tuple[Example, ...]]:
        """The parts by name, in order, empty ones included."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass(frozen=True, slots=True)
class TokenizedExample:
    """One text as token ids.

    ``input_ids`` has shape ``(n_tokens,)`` and dtype int32; ``n_truncated`` counts the tokens
    that ``max_length`` cut off, and ``truncated_more`` says that there are more of them, of a text
    so long that it was not encoded whole; ``weight`` is the example's. Raises
    ``TokenizationError`` when there is no token.
    """

    input_ids: npt.NDArray[np.int32]
    label: int | None
    row: int
    n_truncated: int = 0
    truncated_more: bool = False
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.input_ids.ndim != 1 or len(self.input_ids) == 0:
            raise TokenizationError(
                f"Row {self.row} has no tokens: shape {self.input_ids.shape}, expected (n_tokens,) "
                "with at least one.",
                row=self.row,
            )

    def __len__(self) -> int:
        return len(self.input_ids)


class HistoryRow(TypedDict, total=False):
    """A line of ``history.jsonl``: a logged step has the training loss, an evaluation the
    validation figures. Step 0 is before training."""

    step: Required[int]
    epoch: Required[float]
    loss: float
    learning_rate: float
    gradient_norm: float
    validation_loss: float
    validation_accuracy: float
    validation_macro_f1: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text, and a probability for each label.

    The label is the most probable one, unless thresholds decided otherwise; where ``unsure`` is
    true it is the word "unsure". ``label_set`` has the labels of which one is the true one in a
    stated share of texts; None where the classifier was trained without a coverage.
    """

    label: str
    probabilities: dict[str, float]
    unsure: bool = False
    label_set: tuple[str, ...] | None = None
