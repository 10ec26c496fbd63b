"""Tables that hold several labels a text, told by their evidence.

Three forms:

    in one cell     ``neutral;juice``, ``a|b``, ``a,b``, or a list written out: ``["a", "b"]``
    as lists        of Parquet, Arrow and JSON
    in columns      of 0 and 1 (true and false, yes and no), one for each label

A label of its own may hold any of these signs ("R&B", "yes, definitely", "Sports; Outdoor"), so it
is the parts that decide: in several labels they come back alone or in other company. Signs that
prose has ("," before a space, "/", "+") need nearly all parts to come back, of which most stand
alone somewhere. Values that all have the same number of parts, each part in a place of its own
(``Paris, France``; ``Electronics|Phones``), are paths and no sets.

Costs: a look at each distinct label.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.reading.arrow.values import python_values
from headtune.data.reading.names import as_float, is_number
from headtune.data.reading.table import Table
from headtune.errors import option
from headtune.wording.label_names import plain_name
from headtune.wording.numbers import percent

__all__ = [
    "LabelColumns",
    "LabelsInCells",
    "SeveralLabels",
    "as_one_label",
    "is_lists",
    "is_yes_or_no",
    "labels_in_cells",
    "labels_in_lists",
]

Parts = tuple[str, ...]

MOST_NAMES = 200_000
LONGEST_NAME = 1_000
LONGEST_PART = 60
MOST_WORDS = 5
"""Of a part: what is longer is a sentence."""

LEAST_ROWS = 2
LEAST_SHARE = 0.01
"""Rows with more than one label from which on a table is refused and not just spoken of."""

CLEAR = (";", "|", "\n")
"""Signs that labels of their own rarely have."""

UNCLEAR = (",", "/", "+", " ")

YES_OR_NO = (
    frozenset({"0", "1"}),
    frozenset({"true", "false"}),
    frozenset({"yes", "no"}),
    frozenset({"y", "n"}),
    frozenset({"t", "f"}),
)
QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class LabelsInCells:
    """A label column whose cells hold several: ``written`` says how, ``example`` is one of them."""

    written: str
    n_rows: int
    n_several: int
    """Rows with more than one label."""

    n_labels: int
    example: str
    of_lists: bool = False

    @property
    def is_plenty(self) -> bool:
        """Whether enough rows have several that they are no slips of the pen."""
        return self.of_lists or self.n_several >= LEAST_SHARE * self.n_rows

    def said(self, column: str) -> str:
        """What was found, without a full stop."""
        where = f"column {column!r}" if column else "the labels"
        return (
            f"{percent(self.n_several / max(self.n_rows, 1))} of the rows of {where} hold more "
            f"than one of {self.n_labels:,} labels, {self.written} ({self.example[:60]!r})"
        )

    def way_out(self, column: str) -> str:
        """What can be done."""
        if self.of_lists:
            return "Keep the label that matters, one a row, or write a table for each label."
        return f"To learn each combination as a label of its own: {option('label', column)}"


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Columns of 0 and 1 that may each be a label; ``n_several`` rows have more than one 1."""

    columns: tuple[str, ...]
    n_rows: int
    n_several: int
    n_one: int
    """Rows with exactly one 1."""

    of_lists: bool = False
    is_plenty: bool = True

    def said(self, column: str) -> str:
        """What was found, without a full stop; ``column`` is one of them."""
        names = ", ".join(self.columns[:10]) + (", …" if len(self.columns) > 10 else "")
        if self.n_one == self.n_rows:
            how = "each row has exactly one of them"
        else:
            how = f"{percent(self.n_several / max(self.n_rows, 1))} of the rows have several"
        return f"{len(self.columns):,} columns say yes or no, such as 0 and 1 ({names}), and {how}"

    def way_out(self, column: str) -> str:
        """What can be done; ``column`` is one of them."""
        if self.n_one == self.n_rows:
            return (
                "Write the name of that one in a column of labels; or learn one of them, yes or "
                f"no: {option('label', column)}"
            )
        return f"To learn one of them, yes or no: {option('label', column)}"


