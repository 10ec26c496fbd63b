"""Columns that give the label away, and columns that say nothing.

A column of repeating values gives the label away if the most frequent label of the *other* rows
with its value is right where guessing is wrong (leave-one-out, so that a column of ids cannot look
good by chance). A column of numbers does if sorting by it sorts the labels: far fewer changes of
label from row to row than chance would give.

Only what a template or the text column puts into the text can mislead a classifier; the finding
says so.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.findings.finding import Finding
from headtune.data.reading.arrow.values import python_values
from headtune.data.reading.names import listed
from headtune.files.plain_json import to_json

__all__ = ["constant_columns", "giveaways"]

Ints = npt.NDArray[np.int64]

MOST_ERRORS_LEFT = 0.05
"""A column gives the label away if it leaves at most this share of the errors of guessing."""

MOST_COLUMNS = 1_000
"""So many are looked at: 1 ms each."""

LEAST_CHANGES = 20
"""Changes of label that chance must give before a sorted column means anything."""


def giveaways(columns: pa.Table, label_ids: Ints) -> list[Finding]:
    """Columns that predict the label almost without error. ``label_ids``: ``(n_rows,)``."""
    guessing = 1 - np.bincount(label_ids).max(initial=0) / max(len(label_ids), 1)
    found = _left_out(columns)
    for name in columns.column_names[:MOST_COLUMNS]:
        column = columns[name].combine_chunks()
        errors = _errors_by_value(column, label_ids)
        if len(label_ids) and guessing > 0 and errors <= MOST_ERRORS_LEFT * guessing:
            found.append(
                _giveaway(name, f"its value says the label of {1 - errors:.1%} of the rows")
            )
        elif _sorts(column, label_ids):
            found.append(_giveaway(name, "sorting by it sorts the labels"))
    return found


def _left_out(columns: pa.Table) -> list[Finding]:
    n = columns.num_columns - MOST_COLUMNS
    if n <= 0:
        return []
    return [
        Finding(
            kind="columns_left_out",
            severity="low",
            count=n,
            title=f"{n:,} columns after the first {MOST_COLUMNS:,} were not looked at",
            advice="They may give the label away. Leave out what is no text.",
        )
    ]


def constant_columns(columns: pa.Table) -> list[Finding]:
    """Columns with one value, or none."""
    constant = [
        name
        for name in columns.column_names[:MOST_COLUMNS]
        if columns.num_rows > 1 and _has_one_value(columns[name])
    ]
    if not constant:
        return []
    return [
        Finding(
            kind="constant_columns",
            severity="low",
            count=len(constant),
            title=f"The same value in every row: {listed(constant)}",
            advice="Such a column cannot help to tell labels apart. Leave it out of a template.",
        )
    ]


def _has_one_value(column: pa.ChunkedArray) -> bool:
    if pa.types.is_nested(column.type):  # which pyarrow does not tell apart
        return len({to_json(value) for value in python_values(column)}) == 1
    return len(pc.unique(column)) == 1


def _giveaway(name: str, how: str) -> Finding:
    return Finding(
        kind="gives_label_away",
        severity="high",
        count=1,
        title=f"Column {name!r} gives the label away: {how}",
        advice="It was probably written after the label. Keep it out of the text and of "
        "the template, or the classifier learns that column and nothing else.",
    )


def _errors_by_value(column: pa.Array, label_ids: Ints) -> float:
    """Share of rows whose label is not that of most other rows with the same value."""
    if pa.types.is_nested(column.type):
        return 1.0
    values = np.asarray(column.dictionary_encode("encode").indices, dtype=np.int64)
    cells, counts = np.unique(np.stack([values, label_ids]), axis=1, return_counts=True)
    order = np.lexsort((-counts, cells[0]))
    value, count = cells[0][order], counts[order]
    first = np.flatnonzero(np.r_[True, value[1:] != value[:-1]])
    top = np.repeat(count[first], np.diff(np.r_[first, len(value)]))
    has_second = np.r_[value[1:] == value[:-1], False][first]
    seconds = np.where(has_second, count[np.minimum(first + 1, len(count) - 1)], 0)
    rival = top.copy()
    rival[first] = seconds
    return 1 - float(count[count - 1 > rival].sum()) / max(len(label_ids), 1)


def _sorts(column: pa.Array, label_ids: Ints) -> bool:
    """Whether few changes of label are left when the rows are sorted by a column of numbers."""
    numbers = _numbers(column)
    if numbers is None or len(np.unique(numbers)) * 2 < len(numbers):
        return False
    shares = np.bincount(label_ids) / len(label_ids)
    expected = (1 - (shares**2).sum()) * (len(label_ids) - 1)
    in_order = label_ids[np.lexsort((label_ids, numbers))]
    changes = int((in_order[1:] != in_order[:-1]).sum())
    return bool(expected >= LEAST_CHANGES and changes <= MOST_ERRORS_LEFT * expected)


def _numbers(column: pa.Array) -> npt.NDArray[np.float64] | None:
    """The values if all are numbers; strings of digits are."""
    try:
        numbers = np.asarray(column.cast(pa.float64()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return numbers if len(numbers) and np.isfinite(numbers).all() else None
