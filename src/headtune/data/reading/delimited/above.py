"""Finds the lines above a header that are no part of the table: titles, dates, empty lines.

Spreadsheets and reporting tools write such: ``Quarterly export,`` and ``,`` (one cell is filled, or
none), or a line without any delimiter. They are left out only if a header follows, and none of
them could be a row:

- a line of at most one filled field, where rows have more, is a title;
- where the header that follows holds a name of headers (text, label, …), or one that is known, a
  line of another number of fields is one, too, and one of the same number if no value of it occurs
  below.

Otherwise nothing is left out here, and lines that fit no row are set aside under their numbers.

It looks at the first records of the sample, at most 15 of which can be above the header.
"""

from collections.abc import Sequence

from headtune.data.reading.delimited.header import (
    columns_below,
    holds_header_name,
    is_header,
)
from headtune.data.reading.delimited.rows import Record, header_key
from headtune.data.reading.names import is_number

__all__ = ["is_sparse", "n_above"]

MOST_ABOVE = 15
MOST_FULL = 1
"""Lines above a header that may have as many fields as rows."""


def is_sparse(record: Record) -> bool:
    """Whether at most one field is filled."""
    return sum(bool(field.strip()) for field in record.fields) <= 1


def n_above(records: Sequence[Record], width: int, known: frozenset[str]) -> int:
    """How many of the first records stand above the header; 0 where that cannot be told."""
    n_full = 0
    if width < 2 or not records or _is_named(records[0], known, least=2):
        return 0
    for n, record in enumerate(records[1 : MOST_ABOVE + 1], start=1):
        if len(record.fields) != width or is_sparse(record):
            continue
        below = _rows_below(record, records[n + 1 :])
        if below and _is_below_titles(record, records[:n], below, known):
            return n
        n_full += 1
        if all(map(is_sparse, records[:n])) or n_full > MOST_FULL:
            return 0  # rows, and no header above them
    return 0


def _rows_below(record: Record, others: Sequence[Record]) -> list[Record]:
    """Those of the same width, without the header once more."""
    names = header_key(record.fields)
    fitting = (r for r in others if r.quotes_work and len(r.fields) == len(record.fields))
    return [row for row in fitting if header_key(row.fields) != names]


def _is_named(record: Record, known: frozenset[str], least: int = 1) -> bool:
    """Whether at least so many fields are filled, and one is a name of headers or known."""
    names = {field.strip() for field in record.fields} - {""}
    return len(names) >= least and (holds_header_name(list(names)) or not known.isdisjoint(names))


def _is_below_titles(
    record: Record, above: Sequence[Record], below: Sequence[Record], known: frozenset[str]
) -> bool:
    columns = columns_below(below)
    if not is_header(record.fields, columns, known):
        return False
    if not _is_named(record, known):
        return all(map(is_sparse, above)) and any(map(_has_labels, columns))
    return all(is_sparse(title) or not _is_row(title, columns) for title in above)


def _has_labels(values: Sequence[str]) -> bool:
    return len(values) >= 4 and 2 * len(set(values)) <= len(values)


def _is_row(title: Record, columns: Sequence[Sequence[str]]) -> bool:
    return len(title.fields) == len(columns) and any(
        field.strip() and (field in column or (is_number(field) and all(map(is_number, column))))
        for field, column in zip(title.fields, columns, strict=True)
    )
