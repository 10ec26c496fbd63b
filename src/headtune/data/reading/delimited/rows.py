"""Lines to the fields of records, broken records told apart instead of ending the reading.

The csv module splits the records. Where quotes enclose fields, a record may take several lines,
and one stray quote can swallow all that follows. Hence a record whose quotes do not work out
(never closed, or text right after a closing quote) is taken back: its first line alone is read
again with quotes as ordinary characters, and reading goes on at its second line. So a stray quote
costs no row but its own, and often not even that one.

A record of more than 10,000 lines counts as one
whose quotes do not work out, which bounds memory.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from headtune.data.reading.opening.decode import unreadable, written_out
from headtune.data.reading.table import Broken

__all__ = ["NO_DELIMITER", "Record", "parsed", "records"]

NO_DELIMITER = "\x1f"
"""Stands for "one column": the unit separator, which occurs in no text file."""

MAX_RECORD_LINES = 10_000
MAX_FIELD_CHARACTERS = 2**31 - 1


class Record(NamedTuple):  # made for every row: a dataclass takes three times as long
    """The fields of a record, the lines it took, and whether its quotes worked out.

    ``to_the_end``: they did not, up to the last line there is.
    """

    fields: list[str]
    lines: list[str]
    quotes_work: bool
    to_the_end: bool = False


class _Lines:
    """Lines for the csv module, those of the current record kept so they can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._returned: deque[str] = deque()
        self.taken: list[str] = []
        self.at_end = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MAX_RECORD_LINES:
            raise csv.Error("a quote that is not closed")
        try:
            line = self._returned.popleft() if self._returned else next(self._lines)
        except StopIteration:
            self.at_end = True
            raise
        self.taken.append(line)
        return line

    def give_back(self) -> str:
        """All taken lines but the first, which is returned."""
        first, *others = self.taken
        self._returned.extendleft(reversed(others))
        return first


def parsed(lines: Iterable[str], delimiter: str, *, quoted: bool) -> Iterator[Record]:
    """Every record, blank lines included (no fields)."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)  # the csv module has one limit for all, 131,072
    source = _Lines(lines)
    reader = csv.reader(
        source,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        source.taken = []
        try:
            yield Record(next(reader), source.taken, quotes_work=True)
        except StopIteration:
            return
        except csv.Error:
            first = source.give_back()
            plain = csv.reader([first], delimiter=delimiter, quoting=csv.QUOTE_NONE)
            yield Record(next(plain), [first], quotes_work=False, to_the_end=source.at_end)


def records(
    lines: Iterable[str], delimiter: str, *, quoted: bool, width: int
) -> Iterator[list[str] | Broken]:
    """The fields of each record, ``width`` of them, or why it is broken.

    Blank lines are skipped. In a table of one column a blank line is an empty text, unless it is
    in front of all others.
    """
    has_begun = False
    for record in parsed(lines, delimiter, quoted=quoted):
        fields = record.fields
        if not fields:
            if width > 1 or not has_begun:
                continue
            fields = [""]
        has_begun = True
        if reason := unreadable(record.lines):
            yield Broken(reason, written_out("".join(record.lines)).strip())
        elif len(fields) == width:
            yield fields
        else:
            yield Broken(_reason(record, width), "".join(record.lines).strip())


def _reason(record: Record, width: int) -> str:
    found = "1 field" if len(record.fields) == 1 else f"{len(record.fields)} fields"
    expected = f"{found} where {width} {'is' if width == 1 else 'are'} expected"
    return expected if record.quotes_work else f"{expected}, and a quote that is not closed"
