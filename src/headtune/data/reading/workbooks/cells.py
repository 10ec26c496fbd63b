"""Reads a workbook in a process of its own, and answers in lines of JSON.

    python cells.py FILE MEMORY SECONDS

    ->  {"sheets": [{"name", "rows"}, …]}             the first 200 rows of each sheet that is not
                                                      hidden; empty rows are left out everywhere
    <-  {"sheet": 0, "skip": 1}                       the one to read, and so many rows not
    ->  {"kinds": ["text", "whole", …], "merged": 2}  of each column; cells filled from merged ones
    ->  [cell, …]                                     a row, again and again

Why a process: the library under python-calamine makes room for every cell between the first and
the last. A file of 8 kB that says it has one in the last row and column asks for 500 GB, which ends
a process on the spot. Here it ends this one, within the memory that was granted.

Needs nothing of headtune: it starts in a fraction of a second.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from math import isfinite
from typing import Any

__all__: list[str] = []

N_FIRST = 200
MOST_WHOLE = 2**53
"""Whole numbers beyond it are not told apart by a workbook."""

Cell = str | float | bool | None


def plain(value: Any) -> Cell:
    """A cell as JSON has it; dates as ISO 8601 writes them, empty cells, errors and numbers that
    are none as None."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) <= MOST_WHOLE:
        return int(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return None if value == "" else value


def filled(sheet: Any, first_row: int) -> tuple[dict[int, dict[int, tuple[int, int]]], int]:
    """Row -> column -> the cell above that a merged one takes its value from, from a row on.

    Only downwards: a title over several columns is no value of them.
    """
    top, left = sheet.start or (0, 0)
    sources: dict[int, dict[int, tuple[int, int]]] = {}
    n_filled = 0
    for (start_row, start_column), (end_row, _) in sheet.merged_cell_ranges or ():
        row, column = start_row - top, start_column - left
        if row < first_row or not 0 <= column < sheet.width:
            continue
        for below in range(row + 1, min(end_row - top, sheet.height - 1) + 1):
            sources.setdefault(below, {})[column] = (row, column)
            n_filled += 1
    return sources, n_filled


class Sheet:
    """The cells of a sheet, from the first that is not empty on."""

    def __init__(self, sheet: Any) -> None:
        self._sheet, self.width = sheet, sheet.width
        self._sources: dict[int, dict[int, tuple[int, int]]] = {}
        self.n_merged = 0

    def fill_below(self, first_row: int) -> None:
        """Give merged cells their value in each row."""
        self._sources, self.n_merged = filled(self._sheet, first_row)

    def rows(self, first: int = 0) -> Iterator[tuple[int, list[Cell]]]:
        """Every row that is not empty from a place on, with its place."""
        kept: dict[tuple[int, int], Cell] = {}
        wanted = {place for row in self._sources.values() for place in row.values()}
        for place, values in enumerate(self._sheet.iter_rows()):
            row = [plain(value) for value in values]
            for column, source in self._sources.get(place, {}).items():
                row[column] = kept.get(source) if row[column] is None else row[column]
            for column, value in enumerate(row) if wanted else ():
                if (place, column) in wanted:
                    kept[place, column] = value
            if place >= first and any(value is not None for value in row):
                yield place, row


def kinds_of(rows: Iterator[tuple[int, list[Cell]]], width: int) -> list[str]:
    """What the cells of each column are: empty, truth, whole, number, or text for any mixture."""
    found: list[set[type]] = [set() for _ in range(width)]
    for _, row in rows:
        for types, value in zip(found, row, strict=True):
            types.add(type(value))
    names = {
        frozenset[type](): "empty",
        frozenset({bool}): "truth",
        frozenset({int}): "whole",
        frozenset({float}): "number",
        frozenset({int, float}): "number",
    }
    return [names.get(frozenset(types - {type(None)}), "text") for types in found]


def say(value: object) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(value, allow_nan=False) + "\n")


def limit(memory: int, seconds: int) -> None:
    """Let this process end before it takes more; where the system cannot, nothing is limited."""
    try:
        import resource
    except ImportError:
        return
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            continue


def main(path: str, memory: int, seconds: int) -> None:
    """Answer the parent."""
    limit(memory, seconds)
    import python_calamine as calamine

    book = calamine.CalamineWorkbook.from_path(path)
    visible = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == calamine.SheetTypeEnum.WorkSheet
        and sheet.visible == calamine.SheetVisibleEnum.Visible
    ]
    sheets = [Sheet(book.get_sheet_by_name(name)) for name in visible]
    firsts = [[row for _, row in islice(sheet.rows(), N_FIRST)] for sheet in sheets]
    say({"sheets": [{"name": n, "rows": r} for n, r in zip(visible, firsts, strict=True)]})
    sys.stdout.flush()
    if request := sys.stdin.readline():
        chosen = json.loads(request)
        send(sheets[chosen["sheet"]], chosen["skip"])


def send(sheet: Sheet, skip: int) -> None:
    """All rows but the first so many that are not empty."""
    first = next((place for place, _ in islice(sheet.rows(), skip, None)), 0)
    sheet.fill_below(first)
    say({"kinds": kinds_of(sheet.rows(first), sheet.width), "merged": sheet.n_merged})
    for _, row in sheet.rows(first):
        say(row)


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # noqa: BLE001  # whatever it is, the parent words it
        say({"error": type(error).__name__, "reason": " ".join(str(error).split())[:200]})
        sys.exit(1)
