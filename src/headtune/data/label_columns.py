"""Finds which column holds the label, and what other columns say about that choice.

The name decides (names.py), then the content: the one column of few values that repeat. What then
speaks against it is told with the answer: other columns that hold the same kind of values, and the
signs of several labels a text (several_labels.py). A name such as "toxic" is the name of a label
and not of a column of labels; beside two more columns of 0 and 1 it is one of several.

Costs: a look at the distinct values of each column that is not the text.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.labels import label_counts, label_names
from headtune.data.reading.arrow.values import python_values
from headtune.data.reading.names import LABEL_NAMES, NAMES_OF_ONE_LABEL, by_name, listed
from headtune.data.reading.table import Table
from headtune.data.several_labels import (
    LabelColumns,
    SeveralLabels,
    is_lists,
    is_yes_or_no,
    labels_in_cells,
    labels_in_lists,
)
from headtune.errors import ColumnError, option
from headtune.wording.numbers import count

__all__ = [
    "LabelColumn",
    "find_label",
    "label_column",
    "mean_length",
    "n_distinct",
    "two_could_be",
]

MAX_LABELS_BY_CONTENT = 50
"""Distinct values up to which an unnamed column is thought to hold labels."""

MOST_COLUMNS = 1_000
"""So many others are compared with the label."""

FIRST_ROWS = 1_000
"""Of a column that is compared, looked at before all of them."""

LEAST_LINES_A_LABEL = 5
"""Of a file whose first words are taken for labels."""

LEAST_OTHERS = 2
"""Further columns of 0 and 1 that make one of them a label of several."""


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """The label's column, how it was found, and what was not taken; see ``columns.Columns``."""

    name: str
    found: str
    alike: tuple[str, ...] = ()
    several: SeveralLabels | None = None


def find_label(table: Table, names: Sequence[str], missing: Collection[str]) -> LabelColumn:
    """The label among these columns. Raises ``ColumnError`` where none or several could be it."""
    if not names:
        raise ColumnError(
            f"{table.name} has no column for the label beside the text; it has: "
            f"{_columns_of(table)}.",
            way_out=_in_front(table) or "Training needs a label for each text.",
        )
    named = by_name(names, LABEL_NAMES)
    if len(named) > 1:
        named = [n for n in named if _reads_like_labels(table.columns[n])] or named
    candidates = named or [n for n in names if _reads_like_labels(table.columns[n])]
    of_one_label = all(name.strip().lower() in NAMES_OF_ONE_LABEL for name in named)
    if of_one_label and (found := _one_of_several(table, candidates, names, missing)):
        return found
    if len(named) == 1:
        return label_column(table, named[0], names, "by its name", missing)
    if len(candidates) > 1:
        raise two_could_be("label", table, candidates)
    if not candidates and (found := _of_many_sets(table, names, missing)):
        return found
    if not candidates:
        raise ColumnError(
            f"No column of {table.name} looks like labels: expected one with 2 to "
            f"{MAX_LABELS_BY_CONTENT} distinct values that repeat. It has: {_columns_of(table)}.",
            option="label",
            way_out=f"Name the label column with {option('label')}.",
        )
    return label_column(table, candidates[0], names, "", missing)


def _in_front(table: Table) -> str:
    """The way out where the lines of a file of one column begin with their labels."""
    if len(table.column_names) != 1 or not _is_string(table.columns[table.column_names[0]].type):
        return ""
    texts = python_values(table.columns[table.column_names[0]].slice(0, FIRST_ROWS))
    words = [text.split(maxsplit=1) for text in texts if text]
    first = [each[0] for each in words if len(each) == 2]
    if len(first) < len(words) or not 2 <= len(set(first)) <= MAX_LABELS_BY_CONTENT:
        return ""
    if len(first) < LEAST_LINES_A_LABEL * len(set(first)):
        return ""
    return (
        f"If each line begins with its label ({first[0][:40]!r}): "
        f"{option('delimiter', 'space')} {option('quoting', 'none')}"
    )


def _columns_of(table: Table) -> str:
    """The names of the columns, and how the table was read, which may be why one is missing."""
    read_as = f" (read as: {'; '.join(table.notes)})" if table.notes else ""
    return listed(table.column_names) + read_as


def label_column(
    table: Table, name: str, others: Sequence[str], how: str, missing: Collection[str]
) -> LabelColumn:
    """This column, ``how`` it was found, and what of it and the ``others`` is to be said."""
    column = table.columns[name]
    counts = label_counts(column, missing)
    alike = _alike(table, counts, [other for other in others if other != name])
    several = labels_in_lists(column) or labels_in_cells(counts)
    values = "" if how == "given" else count(_n_values(column, counts), "value")
    not_taken = f"the same values are in {listed(alike[:10])}, not taken" if alike else ""
    lists = "lists of one" if several is None and is_lists(column.type) else ""
    found = ", ".join(part for part in (how, values, lists, not_taken) if part)
    return LabelColumn(name, found, alike, several)