SeveralLabels = LabelsInCells | LabelColumns


def labels_in_cells(counts: Mapping[str, int]) -> LabelsInCells | None:
    """How labels are joined in one cell, if they are. ``counts``: label -> its rows."""
    names = [name for name in counts if len(name) <= LONGEST_NAME]
    if not names or len(counts) > MOST_NAMES or 2 * len(names) < len(counts):
        return None
    lists = {name: _written_list(name) for name in names if _looks_like_list(name)}
    if 10 * sum(map(counts.__getitem__, lists)) >= 9 * sum(counts.values()):
        return _found({n: p for n, p in lists.items() if p}, counts, "written as lists")
    for sign in (*CLEAR, *UNCLEAR):
        parts = {name: _parts(name, sign) for name in names}
        if _are_sets(parts, counts, sign):
            return _found(parts, counts, f"separated by {_sign_in_words(sign)}")
    return None


def labels_in_lists(column: pa.ChunkedArray) -> LabelsInCells | None:
    """Of a column of lists, if any list holds more than one; None otherwise."""
    if not is_lists(column.type):
        return None
    lengths = pc.list_value_length(column)
    n_several = pc.sum(pc.greater(lengths, 1)).as_py() or 0
    if not n_several:
        return None
    example = column.filter(pc.fill_null(pc.greater(lengths, 1), False)).slice(0, 1)
    return LabelsInCells(
        written="as lists",
        n_rows=len(column),
        n_several=n_several,
        n_labels=len({str(value) for value in python_values(pc.list_flatten(column))}),
        example=_written_as_one(example)[0] or "",
        of_lists=True,
    )


def is_lists(kind: pa.DataType) -> bool:
    """Whether it is a list of plain values."""
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return pa.types.is_fixed_size_list(kind) and not pa.types.is_nested(kind.value_type)
    return not pa.types.is_nested(kind.value_type)


def as_one_label(table: Table, name: str | None) -> Table:
    """The table with each list of its label column as one string, ``a; b``: for looking at it."""
    if name not in table.column_names or not is_lists(table.columns[name].type):
        return table
    column = pa.array(_written_as_one(table.columns[name]), pa.large_string())
    place = table.column_names.index(name)
    return replace(table, columns=table.columns.set_column(place, name, column))


def _written_as_one(column: pa.ChunkedArray) -> list[str | None]:
    """Each list as one string; None where it is empty or missing."""
    rows = python_values(column)
    named = ([plain_name(value) for value in row or ()] for row in rows)
    return ["; ".join(name for name in names if name) or None for names in named]


def is_yes_or_no(names: Iterable[str]) -> bool:
    """Whether the values of a column are yes and no, or one of them: 0 and 1, true and false."""
    values = {name.casefold() for name in names}
    return bool(values) and any(values <= pair for pair in YES_OR_NO)


def _looks_like_list(name: str) -> bool:
    return len(name) > 1 and (name[0], name[-1]) in (("[", "]"), ("{", "}"), ("(", ")"))


def _written_list(name: str) -> Parts:
    """The values of a list as Python, JSON or NumPy write it, without running anything."""
    inner = name[1:-1]
    quoted = [one or other for one, other in QUOTED.findall(inner)]
    return _cleaned(quoted or inner.split(","))


def _cleaned(parts: Iterable[str]) -> Parts:
    return tuple(part for part in map(str.strip, parts) if part)


def _parts(name: str, sign: str) -> Parts:
    return _cleaned(name.split(sign)) if sign in name else (name,)


def _sign_in_words(sign: str) -> str:
    return {"\n": "line ends", " ": "spaces"}.get(sign, repr(sign))


