"""Text files with a form of their own, told by their content: fastText, ARFF, svmlight.

fastText (``marked.py``) and ARFF (``arff.py``) are read; svmlight's ``1 3:0.5 7:1`` is refused,
since it has numbers in place of texts. A file is looked at in this way only where the options give
no delimiter: who gives one says that it is a delimited file.

Costs: one regular expression a line of the sample.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from headtune.data.reading.delimited.arff import arff_attributes, arff_rows, is_arff
from headtune.data.reading.delimited.header import unique_names
from headtune.data.reading.delimited.marked import COLUMNS, is_marked, marked_notes, marked_rows
from headtune.data.reading.table import Broken, Table, numbered_chunks
from headtune.errors import DataError
from headtune.options import DataConfig

__all__ = ["OwnForm", "own_form"]

Rows = Iterator[list[str | None] | Broken]

SVMLIGHT = re.compile(
    r"[+-]?[\d.]++(?:[eE][+-]?\d+)?+(?:,[+-]?[\d.]++)*+(?:\s+qid:\d++)?+"
    r"(?:\s+\d++:[+-]?[\d.]++(?:[eE][+-]?\d++)?+)++\s*(?:#.*)?"
)
LEAST_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class OwnForm:
    """What was found, in words, and what makes column names and rows of all lines."""

    name: str
    notes: tuple[str, ...]
    read: Callable[[Iterator[str]], tuple[Sequence[str], Rows]]

    def tables(
        self,
        lines: Iterable[str],
        rows_per_chunk: int | None,
        check_names: Callable[[Sequence[str]], None],
    ) -> Iterator[Table]:
        """The rows of all lines, in chunks. Raises ``DataError`` where there are none, and what
        ``check_names`` raises at the names of the columns."""
        names, records = self.read(iter(lines))
        check_names(names)
        n_chunks = 0
        for values, rows, broken in numbered_chunks(records, rows_per_chunk or 50_000):
            columns = zip(*values, strict=True) if values else ([] for _ in names)
            arrays = [pa.array(column, pa.large_string()) for column in columns]
            table = pa.table(arrays, names=list(names))
            yield Table(table, self.name, rows, broken, self.notes)
            n_chunks += 1
        if not n_chunks:
            raise DataError(
                f"{self.name} has columns ({', '.join(names)[:80]}) and no rows below them.",
                way_out="Check the command that wrote it.",
            )


def own_form(lines: Sequence[str], config: DataConfig, name: str) -> OwnForm | None:
    """The form of the file ``name`` from its first lines, or None for a delimited file.

    Raises ``DataError`` on numbers in place of texts.
    """
    if config.delimiter is not None or config.skip_lines:
        return None
    if is_arff(lines):
        return OwnForm(name, ("ARFF",), lambda all_lines: _read_arff(all_lines, name))
    if is_marked(lines):
        return OwnForm(
            name, marked_notes(lines), lambda all_lines: (COLUMNS, marked_rows(all_lines))
        )
    _refuse_svmlight(lines, name)
    return None


def _read_arff(lines: Iterator[str], name: str) -> tuple[Sequence[str], Rows]:
    names = unique_names(arff_attributes(lines, name))
    return names, arff_rows(lines, len(names), name)


def _refuse_svmlight(lines: Sequence[str], name: str) -> None:
    filled = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    n_alike = sum(SVMLIGHT.fullmatch(line) is not None for line in filled)
    if n_alike and n_alike >= LEAST_SHARE * len(filled):
        raise DataError(
            f"{name} has numbers in place of texts: {filled[0][:60]!r} is svmlight's form "
            "(libsvm), a label and the values of features.",
            way_out="Give the table that it was made from, with the texts and their labels, such "
            "as CSV.",
        )
