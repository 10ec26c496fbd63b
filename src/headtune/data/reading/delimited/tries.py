"""Tries to read a sample in many dialects, and finds the one whose records work out.

A try is scored by the share of its records that are *sound*: they have the usual number of fields,
and their quotes work out. A record is not sound if stray quotes have merged rows: it has several
lines, each of which would be a row by itself, with a value that other rows have in that column.
The delimiter with the highest share wins.

For a delimiter, quotes enclose fields if that share is at least as high as without, or if most
records are enclosed. Other ways to quote are tried only where the sample has their traces, and win
with a higher share, or with the same where they are evident: most records are enclosed by single
quotes, or fields have quotes inside, all of which are doubled or escaped.

    \\"          a quote that is escaped by a backslash, within fields
    \\,          a delimiter that is, where nothing encloses
    ,'…',       single quotes as quotes

Lines of at most one filled field in front of all others are titles (above.py) and do not count,
unless two delimiters are equal: then the one wins for which they are rows.

Costs: one parse of the sample a try, up to thirty of them where a sample has traces of everything.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from headtune.data.reading.delimited.above import MOST_ABOVE, is_sparse
from headtune.data.reading.delimited.candidates import is_part_of, long_delimiters
from headtune.data.reading.delimited.dialect import (
    DELIMITERS,
    NO_DELIMITER,
    Dialect,
    check_together,
    given_delimiter,
)
from headtune.data.reading.delimited.rows import Record, parsed
from headtune.options import DataConfig

__all__ = ["Sample", "Try", "best_try"]

LEAST_SHARE = 0.5
"""Sound records that a delimiter needs; below it, the file has one column."""

LEAST_SHARE_OF_PROSE = 0.9
"""The same in ``.txt``, since lines of prose hold commas, too; and for unusual delimiters."""

MOST_WIDTHS = 5
"""Numbers of fields below the usual one that are looked at."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The first lines of a file, its suffix, and whether they are all there is."""

    lines: Sequence[str]
    suffix: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Try:
    """One reading of the sample: the usual number of fields, and shares of its records.

    ``of_all`` counts titles as records that do not work out. With ``ends_empty`` some rows have
    empty fields too many at their end.
    """

    dialect: Dialect
    records: list[Record]
    width: int
    sound: float
    of_all: float
    enclosed: float
    ends_empty: bool


def best_try(sample: Sample, config: DataConfig, comment: str | None) -> Try:
    """The reading that works out best among those that ``config`` leaves open.

    Raises ``ConfigError`` on a delimiter that is none.
    """
    if config.delimiter is not None:
        delimiter = given_delimiter(config.delimiter)
        if delimiter == " ":
            return _by_space(sample, config, comment)
        return _best_quoting(sample, delimiter, config, comment)
    tries = [_best_quoting(sample, delimiter, config, comment) for delimiter in DELIMITERS]
    if sample.suffix == ".tsv":
        tries.sort(key=lambda found: found.dialect.delimiter != "\t")
    least = LEAST_SHARE_OF_PROSE if sample.suffix == ".txt" else LEAST_SHARE
    tries = [found for found in tries if found.width > 1 and found.sound >= least]
    best = max(tries, key=lambda found: (found.sound, found.of_all), default=None)
    return (
        _by_long_delimiter(sample, config, comment, best)
        or best
        or _by_quoted_space(sample, config, comment)
        or _best_quoting(sample, NO_DELIMITER, config, comment)
    )


def _by_long_delimiter(
    sample: Sample, config: DataConfig, comment: str | None, best: Try | None
) -> Try | None:
    """The reading by a delimiter of several characters, where one is evident."""
    single = "" if best is None or best.sound < LEAST_SHARE_OF_PROSE else best.dialect.delimiter
    delimiters = long_delimiters(sample.lines)
    tries = [_best_quoting(sample, delimiter, config, comment) for delimiter in delimiters]
    least = best.sound if best is not None and single else LEAST_SHARE_OF_PROSE
    width = best.width if best is not None and single else 1
    tries = [
        t
        for t in tries
        if t.width > 1
        and t.sound >= least
        and (t.width > width or is_part_of(single, t.dialect.delimiter, sample.lines))
    ]
    return max(tries, key=lambda found: found.sound, default=None)


def _by_space(sample: Sample, config: DataConfig, comment: str | None) -> Try:
    """A space between fields that quotes enclose; otherwise, the first space of each line."""
    quoted = _by_quoted_space(sample, config, comment)
    if quoted is not None or config.quoting == "quoted":
        return quoted or _best_quoting(sample, " ", config, comment)
    return _try(sample, Dialect(" ", None, None, comment))


def _by_quoted_space(sample: Sample, config: DataConfig, comment: str | None) -> Try | None:
    if config.quoting == "none":
        return None
    found = _best_quoting(sample, " ", replace(config, quoting="quoted"), comment)
    is_evident = found.width > 1 and found.sound >= LEAST_SHARE_OF_PROSE and found.enclosed > 0.5
    return found if is_evident else None


def _best_quoting(sample: Sample, delimiter: str, config: DataConfig, comment: str | None) -> Try:
    dialects = list(_dialects(sample, delimiter, config, comment))
    check_together(dialects[0], config)
    best, *others = (_try(sample, dialect) for dialect in dialects)
    for found in others:
        best = (
            found if _is_better(found, best, sample, is_first=best.dialect == dialects[0]) else best
        )
    return best


def _is_better(found: Try, best: Try, sample: Sample, *, is_first: bool) -> bool:
    """Whether another way to quote replaces the best so far, which may be the first of all."""
    if found.dialect.quote is None and is_first and best.enclosed > 0.5:
        return False
    if found.sound != best.sound:
        return found.sound > best.sound
    if found.dialect.quote == "'" and found.enclosed > 0.5:
        return True
    return found.dialect.quote is not None and _is_marked_inside(sample, found.dialect)


