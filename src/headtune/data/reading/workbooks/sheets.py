"""Workbooks to ``Table``: ``.xlsx``, ``.xlsm``, ``.xlsb``, ``.xls`` and ``.ods``.

    1. what a workbook unpacks to is counted, before anything else reads it
    2. a process of its own reads the cells (child.py)
    3. the sheet is found, or named: ``book.xlsx::Sheet2``; hidden ones only if they are named
    4. lines above the header are left out; the header is found as in delimited files

Empty rows and columns are left out. A merged cell gives its value to each of its rows. Dates are
written as ISO 8601 has them; whole numbers lose their ``.0``; a column of several kinds of cells is
text; errors such as ``#N/A`` are missing values. Formulas are what the program that saved them last
had computed.

Guarantees: memory and time in proportion to the workbook; in here, memory for one chunk.
Costs: a second for 250,000 cells.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from headtune.data.reading.choosing import chosen_tables
from headtune.data.reading.delimited.header import Header, find_header
from headtune.data.reading.delimited.rows import Record
from headtune.data.reading.names import listed
from headtune.data.reading.opening.archives import is_archive, open_archive
from headtune.data.reading.opening.byte_source import BLOCK_BYTES, ByteSource
from headtune.data.reading.opening.packing import check_growth, check_unpacked
from headtune.data.reading.table import Parts, Table, numbered_chunks
from headtune.data.reading.workbooks.child import Cell, Child, Sheet
from headtune.errors import DataError
from headtune.options import DataConfig
from headtune.wording.numbers import count

__all__ = ["workbook_parts"]

MOST_ABOVE = 20
"""Rows above the header that may be left out."""

READ_BY = (".xml", ".bin", ".rels")

TYPES = {
    "truth": pa.bool_(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "text": pa.large_string(),
    "empty": pa.large_string(),
}
"""What the cells of a column are -> the type of the column."""


@dataclass(frozen=True, slots=True)
class _Form:
    """A sheet by its place, the rows before the data, the header, and why this sheet.

    ``given`` are the columns that the header names itself.
    """

    sheet: int
    skip: int
    header: Header
    n_above: int = 0
    given: frozenset[int] = frozenset()
    said: str = ""

    def notes(self, n_merged: int) -> tuple[str, ...]:
        """What was found, in words."""
        above = count(self.n_above, "row") + " above the header left out"
        merged = f"merged cells: their value is in each of their rows ({n_merged:,} filled)"
        return (
            "workbook",
            self.said,
            self.header.note,
            *([above] if self.n_above else []),
            *([merged] if n_merged else []),
        )


def workbook_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    """The sheet that is meant, or those that are called as parts, of a workbook on disk.

    Raises ``DataError``.
    """
    n_bytes = _unpacked_size(file)
    first = _child(file, n_bytes)
    forms = _forms(first.sheets(), file, config)
    children = [first, *(_child(file, n_bytes) for _ in range(len(forms) - 1))]
    return {
        part: _chunks(child, form, file.name, rows_per_chunk)
        for child, (part, form) in zip(children, forms.items(), strict=True)
    }


def _child(file: ByteSource, n_bytes: int) -> Child:
    assert file.path is not None
    return Child(file.path, file.name, n_bytes)


def _unpacked_size(file: ByteSource) -> int:
    """Bytes of what is read of a workbook. Raises ``DataError`` where they are too many."""
    assert file.path is not None
    packed = file.path.stat().st_size
    if not is_archive(file.head):
        return packed
    n_bytes = 0
    with open_archive(file.path, file.name, file.most_bytes) as archive:
        for member in archive.members:
            opened = archive.open(member) if member.name.endswith(READ_BY) else None
            while opened is not None and (block := opened.read(BLOCK_BYTES)):
                n_bytes += len(block)
                check_unpacked(file.name, n_bytes, file.most_bytes)
                check_growth(file.name, n_bytes, packed)
    return n_bytes


def _forms(sheets: Sequence[Sheet], file: ByteSource, config: DataConfig) -> dict[str, _Form]:
    """Part -> the sheet of it."""
    found = {s["name"]: _form(i, s["rows"], config, file.name) for i, s in enumerate(sheets)}
    if file.inside is not None:
        if file.inside not in found:
            raise DataError(
                f"There is no sheet {file.inside!r} in {file.name}; it has "
                f"{listed(list(found)) or 'none that is not hidden'}.",
                way_out=f"Name one of them: {file.name}::{next(iter(found), 'Sheet1')}",
            )
        return {"train": replace(found[file.inside], said=f"sheet {file.inside!r}")}
    with_rows = [sheet for sheet in sheets if sheet["rows"]]
    tables = [s for s in with_rows if len(s["rows"]) > 1 and _widest(s["rows"]) > 1] or with_rows
    if not tables:
        raise DataError(f"{file.name} has no rows; expected texts, one a row.")
    columns = {sheet["name"]: found[sheet["name"]].header.names for sheet in tables}
    chosen, said = chosen_tables(columns, config, file.name, "sheet")
    if others := [sheet["name"] for sheet in with_rows if sheet not in tables]:
        said += f" (no table: {listed(others)})"
    return {part: replace(found[name], said=said) for part, name in chosen.items()}


def _widest(rows: Sequence[Sequence[Cell]]) -> int:
    return max(map(_n_filled, rows), default=0)


def _n_filled(row: Sequence[Cell]) -> int:
    return sum(value is not None for value in row)


def _form(sheet: int, rows: Sequence[Sequence[Cell]], config: DataConfig, name: str) -> _Form:
    records = [Record([_text(v) or "" for v in row], [], quotes_work=True) for row in rows]
    width = len(rows[0]) if rows else 0
    usual = _usual(rows)
    n_above = next((i for i, row in enumerate(rows[:MOST_ABOVE]) if _n_filled(row) >= usual), 0)
    header = find_header(records[n_above:], width, config.header, name)
    if n_above and not header.is_there and _n_filled(rows[n_above - 1]) * 2 > usual:
        n_above -= 1  # a column has no name, as numbers in front of the rows have none
        header = find_header(records[n_above:], width, config.header, name)
    if not header.is_there:
        return _Form(sheet, 0, header)
    given = frozenset(i for i, value in enumerate(rows[n_above]) if value is not None)
    return _Form(sheet, n_above + 1, header, n_above, given)


def _usual(rows: Sequence[Sequence[Cell]]) -> int:
    """How many cells of a row are filled, most often; titles and the like have one."""
    counts = Counter(n for row in rows if (n := _n_filled(row)) > 1)
    return max(counts, key=lambda n: (counts[n], n), default=0)


def _chunks(child: Child, form: _Form, name: str, rows_per_chunk: int | None) -> Iterator[Table]:
    try:
        if not child.has_answered:
            child.sheets()
        columns = child.choose(form.sheet, form.skip)
        kept = [
            (i, column)
            for i, column in enumerate(form.header.names)
            if columns["kinds"][i] != "empty" or i in form.given
        ]
        notes = form.notes(columns["merged"])
        records = iter(child.row, None)
        for rows, numbers, _ in numbered_chunks(records, rows_per_chunk or 50_000):
            arrays = {
                column: _array([row[i] for row in rows], columns["kinds"][i]) for i, column in kept
            }
            yield Table(pa.table(arrays), name, numbers, notes=notes)
    finally:
        child.end()


def _array(values: Sequence[Cell], kind: str) -> pa.Array:
    if kind == "text":
        return pa.array([_text(value) for value in values], pa.large_string())
    return pa.array(values, TYPES[kind])


def _text(value: Cell) -> str | None:
    """A cell as a workbook shows it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return None if value is None else str(value)
