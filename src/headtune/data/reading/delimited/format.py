"""Finds how a delimited file is written: its delimiter, and whether quotes enclose.

Delimiter and quoting are found together, from the first 256 KiB. Each delimiter (comma, tab,
semicolon, bar) is tried both ways, with quotes that enclose fields and with quotes as ordinary
characters, and each try is scored by the share of its records that are *sound*: they have the
usual number of fields, and their quotes work out. A record is not sound if stray quotes have merged
rows: it has several lines, each of which would be a row by itself, with a value that other rows
have in that column. The delimiter with the highest share wins. For it, quotes enclose fields if
that share is at least as high as without, or if most records are enclosed. So the SMS Spam
Collection, whose messages hold stray quotes, keeps its quotes and its 5,574 rows (a plain reader of
quotes finds 5,572), and quoted line breaks stay in their fields elsewhere.

A first line ``sep=;``, which Excel reads and writes, says the delimiter and is skipped. Whether
there is a header, ``header.py`` finds.

Costs: the same whatever the file's size.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from headtune.data.reading.delimited.header import Header, find_header
from headtune.data.reading.delimited.rows import NO_DELIMITER, Record, parsed
from headtune.errors import ConfigError, option
from headtune.options import DataConfig

__all__ = ["CsvFormat", "find_format"]

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
SEPARATOR_LINE = re.compile(r'"?sep=([^\w"\r\n])"?[\r\n]*', re.IGNORECASE)
LEAST_SHARE = 0.5
"""Sound records that a delimiter needs; below it, the file has one column."""


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How a file is written.

    ``n_skipped`` lines come before all records; with ``said_so`` they name the delimiter.
    """

    delimiter: str
    quoted: bool
    header: Header
    n_skipped: int = 0
    said_so: bool = False

    @property
    def options(self) -> dict[str, str]:
        """The options of ``DataConfig`` that read the file so again, without looking; a tab by its
        name, since a command that is shown to people cannot tell it from spaces."""
        found = {
            "quoting": "quoted" if self.quoted else "none",
            "header": "yes" if self.header.is_there else "no",
        }
        if self.delimiter == NO_DELIMITER:
            return found
        return found | {"delimiter": "tab" if self.delimiter == "\t" else self.delimiter}

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found, in words."""
        if self.delimiter == NO_DELIMITER:
            separated = "one column"
        else:
            separated = f"{DELIMITERS.get(self.delimiter, repr(self.delimiter))}-separated"
        return (
            f"{separated} (the first line says so)" if self.said_so else separated,
            self.header.note,
            "quotes enclose fields" if self.quoted else "quotes are ordinary characters",
        )


@dataclass(frozen=True, slots=True)
class _Try:
    """One reading of the sample: the usual number of fields, and shares of its records."""

    delimiter: str
    quoted: bool
    records: list[Record]
    width: int
    sound: float
    enclosed: float


def find_format(
    lines: Sequence[str], config: DataConfig, name: str, suffix: str, *, is_whole: bool
) -> CsvFormat:
    """The format of the file ``name`` from its first lines; what ``config`` gives is taken so.

    ``is_whole`` says that there are no more lines; otherwise the last one may be cut short.
    Raises ``ConfigError`` on a delimiter that is none, ``DataError`` on a header that fits no row.
    """
    if not is_whole and len(lines) > 1:
        lines = lines[:-1]
    n_skipped, said_so = 0, False
    if lines and (said := SEPARATOR_LINE.fullmatch(lines[0])):
        lines, n_skipped, said_so = lines[1:], 1, config.delimiter in (None, said[1])
        config = replace(config, delimiter=config.delimiter or said[1])
    best = _best_try(lines, is_whole, config, suffix)
    header = find_header(best.records, best.width, config.header, name)
    return CsvFormat(best.delimiter, best.quoted, header, n_skipped, said_so)


def _best_try(lines: Sequence[str], is_whole: bool, config: DataConfig, suffix: str) -> _Try:
    if config.delimiter is not None:
        return _best_quoting(lines, is_whole, _given_delimiter(config.delimiter), config)
    tries = [_best_quoting(lines, is_whole, delimiter, config) for delimiter in DELIMITERS]
    if suffix == ".tsv":
        tries.sort(key=lambda found: found.delimiter != "\t")
    least = 0.9 if suffix == ".txt" else LEAST_SHARE  # lines of prose hold commas, too
    tries = [found for found in tries if found.width > 1 and found.sound >= least]
    if tries:
        return max(tries, key=lambda found: found.sound)
    return _best_quoting(lines, is_whole, NO_DELIMITER, config)


def _given_delimiter(delimiter: str) -> str:
    names = {name: character for character, name in DELIMITERS.items()} | {"\\t": "\t"}
    delimiter = names.get(delimiter, delimiter)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ConfigError(
            f"{option('delimiter')} takes one character, or {', '.join(names)}; received "
            f"{delimiter!r}.",
            option="delimiter",
            way_out="A quote or a line end cannot be one.",
        )
    return delimiter


def _best_quoting(lines: Sequence[str], is_whole: bool, delimiter: str, config: DataConfig) -> _Try:
    if config.quoting != "auto":
        return _try(lines, is_whole, delimiter, config.quoting == "quoted")
    quoted = _try(lines, is_whole, delimiter, True)
    if not any('"' in line for line in lines):
        return quoted  # what a file does that has its first quote further below
    plain = _try(lines, is_whole, delimiter, False)
    return quoted if quoted.sound >= plain.sound or quoted.enclosed > 0.5 else plain


def _try(lines: Sequence[str], is_whole: bool, delimiter: str, quoted: bool) -> _Try:
    records: list[Record] = []
    for record in parsed(lines, delimiter, quoted=quoted):
        if record.to_the_end and not is_whole:
            break  # it goes on below the sample
        if record.fields:
            records.append(record)
    widths = Counter(len(record.fields) for record in records if record.quotes_work)
    width = widths.most_common(1)[0][0] if widths else 1
    fitting = [r for r in records if r.quotes_work and len(r.fields) == width]
    sound = len(fitting) - _count_merged(fitting, delimiter, width)
    enclosed = sum(quoted and _is_enclosed(record, delimiter) for record in fitting)
    n = max(len(records), 1)
    return _Try(delimiter, quoted, records, width, sound / n, enclosed / n)


def _count_merged(records: Sequence[Record], delimiter: str, width: int) -> int:
    """Records of several lines that are rows in truth: each has a field known from its column."""
    several = [record for record in records if len(record.lines) > 1]
    if not several or width == 1:
        return 0
    known = [
        {value for value in column if value}
        for column in zip(*(r.fields for r in records if len(r.lines) == 1), strict=True)
    ]
    return sum(
        all(_is_row(line.rstrip("\r\n").split(delimiter), known, width) for line in record.lines)
        for record in several
    )


def _is_row(fields: Sequence[str], known: Sequence[set[str]], width: int) -> bool:
    return len(fields) == width and any(
        field in values for field, values in zip(fields, known, strict=False)
    )


def _is_enclosed(record: Record, delimiter: str) -> bool:
    first = record.lines[0]
    return first.startswith('"') or f'{delimiter}"' in first
