"""A table as it was read: columns in their original types, and the number of each row.

``Table`` is what every reader returns, whatever the source. A row keeps its 1-based record number
(a header is not counted), also when rows before it were set aside, so that a message can always
name the row that the user finds in the file.

The helpers build one from Python values. Values of a column that have no common type (a number
among strings) become strings, and ``not_strings`` remembers which rows they were in, so that a
text that was no string can still be set aside.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, compress
from operator import not_
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headtune.errors import DataError
from headtune.files.plain_json import to_raw_json
from headtune.types import SetAsideRow
from headtune.wording.missing import is_missing
from headtune.wording.text_lists import HALF_PAIR, has_half_pair, shortened

__all__ = [
    "NESTED",
    "Broken",
    "Parts",
    "Table",
    "concatenate",
    "holds_strings",
    "is_writable",
    "numbered_chunks",
    "table_from_columns",
    "table_from_records",
]

NESTED: tuple[type[Any], ...] = (dict, list, tuple)
"""What holds other values: a tuple, since ``isinstance`` with ``Mapping`` is ten times slower."""

MAX_SPARSE_COLUMNS = 1_000
LEAST_FILLED = 0.1
"""Records with more keys than that, all in all, must have so many of them each."""

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and the record number of each row.

    ``rows`` has shape ``(n_rows,)``; ``set_aside`` are the records that could not be read at all;
    ``notes`` say what was detected, ``options`` are those of ``DataConfig`` that read a delimited
    file so again; ``not_strings`` maps a column to the record numbers whose
    value was turned into a string, ``not_utf8`` to those whose bytes were no text and are escaped;
    ``derived`` are columns that say where a row was found (its file), and nothing about its text.
    Raises ``DataError`` when two columns have one name.
    """

    columns: pa.Table
    name: str
    rows: npt.NDArray[np.int64]
    set_aside: tuple[SetAsideRow, ...] = ()
    notes: tuple[str, ...] = ()
    options: Mapping[str, str | int] = field(default_factory=dict)
    not_strings: Mapping[str, frozenset[int]] = field(default_factory=dict)
    not_utf8: Mapping[str, frozenset[int]] = field(default_factory=dict)
    derived: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        counts = Counter(self.columns.column_names)
        if twice := {name for name, n in counts.items() if n > 1}:
            raise DataError(
                f"{self.name} has two columns named {min(twice)!r}.",
                column=min(twice),
                way_out="Rename one.",
            )

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self.columns.column_names)

    def shifted(self, by: int) -> "Table":
        """The same rows with ``by`` added to every record number."""
        return replace(
            self,
            rows=self.rows + by,
            set_aside=tuple(replace(row, row=row.row + by) for row in self.set_aside),
            not_strings=_shifted(self.not_strings, by),
            not_utf8=_shifted(self.not_utf8, by),
        )

    def sliced(self, start: int, length: int) -> "Table":
        """``length`` rows from position ``start``; unreadable records stay with the first rows."""
        return replace(
            self,
            columns=self.columns.slice(start, length),
            rows=self.rows[start : start + length],
            set_aside=self.set_aside if start == 0 else (),
        )

    def chunks(self, rows_per_chunk: int | None) -> Iterator["Table"]:
        """The same by so many rows; None: all at once."""
        if rows_per_chunk is None or len(self) <= rows_per_chunk:
            yield self
            return
        for start in range(0, len(self), rows_per_chunk):
            yield self.sliced(start, rows_per_chunk)


Parts: TypeAlias = dict[str, Iterator[Table]]
"""What a reader gives: part -> its chunks, read when asked for."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that could not be read: why, and what it held."""

    reason: str
    content: str


def is_writable(value: object) -> bool:
    """Whether no string of a value, however deep, holds half a surrogate pair.

    JSON and Python may hold one; no encoding can write it.
    """
    pending: list[Any] = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            if has_half_pair(part):
                return False
        elif isinstance(part, NESTED):
            pending += part
            if isinstance(part, dict):
                pending += part.values()
    return True


def holds_strings(table: Table, column: str) -> bool:
    """Whether a column is of strings."""
    kind = table.columns.schema.field(column).type
    return bool(pa.types.is_large_string(kind) or pa.types.is_string(kind))


def numbered_chunks(
    records: Iterable[Record | Broken], rows_per_chunk: int | None
) -> Iterator[tuple[list[Record], npt.NDArray[np.int64], tuple[SetAsideRow, ...]]]:
    """Number the records from 1, and gather so many of them: good ones, their rows, broken ones.

    ``rows_per_chunk`` counts good and broken records alike; None gathers all.
    """
    good: list[Record] = []
    rows: list[int] = []
    broken: list[SetAsideRow] = []
    for row, record in enumerate(records, start=1):
        if isinstance(record, Broken):
            broken.append(SetAsideRow(row, record.reason, shortened(record.content)))
        else:
            good.append(record)
            rows.append(row)
        if rows_per_chunk is not None and len(good) + len(broken) >= rows_per_chunk:
            yield good, np.array(rows, dtype=np.int64), tuple(broken)
            good, rows, broken = [], [], []
    if good or broken:
        yield good, np.array(rows, dtype=np.int64), tuple(broken)