def _is_marked_inside(sample: Sample, dialect: Dialect) -> bool:
    """Whether there are quotes inside of fields, and all are doubled or escaped."""
    quote, edge = re.escape(dialect.quote or ""), re.escape(dialect.delimiter)
    at_edges = re.compile(rf"(?:^|(?<={edge})){quote}|{quote}(?={edge}|\r?$)", re.MULTILINE)
    inside = at_edges.sub("", "".join(sample.lines))
    n_inside = inside.count(dialect.quote or "")
    if dialect.escape is not None:
        return 0 < n_inside == inside.count(f"{dialect.escape}{dialect.quote}")
    return 0 < n_inside == 2 * inside.count(2 * (dialect.quote or ""))


def _dialects(
    sample: Sample, delimiter: str, config: DataConfig, comment: str | None
) -> Iterator[Dialect]:
    """The ways to quote that are worth a try, the most likely first."""
    text = "".join(sample.lines)
    quotes = [config.quote or '"']
    if config.quote is None and _has_single_quotes(text, delimiter):
        quotes.append("'")
    escape = config.escape
    if config.quoting != "none":
        yield Dialect(delimiter, quotes[0], escape, comment)
    if config.quoting == "none" or (config.quoting == "auto" and _may_be_plain(text, config)):
        yield Dialect(delimiter, None, escape, comment)
        if escape is None and config.quoting == "auto" and f"\\{delimiter}" in text:
            yield Dialect(delimiter, None, "\\", comment)
    if config.quoting == "none":
        return
    for quote in quotes:
        if quote != quotes[0]:
            yield Dialect(delimiter, quote, escape, comment)
        if escape is None and f"\\{quote}" in text:
            yield Dialect(delimiter, quote, "\\", comment)


def _may_be_plain(text: str, config: DataConfig) -> bool:
    """Without a quote it is read as what it is where its first one is further below."""
    return config.quote is None and ('"' in text or "\\" in text)


def _has_single_quotes(text: str, delimiter: str) -> bool:
    """Whether fields begin and end with single quotes, somewhere."""
    edge = re.escape(delimiter)
    begins = re.search(rf"(?:^|{edge})'", text, re.MULTILINE)
    return begins is not None and re.search(rf"'(?:{edge}|\r?$)", text, re.MULTILINE) is not None


def _try(sample: Sample, dialect: Dialect) -> Try:
    records: list[Record] = []
    for record in parsed(sample.lines, dialect):
        if record.to_the_end and not sample.is_whole:
            break  # it goes on below the sample
        if record.fields:
            records.append(record)
    body = records if sample.suffix == ".txt" else records[_n_titles(records) :]
    width = _usual_width(body)
    n_longer = sum(_ends_empty(record, width) for record in body)
    if ends_empty := n_longer >= 2 and 20 * n_longer >= len(body):
        records = [_shortened(record, width) for record in records]
        body = records[len(records) - len(body) :]
    fitting = [r for r in body if r.quotes_work and len(r.fields) == width]
    sound = len(fitting) - _count_merged(fitting, dialect, width)
    enclosed = sum(_is_enclosed(record, dialect) for record in fitting)
    n, n_all = max(len(body), 1), max(len(records), 1)
    return Try(dialect, records, width, sound / n, sound / n_all, enclosed / n, ends_empty)


def _n_titles(records: Sequence[Record]) -> int:
    """Records in front of all others that may be titles, if these are twice as many."""
    for n, record in enumerate(records[:MOST_ABOVE]):
        if not is_sparse(record):
            return n if 3 * n <= len(records) else 0
    return 0


def _usual_width(body: Sequence[Record]) -> int:
    """The most frequent number of fields, without empty ones at the end that some rows lack.

    A header alone may lack one: it has no name for the last column then.
    """
    working = [record for record in body if record.quotes_work]
    widths = Counter(len(record.fields) for record in working)
    if not widths:
        return 1
    usual = widths.most_common(1)[0][0]
    of_header = len(body[0].fields)
    for width in sorted(w for w in widths if 1 < w < usual)[:MOST_WIDTHS]:
        n_short = widths[width] - (of_header == width == usual - 1)
        is_shorter = n_short >= 2 or of_header == width < usual - 1
        if is_shorter and not any(any(record.fields[width:]) for record in working):
            return width
    return usual


def _ends_empty(record: Record, width: int) -> bool:
    return record.quotes_work and len(record.fields) > width > 1 and not any(record.fields[width:])


def _shortened(record: Record, width: int) -> Record:
    return record._replace(fields=record.fields[:width]) if _ends_empty(record, width) else record


def _count_merged(records: Sequence[Record], dialect: Dialect, width: int) -> int:
    """Records of several lines that are rows in truth: each has a field known from its column."""
    several = [record for record in records if len(record.lines) > 1]
    if not several or width == 1:
        return 0
    known = [
        {value for value in column if value}
        for column in zip(*(r.fields for r in records if len(r.lines) == 1), strict=True)
    ]
    return sum(
        all(_is_row(line, dialect.delimiter, known, width) for line in record.lines)
        for record in several
    )


def _is_row(line: str, delimiter: str, known: Sequence[set[str]], width: int) -> bool:
    fields = line.rstrip("\r\n").split(delimiter)
    return len(fields) == width and any(
        field in values for field, values in zip(fields, known, strict=False)
    )


def _is_enclosed(record: Record, dialect: Dialect) -> bool:
    quote = dialect.quote
    if quote is None:
        return False
    first = record.lines[0]
    return first.startswith(quote) or f"{dialect.delimiter}{quote}" in first
