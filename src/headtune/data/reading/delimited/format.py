"""Finds how a delimited file is written: its dialect, what stands above its header, its header.

From the first 256 KiB, in this order:

1. lines above all others that ``skip_lines`` leaves out, or a first line ``sep=;``, which Excel
   reads and writes: it says the delimiter and is skipped;
2. comments: lines that begin with ``#``, of which none can be a row (``_comment``);
3. delimiter and quotes, found together by how many records work out (``tries.py``). So the SMS
   Spam Collection, whose messages hold stray quotes, keeps its quotes and its 5,574 rows (a plain
   reader of quotes finds 5,572), and quoted line breaks stay in their fields elsewhere;
4. titles above the header (``above.py``), and whether there is one (``header.py``).

Whatever ``DataConfig`` gives is taken so; what was found is said in words, and as the options that
find it again.

Costs: the same whatever the file's size.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from headtune.data.reading.delimited.above import n_above
from headtune.data.reading.delimited.dialect import Dialect
from headtune.data.reading.delimited.header import (
    Header,
    columns_below,
    find_header,
    holds_header_name,
    is_header,
)
from headtune.data.reading.delimited.known import known_names
from headtune.data.reading.delimited.rows import Record, parsed
from headtune.data.reading.delimited.tries import Sample, Try, best_try
from headtune.options import DataConfig
from headtune.wording.numbers import count

__all__ = ["CsvFormat", "find_format"]

SEPARATOR_LINE = re.compile(r'"?sep=([^\w"\r\n])"?[\r\n]*', re.IGNORECASE)
COMMENT = "#"
COMMENT_LINE = re.compile(r"#+(?:\s|$)")


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How a file is written.

    ``n_skipped`` lines come before all records: one that names the delimiter with ``said_so``,
    ``above`` are the others. With ``ends_empty`` rows may have empty fields too many at their end.
    """

    dialect: Dialect
    header: Header
    n_skipped: int = 0
    said_so: bool = False
    above: tuple[str, ...] = ()
    ends_empty: bool = False

    @property
    def options(self) -> dict[str, str | int]:
        """The options of ``DataConfig`` that read the file so again, without looking."""
        found: dict[str, str | int] = {
            **self.dialect.options,
            "header": "yes" if self.header.is_there else "no",
        }
        return found | ({"skip_lines": self.n_skipped} if self.above else {})

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found, in words."""
        separated, comment = self.dialect.separated, self.dialect.comment
        notes = [
            f"{separated} (the first line says so)" if self.said_so else separated,
            self.header.note,
            self.dialect.enclosed,
        ]
        if self.above:
            first = next((line.strip() for line in self.above if line.strip(" ,;|\t\r\n")), "")
            notes.append(
                f"{count(len(self.above), 'line')} above the "
                f"{'header' if self.header.is_there else 'rows'} left out ({first[:60]!r})"
            )
        if comment is not None:
            notes.append(f"lines that begin with {comment.strip()} are comments, and left out")
        if self.ends_empty:
            notes.append("empty fields too many at the end of rows are dropped")
        return tuple(notes)


def find_format(
    lines: Sequence[str], config: DataConfig, name: str, suffix: str, *, is_whole: bool
) -> CsvFormat:
    """The format of the file ``name`` from its first lines; what ``config`` gives is taken so.

    ``is_whole`` says that there are no more lines; otherwise the last one may be cut short.
    Raises ``ConfigError`` on a delimiter that is none, ``DataError`` on a header that fits no row.
    """
    if not is_whole and len(lines) > 1:
        lines = lines[:-1]
    n_given = config.skip_lines or 0
    top, lines = lines[:n_given], lines[n_given:]
    said_so, has_line = False, False
    if not top and lines and (said := SEPARATOR_LINE.fullmatch(lines[0])):
        lines, has_line, said_so = lines[1:], True, config.delimiter in (None, said[1])
        config = replace(config, delimiter=config.delimiter or said[1])
    known = known_names(config)
    best = _commented(Sample(lines, suffix, is_whole), config, known)
    records = best.records
    n_titles = 0
    if config.skip_lines is None and config.header != "no":
        n_titles = n_above(records, best.width, known)
    above = _lines_above(lines, best, n_titles)
    header = find_header(records[n_titles:], best.width, config.header, name, known)
    return CsvFormat(
        dialect=best.dialect,
        header=header,
        n_skipped=has_line + len(top) + len(above),
        said_so=said_so,
        above=(*top, *above),
        ends_empty=best.ends_empty,
    )


def _lines_above(lines: Sequence[str], best: Try, n_titles: int) -> Sequence[str]:
    """The lines before the first record that is no title."""
    if not n_titles:
        return ()
    n_lines = lines.index(best.records[n_titles].lines[0])
    return lines[:n_lines]


def _commented(sample: Sample, config: DataConfig, known: frozenset[str]) -> Try:
    """The best reading of the sample, without its comments if it has some."""
    if config.comment is not None:
        return best_try(sample, config, config.comment)
    if not any(line.startswith(COMMENT) for line in sample.lines):
        return best_try(sample, config, None)
    without = best_try(sample, config, COMMENT)
    comment = _comment(sample, without, known)
    if comment is None:
        return best_try(sample, config, None)
    return replace(without, dialect=replace(without.dialect, comment=comment))


def _comment(sample: Sample, found: Try, known: frozenset[str]) -> str | None:
    """What comments begin with, a hash or a hash and a space, in a table of several columns.

    The first line must be one, or all begin with a hash and a space; and none can be a row. One
    can be if it holds a value that rows have several times, or, in a table without such values, if
    it has as many fields. The last one above all records may be the header: ``#id,text,label``.
    """
    records = [
        record
        for record in parsed(sample.lines, replace(found.dialect, comment=None))
        if record.lines[0].startswith(COMMENT)  # and not within the quotes of another
    ]
    rows = [record for record in found.records if len(record.fields) == found.width]
    if found.width < 2 or not records or not rows:
        return None
    is_first = next(line for line in sample.lines if line.strip()).startswith(COMMENT)
    if not is_first and not all(COMMENT_LINE.match(record.lines[0]) for record in records):
        return None
    common = _common_values(rows)
    if any(_may_be_row(record, common, found.width) for record in records):
        return None
    if _ends_in_names(sample, found) and not is_header(
        rows[0].fields, columns_below(rows[1:]), known
    ):
        return None
    spaced = f"{COMMENT} "
    return spaced if all(record.lines[0].startswith(spaced) for record in records) else COMMENT


def _common_values(rows: Sequence[Record]) -> set[str]:
    """Values that a column has more than once."""
    counts = map(Counter, columns_below(rows))
    return {value for column in counts for value, n in column.items() if n > 1} - {""}


def _may_be_row(record: Record, common: set[str], width: int) -> bool:
    return not common.isdisjoint(record.fields) if common else len(record.fields) == width


def _ends_in_names(sample: Sample, found: Try) -> bool:
    """Whether the last comment above all records is a header: ``#id,text,label``."""
    above = list(takewhile(lambda line: line.startswith(COMMENT), sample.lines))
    if not above:
        return False
    names = [name.strip(f"{COMMENT} \t\r\n") for name in above[-1].split(found.dialect.delimiter)]
    return len(names) == found.width and holds_header_name(names)