def table_from_records(
    records: Sequence[Mapping[Any, object]],
    rows: npt.NDArray[np.int64],
    name: str,
    set_aside: tuple[SetAsideRow, ...] = (),
    *,
    keys: Iterable[Any] = (),
) -> Table:
    """Dicts to a table; a key that a record lacks is a missing value.

    The columns are ``keys``, then those of the records as they come. Records that are not
    writable are set aside. Raises ``DataError`` where each record has keys of its own.
    """
    writable = [is_writable(record) for record in records]
    if not all(writable):
        pairs = zip(compress(records, map(not_, writable)), rows[~np.array(writable)], strict=True)
        set_aside += tuple(
            SetAsideRow(int(row), HALF_PAIR, shortened(ascii(record))) for record, row in pairs
        )
        records, rows = list(compress(records, writable)), rows[writable]
    names = dict.fromkeys(chain(keys, *records))
    _check_filled(list(map(str, names)), records, name)
    columns = {str(key): [record.get(key) for record in records] for key in names}
    return table_from_columns(columns, rows, name, set_aside)


def _check_filled(names: Sequence[str], records: Sequence[Mapping[Any, object]], name: str) -> None:
    """Cells are rows times columns: without a bound, keys of their own fill any memory."""
    n_filled = sum(map(len, records))
    if len(names) > MAX_SPARSE_COLUMNS and n_filled < LEAST_FILLED * len(names) * len(records):
        raise DataError(
            f"{name} has {len(names):,} keys ({', '.join(names[:3])[:80]}, …), of which a record "
            f"has {n_filled / len(records):.0f}: they look like values, not like names of columns.",
            way_out='Give all records the same keys, such as {"text": …, "label": …}.',
        )


def table_from_columns(
    columns: Mapping[str, Sequence[object]],
    rows: npt.NDArray[np.int64],
    name: str,
    set_aside: tuple[SetAsideRow, ...] = (),
) -> Table:
    """Python values by column to a table. NaN is a missing value."""
    arrays: dict[str, pa.Array] = {}
    not_strings: dict[str, frozenset[int]] = {}
    for column, values in columns.items():
        try:
            if _is_sparse(values):
                values = [None if is_missing(value) else to_raw_json(value) for value in values]
            arrays[column] = pa.array(values, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # no common type
            arrays[column] = pa.array([_as_string(value) for value in values], pa.string())
            odd = [row for row, value in zip(rows, values, strict=True) if _is_odd(value)]
            not_strings[column] = frozenset(map(int, odd))
    table = pa.table(arrays)
    return Table(table, name, rows, tuple(sorted(set_aside, key=_row)), not_strings=not_strings)


def _is_sparse(values: Sequence[object]) -> bool:
    """Whether records within a column have keys of their own: a struct would hold all for each."""
    paths: dict[tuple[int, object], int] = {}
    pending: list[tuple[int, Any]] = [(0, v) for v in values if isinstance(v, NESTED)]
    n_rows, n_filled = len(pending), 0
    while pending:
        parent, value = pending.pop()
        if isinstance(value, dict):
            n_filled += len(value)
            for key, inner in value.items():
                path = paths.setdefault((parent, key), len(paths) + 1)
                if isinstance(inner, NESTED):
                    pending.append((path, inner))
        else:
            pending += [(parent, inner) for inner in value if isinstance(inner, NESTED)]
    return len(paths) > MAX_SPARSE_COLUMNS and n_filled < LEAST_FILLED * len(paths) * n_rows


def concatenate(tables: Sequence[Table]) -> Table:
    """Tables of one source as one; a column that a part lacks is missing there."""
    first = tables[0]
    if len(tables) == 1:
        return first
    try:
        columns = pa.concat_tables([t.columns for t in tables], promote_options="permissive")
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"The parts of {first.name} have columns of one name and different types ({reason}).",
            way_out="Write such a column as strings everywhere, or leave it out.",
        ) from error
    return Table(
        columns=columns,
        name=first.name,
        rows=np.concatenate([t.rows for t in tables]),
        set_aside=tuple(row for t in tables for row in t.set_aside),
        notes=first.notes,
        options=first.options,
        not_strings=_united([t.not_strings for t in tables]),
        not_utf8=_united([t.not_utf8 for t in tables]),
        derived=first.derived,
    )


def _shifted(rows_of: Mapping[str, frozenset[int]], by: int) -> dict[str, frozenset[int]]:
    return {name: frozenset(row + by for row in rows) for name, rows in rows_of.items()}


def _united(maps: Iterable[Mapping[str, frozenset[int]]]) -> dict[str, frozenset[int]]:
    rows_of: dict[str, frozenset[int]] = {}
    for each in maps:
        for name, rows in each.items():
            rows_of[name] = rows_of.get(name, frozenset()) | rows
    return rows_of


def _row(row: SetAsideRow) -> int:
    return row.row


def _is_odd(value: object) -> bool:
    return not isinstance(value, str) and not is_missing(value)


def _as_string(value: object) -> str | None:
    if isinstance(value, str) or is_missing(value):
        return value if isinstance(value, str) else None
    return to_raw_json(value)