def _found(
    parts: Mapping[str, Parts], counts: Mapping[str, int], written: str
) -> LabelsInCells | None:
    several = [name for name, found in parts.items() if len(set(found)) > 1]
    n_several = sum(counts[name] for name in several)
    if n_several < LEAST_ROWS:
        return None
    return LabelsInCells(
        written=written,
        n_rows=sum(counts.values()),
        n_several=n_several,
        n_labels=len({part for found in parts.values() for part in found}),
        example=max(several, key=lambda name: counts[name]),
    )


def _are_sets(parts: Mapping[str, Parts], counts: Mapping[str, int], sign: str) -> bool:
    """Whether the parts of the names come back as those of sets do."""
    joined = {name: found for name, found in parts.items() if len(found) > 1}
    n_joined = sum(counts[name] for name in joined)
    n_sets = sum(counts[name] for name, found in joined.items() if _could_be_set(found))
    if n_joined < LEAST_ROWS or 10 * n_sets < 9 * n_joined or _are_paths(parts):
        return False
    if sign in UNCLEAR and _are_numbers(joined.values(), sign):
        return False
    back = _back(parts, joined, counts)
    alone = {found[0] for found in parts.values() if len(found) == 1}
    if sign in CLEAR or (sign == "," and not any(", " in name for name in joined)):
        n_back = sum(counts[name] for name, known in back.items() if any(known))
        seen_alone = any(part in alone for found in joined.values() for part in found)
        return 2 * n_back >= n_joined and (sign in CLEAR or seen_alone)
    n_back = sum(counts[name] for name, known in back.items() if all(known))
    return 10 * n_back >= 9 * n_joined and _stand_alone(joined, alone, sign)


def _back(
    parts: Mapping[str, Parts], joined: Mapping[str, Parts], counts: Mapping[str, int]
) -> dict[str, list[bool]]:
    """Of each joined name, which parts other names have too."""
    rows_of: Counter[str] = Counter()
    for name, found in parts.items():
        rows_of.update(dict.fromkeys(found, counts[name]))
    return {
        name: [rows_of[part] - counts[name] >= LEAST_ROWS for part in found]
        for name, found in joined.items()
    }


def _could_be_set(parts: Parts) -> bool:
    """No part twice, and none as long as a sentence."""
    return len(set(parts)) == len(parts) and all(
        len(part) <= LONGEST_PART and len(part.split()) <= MOST_WORDS for part in parts
    )


def _stand_alone(joined: Mapping[str, Parts], alone: set[str], sign: str) -> bool:
    """Whether the parts are labels: most stand alone somewhere, or are mixed in many ways."""
    distinct = {part for found in joined.values() for part in found}
    n_alone = len(distinct & alone)
    if sign == " ":
        return n_alone == len(distinct)
    mixed = len(joined) > len(distinct) and any(len(found) > 2 for found in joined.values())
    return 4 * n_alone >= 3 * len(distinct) or (mixed and sign == ",")


def _are_paths(parts: Mapping[str, Parts]) -> bool:
    """Whether all names have as many parts, each of which keeps to its place."""
    if len({len(found) for found in parts.values()}) > 1:
        return False
    places = [set(place) for place in zip(*parts.values(), strict=True)]
    return len(set().union(*places)) == sum(map(len, places))


def _are_numbers(joined: Iterable[Parts], sign: str) -> bool:
    """Decimal commas, dates and ranges; lists of indices are in order, or of three and more."""
    found = list(joined)
    if not all(is_number(part) for parts in found for part in parts):
        return False
    return sign != "," or not _are_indices(found)


def _are_indices(found: Sequence[Parts]) -> bool:
    if not all(part.isdecimal() for parts in found for part in parts):
        return False
    if all(len(part) == 3 for parts in found for part in parts[1:]):
        return False  # thousands: 1,500
    in_order = all(list(_numbers(parts)) == sorted(_numbers(parts)) for parts in found)
    longer = any(len(parts) > 2 for parts in found) and len({len(parts) for parts in found}) > 1
    return longer or (in_order and len({parts[-1] for parts in found}) > 2)


def _numbers(parts: Parts) -> Iterator[float]:
    return (as_float(part) or 0.0 for part in parts)