def _n_values(column: pa.ChunkedArray, counts: Collection[str]) -> int:
    if is_lists(column.type):
        return len({str(value) for value in python_values(pc.list_flatten(column))})
    return len(counts)


def _alike(table: Table, counts: Collection[str], others: Sequence[str]) -> tuple[str, ...]:
    """The others whose values are those of the label, or the greater part of them."""
    own = frozenset(counts)
    if not 2 <= len(own) <= MAX_LABELS_BY_CONTENT:
        return ()
    return tuple(name for name in others[:MOST_COLUMNS] if _is_within(table.columns[name], own))


def _is_within(column: pa.ChunkedArray, own: frozenset[str]) -> bool:
    for values in (column.slice(0, FIRST_ROWS), column):
        names = set(label_counts(values))
        if not names or not names <= own:
            return False
    return is_yes_or_no(own) or (len(names) > 1 and 2 * len(names) >= len(own))


def _one_of_several(
    table: Table,
    candidates: Sequence[str],
    names: Sequence[str],
    missing: Collection[str],
) -> LabelColumn | None:
    """The first candidate, where it is one of several columns of 0 and 1 that are each a label.

    A single candidate has to have two others beside it; several have to be most of the candidates.
    """
    flags = [n for n in candidates if _is_flag(table.columns[n])]
    if not flags or (len(candidates) > 1 and 2 * len(flags) <= len(candidates)):
        return None
    beside = [n for n in names[:MOST_COLUMNS] if n in flags or _is_flag(table.columns[n])]
    if len(beside) < (2 if len(candidates) > 1 else 1 + LEAST_OTHERS):
        return None
    several = _label_columns(table, beside, missing)
    alike = tuple(name for name in beside if name != flags[0])
    found = f"one of {len(beside):,} columns of yes and no"
    return LabelColumn(flags[0], found, alike, several)


def _label_columns(table: Table, names: Sequence[str], missing: Collection[str]) -> LabelColumns:
    n_yes = [0] * len(table)
    for name in names:
        for i, value in enumerate(label_names(table.columns[name], missing)):
            n_yes[i] += value is not None and value.casefold() in ("1", "true", "yes", "y", "t")
    return LabelColumns(
        columns=tuple(names),
        n_rows=len(table),
        n_several=sum(n > 1 for n in n_yes),
        n_one=n_yes.count(1),
    )


def _is_flag(column: pa.ChunkedArray) -> bool:
    """Whether a column holds nothing but 0 and 1, or true and false, or yes and no."""
    return all(
        is_yes_or_no(label_counts(values)) for values in (column.slice(0, FIRST_ROWS), column)
    )


def _of_many_sets(
    table: Table, names: Sequence[str], missing: Collection[str]
) -> LabelColumn | None:
    """The one column that holds several labels a cell, of whatever many combinations."""
    found = []
    for name in names[:MOST_COLUMNS]:
        column = table.columns[name]
        if is_lists(column.type) or (_is_string(column.type) and mean_length(column) <= 100):
            said = label_column(table, name, [], "", missing)
            if said.several is not None:
                found.append(said)
    return found[0] if len(found) == 1 else None


def two_could_be(
    what: str, table: Table, names: Sequence[str], *, of: str = "column"
) -> ColumnError:
    """``what`` is "text" or "label", which are also the options that decide; ``of``: what they are
    names of."""
    return ColumnError(
        f"More than one {of} of {table.name} could be the {what}: {', '.join(names)}.",
        option=what,
        way_out=f"Choose one: {option(what, names[0])}",
    )


def n_distinct(column: pa.ChunkedArray) -> int:
    """How many distinct values a column has; 0 where it is nested."""
    if pa.types.is_nested(column.type):
        return 0
    return len(pc.drop_null(pc.unique(column)))


def mean_length(column: pa.ChunkedArray) -> float:
    """Characters of its strings, on average."""
    return float(pc.mean(pc.utf8_length(column)).as_py() or 0.0)


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_string(kind))


def _reads_like_labels(column: pa.ChunkedArray) -> bool:
    """Few distinct values that repeat; no fractions, and no strings as long as texts."""
    kind = column.type
    if pa.types.is_floating(kind):
        filled = pc.drop_null(column)
        if not pc.all(pc.equal(pc.floor(filled), filled), min_count=0).as_py():
            return False
    elif not _is_string(kind):
        if not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
            return False
    elif mean_length(column) > 40:
        return False
    return 2 <= n_distinct(column) <= MAX_LABELS_BY_CONTENT and 2 * n_distinct(column) <= len(
        column
    )
