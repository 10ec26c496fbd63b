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

A first record whose values occur again below is a row, not a header, with three exceptions: it
holds a name that is known (the options mention it, or the classifier was trained on it); it occurs
again as a whole, as headers do in files that were joined; or it is certain for another reason (its
names are all such as headers have, or one stands over numbers) and a cell happens to equal its
column's name.

It looks at the sample that ``format.py`` has parsed, from the first record that is no title
(``above.py``).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from headtune.data.reading.delimited.rows import Record, header_key
from headtune.data.reading.names import HEADER_NAMES, is_number, listed
from headtune.errors import DataError, option
from headtune.wording.numbers import count

__all__ = [
    "Header",
    "columns_below",
    "find_header",
    "holds_header_name",
    "is_header",
    "unique_names",
]

NUMBERINGS = ("", "id", "index", "row", "nr", "no", "no.", "number", "#")
"""First names that belong to numbers in front of the rows: R has none for them."""


MISSING_WORDS = ("na", "n/a", "nan", "none", "null", "-", "?", "unknown")
"""What may stand for a number that is missing: no name of a column of numbers."""

NOTHING_KNOWN: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Header:
    """Whether there is a header, the names of all columns, and what was found, in words.

    ``fields`` are those of the header as it stands in the file, none where there is no header.
    """

    is_there: bool
    names: tuple[str, ...]
    note: str
    fields: tuple[str, ...] = ()


def find_header(
    records: Sequence[Record],
    width: int,
    given: str,
    name: str,
    known: frozenset[str] = NOTHING_KNOWN,
) -> Header:
    """The header of the file ``name`` from its first records; ``given`` is --header.

    Without one there are ``width`` columns; ``known`` are names that some are likely to have.
    Raises ``DataError`` where no row fits it.
    """
    first, *others = records or [Record([""], [], quotes_work=True)]
    others = _without_repeats(first, others)
    usual = _usual(others)
    names = first.fields
    if not any(len(record.fields) == len(names) for record in others):
        names = _fitted(names, [record.fields for record in usual])
    fitting = [record for record in others if len(record.fields) == len(names)]
    columns = columns_below(fitting or usual)
    if not (is_header(names, columns, known) if given == "auto" else given == "yes"):
        return Header(False, tuple(f"column{i + 1}" for i in range(width)), "no header")
    if usual and not fitting:
        raise _unlike(name, first.fields, usual[0])
    return Header(True, unique_names(names), _note(first.fields, names), tuple(first.fields))


def columns_below(records: Sequence[Record]) -> list[tuple[str, ...]]:
    """The values of records of one width, by column."""
    return list(zip(*(record.fields for record in records), strict=True))


def _without_repeats(first: Record, others: list[Record]) -> list[Record]:
    """The other records without the header that joined files have in the middle.

    A row may be there twice, too: the first record is a header then if it has a name of headers,
    or if there are labels below, and what stands above them is none of them.
    """
    names = header_key(first.fields)
    rest = [record for record in others if header_key(record.fields) != names]
    if not rest or len(rest) == len(others):
        return others
    is_likely = holds_header_name(first.fields) or _is_over_labels(first, _usual(rest))
    return rest if is_likely else others


def _is_over_labels(first: Record, rows: Sequence[Record]) -> bool:
    pairs = list(zip(first.fields, columns_below(rows), strict=False))
    if any(name in column for name, column in pairs):
        return False
    return any(name.strip() and _repeats(column) for name, column in pairs)


def _repeats(values: Sequence[str]) -> bool:
    return len(values) >= 4 and 2 * len(set(values)) <= len(values)


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
        f"The header of {name} has {count(len(header), 'name')} ({listed(header)[:80]}), the "
        f"rows have {count(len(row.fields), 'field')}, such as {content!r}.",
        option="header",
        way_out=f"Give every column a name, or check {option('delimiter')} and "
        f"{option('quoting')}; if the first line is a row: {option('header', 'no')}",
    )


def is_header(
    first: Sequence[str], columns: Sequence[Sequence[str]], known: frozenset[str] = NOTHING_KNOWN
) -> bool:
    """Whether a first record names the columns below it (which may be none at all)."""
    names = [name.strip() for name in first]
    filled = [name for name in names if name]
    if not known.isdisjoint(filled):
        return True
    if not filled or any(map(is_number, filled)):
        return False
    if any(name in column for name, column in zip(names, columns, strict=False) if name):
        return _is_certain(names, columns)  # "ham" occurs again below: a value, as a rule
    if holds_header_name(filled):
        return True
    if len(set(filled)) < len(filled):
        return False
    return all(_reads_like_a_name(name) for name in filled) and (
        len(names) > 1 or re.fullmatch(r"[A-Za-z]+(_[A-Za-z]+)+", filled[0]) is not None
    )


def holds_header_name(fields: Sequence[str]) -> bool:
    """Whether a field is a name that headers have."""
    return any(_plain(name.strip()) in HEADER_NAMES for name in fields)


def _is_certain(names: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Whether names are a header though a cell below equals its column's."""
    pairs = [(name, column) for name, column in zip(names, columns, strict=False) if name]
    again = [(name, column) for name, column in pairs if name in column]
    if len(again) == len(pairs) or any(2 * c.count(name) >= len(c) > 2 for name, c in again):
        return False
    return all(_plain(name) in HEADER_NAMES for name, _ in pairs) or any(
        name.lower() not in MISSING_WORDS and _are_numbers(column) for name, column in pairs
    )


def _are_numbers(values: Sequence[str]) -> bool:
    filled = [value for value in map(str.strip, values) if value]
    return bool(filled) and all(map(is_number, filled))


def _reads_like_a_name(text: str) -> bool:
    return len(text) <= 40 and len(text.split()) <= 3 and text[-1] not in ".!?,;:"


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
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
