"""Finds whether a delimited file has a header, and names its columns.

The first record is a header when it holds a name that headers hold (text, label, id, …), or reads
like names and unlike the column below it; ``_is_header`` has the rules.

A header may have one name more or less than the rows have fields where no row has as many, and the
reason can be seen:

    text,label,        an empty name at the end, for which the rows have no field: it is dropped
    hello,ham,         an empty field at the end of every row: a last column without a name
    17,hello,ham       a number in front of every row, none of them twice, as R writes row names
                       into a table: a first column without a name

A column without a name is called by its position, ``column3``. Any other difference is an error if
no row fits the header.

It looks at the sample that ``format.py`` has parsed.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from headtune.data.reading.delimited.rows import Record
from headtune.data.reading.names import HEADER_NAMES, is_number
from headtune.errors import DataError, option
from headtune.wording.numbers import count

__all__ = ["Header", "find_header"]

NUMBERINGS = ("", "id", "index", "row", "nr", "no", "no.", "number", "#")
"""First names that belong to numbers in front of the rows: R has none for them."""


@dataclass(frozen=True, slots=True)
class Header:
    """Whether there is a header, the names of all columns, and what was found, in words."""

    is_there: bool
    names: tuple[str, ...]
    note: str


def find_header(records: Sequence[Record], width: int, given: str, name: str) -> Header:
    """The header of the file ``name`` from its first records; ``given`` is --header.

    Without one there are ``width`` columns. Raises ``DataError`` where no row fits it.
    """
    first, *others = records or [Record([""], [], quotes_work=True)]
    usual = _usual(others)
    names = first.fields
    if not any(len(record.fields) == len(names) for record in others):
        names = _fitted(names, [record.fields for record in usual])
    fitting = [record for record in others if len(record.fields) == len(names)]
    columns = list(zip(*(record.fields for record in fitting or usual), strict=True))
    if not (_is_header(names, columns) if given == "auto" else given == "yes"):
        return Header(False, tuple(f"column{i + 1}" for i in range(width)), "no header")
    if usual and not fitting:
        raise _unlike(name, first.fields, usual[0])
    return Header(True, _unique(names), _note(first.fields, names))


def _usual(records: Sequence[Record]) -> list[Record]:
    """Those of the most frequent number of fields."""
    sound = [record for record in records if record.quotes_work]
    widths = Counter(len(record.fields) for record in sound).most_common(1)
    return [record for record in sound if len(record.fields) == widths[0][0]]


def _fitted(names: list[str], rows: Sequence[list[str]]) -> list[str]:
    """A name for each field of the rows, empty where the header has none; see above."""
    more = len(rows[0]) - len(names) if rows else 0
    if more == -1 and not names[-1].strip():
        return names[:-1]
    if more == 1 and not any(row[-1].strip() for row in rows):
        return [*names, ""]
    if more == 1 and _plain(names[0].strip()) not in NUMBERINGS and _are_numbered(rows):
        return ["", *names]
    return names


def _are_numbered(rows: Sequence[list[str]]) -> bool:
    numbers = [row[0].strip() for row in rows]
    return 1 < len(rows) == len(set(numbers)) and all(map(str.isdecimal, numbers))


def _note(header: Sequence[str], names: Sequence[str]) -> str:
    if len(names) <= len(header):
        return "header"
    place = 1 if names[0] != header[0] else len(names)
    which = "first" if place == 1 else "last"
    return f"header without a name for the {which} column (here column{place})"


def _unlike(name: str, header: Sequence[str], row: Record) -> DataError:
    content = "".join(row.lines).strip()[:80]
    return DataError(
        f"The header of {name} has {count(len(header), 'name')} ({', '.join(header)[:80]}), the "
        f"rows have {count(len(row.fields), 'field')}, such as {content!r}.",
        option="header",
        way_out=f"Give every column a name, or check {option('delimiter')} and "
        f"{option('quoting')}; if the first line is a row: {option('header', 'no')}",
    )


def _is_header(first: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Whether a first record names the columns below it (which may be none at all)."""
    names = [name.strip() for name in first]
    filled = [name for name in names if name]
    if not filled or any(map(is_number, filled)):
        return False
    if any(name in column for name, column in zip(names, columns, strict=False) if name):
        return False  # "ham" occurs again below: a value
    if any(_plain(name) in HEADER_NAMES for name in filled):
        return True
    if len(set(filled)) < len(filled):
        return False
    return all(_reads_like_a_name(name) for name in filled) and (
        len(names) > 1 or re.fullmatch(r"[A-Za-z]+(_[A-Za-z]+)+", filled[0]) is not None
    )


def _reads_like_a_name(text: str) -> bool:
    return len(text) <= 40 and len(text.split()) <= 3 and text[-1] not in ".!?,;:"


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Header names stripped, numbered where one is empty or was there before."""
    result: dict[str, None] = {}
    number: dict[str, int] = {}  # from which on a name may be free
    for position, name in enumerate(names, start=1):
        unique = name = name.strip() or f"column{position}"
        n = number.get(name, 2)
        while unique in result:
            unique, n = f"{name}_{n}", n + 1
        number[name] = n
        result[unique] = None
    return tuple(result)
