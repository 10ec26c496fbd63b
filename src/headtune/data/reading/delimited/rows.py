"""Lines to the fields of records, broken records told apart instead of ending the reading.

The csv module splits the records, by a ``Dialect``. Where quotes enclose fields, a record may take
several lines, and one stray quote can swallow all that follows. Hence a record whose quotes do not
work out (never closed, or text right after a closing quote) is taken back: its first line alone is
read again with quotes as ordinary characters, and reading goes on at its second line. So a stray
quote costs no row but its own, and often not even that one.

A record of more than 10,000 lines counts as one whose quotes do not work out, which bounds memory.

Files joined by ``cat`` have their header in the middle once more: it is set aside, whatever its
quotes, case or byte order mark. If it names the columns in another order, the rows below it are
put into the first order.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from headtune.data.reading.delimited.dialect import Dialect
from headtune.data.reading.names import HEADER_NAMES, LABEL_NAMES, TEXT_NAMES
from headtune.data.reading.opening.decode import unreadable, written_out
from headtune.data.reading.table import Broken

__all__ = ["Record", "header_key", "parsed", "records"]

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

    def given_up(self, *, keep_all: bool) -> list[str]:
        """The first of the taken lines; the others are given back, to be read again.

        All of them with ``keep_all``: where escaped line ends alone have joined them, each of them
        would be joined with the same lines once more.
        """
        if keep_all:
            return list(self.taken)
        first, *others = self.taken
        self._returned.extendleft(reversed(others))
        return [first]

    def changed(self, line: str) -> str:
        """A line as the csv module sees it."""
        return line


class _ChangedLines(_Lines):
    """The same without comments, each line as the dialect has it for the csv module."""

    def __init__(self, lines: Iterable[str], dialect: Dialect) -> None:
        super().__init__(lines)
        self._comment = dialect.comment
        self._change = dialect.change()

    def __next__(self) -> str:
        line = super().__next__()
        while self._comment is not None and len(self.taken) == 1 and line.startswith(self._comment):
            self.taken.clear()
            line = super().__next__()
        return self.changed(line)

    def changed(self, line: str) -> str:
        return line if self._change is None else self._change(line)


def parsed(lines: Iterable[str], dialect: Dialect) -> Iterator[Record]:
    """Every record, blank lines included (no fields)."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)  # the csv module has one limit for all, 131,072
    is_plain = dialect.comment is None and dialect.change() is None
    source = _Lines(lines) if is_plain else _ChangedLines(lines, dialect)
    reader = csv.reader(
        source,
        delimiter=dialect.character,
        quotechar=dialect.quote or '"',
        escapechar=dialect.escape,
        quoting=csv.QUOTE_NONE if dialect.quote is None else csv.QUOTE_MINIMAL,
        strict=True,
    )
    found = _read(source, reader, dialect)
    if not dialect.is_translated:
        return found
    return (record._replace(fields=dialect.restored(record.fields)) for record in found)


def _read(source: _Lines, reader: Iterator[list[str]], dialect: Dialect) -> Iterator[Record]:
    while True:
        source.taken = []
        try:
            yield Record(next(reader), source.taken, quotes_work=True)
        except StopIteration:
            return
        except csv.Error:
            for line in source.given_up(keep_all=dialect.quote is None):
                plain = csv.reader(
                    [source.changed(line)], delimiter=dialect.character, quoting=csv.QUOTE_NONE
                )
                yield Record(next(plain), [line], quotes_work=False, to_the_end=source.at_end)


def records(
    lines: Iterable[str],
    dialect: Dialect,
    width: int,
    header: Sequence[str] = (),
    *,
    ends_empty: bool = False,
) -> Iterator[list[str] | Broken]:
    """The fields of each record, ``width`` of them, or why it is broken.

    Blank lines are skipped. In a table of one column a blank line is an empty text, unless it is
    in front of all others. ``header`` has the fields of the header, if there is one: the first
    record is it then, and any like it below is broken. With ``ends_empty`` empty fields at the end
    of a row are dropped where it has too many.
    """
    has_begun = False
    is_header, likely = _header_test(header), _spellings(header)
    again = f"the header {'again' if header else 'of another file'}"
    order: list[int] | None = None
    for record in parsed(lines, dialect):
        fields = record.fields
        if not fields:
            if width > 1 or not has_begun:
                continue
            fields = [""]
        if not has_begun:
            has_begun, likely = True, likely or _spellings(HEADER_NAMES)
        elif (fields[-1] in likely or len(fields) != width) and is_header(fields):
            order = _order(header, fields)
            yield Broken(again if order is None else f"{again}{OTHER_ORDER}", _content(record))
            continue
        if reason := unreadable(record.lines):
            yield Broken(reason, written_out(_content(record)))
        elif len(fields) == width:
            yield fields if order is None else [fields[position] for position in order]
        elif ends_empty and len(fields) > width and not any(fields[width:]):
            yield fields[:width]
        else:
            yield Broken(_reason(record, width), _content(record))


OTHER_ORDER = ", in another order, which the rows below it have"


def header_key(fields: Sequence[str]) -> list[str]:
    """Names of a header without what differs where files are joined: quotes, case, marks."""
    names = list(map(_plain_name, fields))
    while names and not names[-1]:
        del names[-1]
    return names


def _plain_name(field: str) -> str:
    return field.strip("\ufeff \t\r\n\"'").casefold()


def _header_test(header: Sequence[str]) -> Callable[[Sequence[str]], bool]:
    """Whether fields are the header once more: its names, in any order if each is there once.

    A table without one has the header of another file where all are names that headers have, of
    a text and of a label among them.
    """
    if not header:
        return _is_any_header
    names = header_key(header)
    is_permutable = len(set(names)) == len(names) == len(header) and "" not in names

    def is_header(fields: Sequence[str]) -> bool:
        found = header_key(fields)
        return found == names or (is_permutable and sorted(found) == sorted(names))

    return is_header


def _is_any_header(fields: Sequence[str]) -> bool:
    names = set(header_key(fields))
    return (
        len(fields) > 1
        and names <= HEADER_NAMES
        and any(names & set(group) for group in TEXT_NAMES)
        and any(names & set(group) for group in LABEL_NAMES)
    )


def _spellings(names: Iterable[str]) -> frozenset[str]:
    """How the last name of a header may be written: one look-up at every row costs little."""
    plain = {_plain_name(name) for name in names}
    cased = {spelt for name in plain for spelt in (name, name.upper(), name.title())}
    cased |= {name.capitalize() for name in plain} | {name.strip() for name in names}
    enclosed = {f"{quote}{name}{quote}" for name in cased for quote in ("", '"', "'")}
    return frozenset(
        f"{before}{name}{after}"
        for name in enclosed
        for before in ("", " ", "\ufeff")
        for after in ("", " ")
    )


def _order(header: Sequence[str], fields: Sequence[str]) -> list[int] | None:
    """For each column its position in the rows below ``fields``; None where it is the same."""
    names, found = header_key(header), header_key(fields)
    if not names or names == found:
        return None
    return [found.index(name) for name in names]


def _content(record: Record) -> str:
    return "".join(record.lines).strip()


def _reason(record: Record, width: int) -> str:
    found = "1 field" if len(record.fields) == 1 else f"{len(record.fields)} fields"
    expected = f"{found} where {width} {'is' if width == 1 else 'are'} expected"
    return expected if record.quotes_work else f"{expected}, and a quote that is not closed"
