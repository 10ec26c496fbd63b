"""Where a table of predictions goes, chunk by chunk: CSV, TSV, JSON Lines or Parquet.

A file is written beside its place, as ``labelled.csv.part``, and takes its place when it is whole.
If the work stops before, what was done so far stays in the ``.part`` file, and the user hears of
it; a later run leaves that file alone and writes ``labelled.csv.2.part``. An empty one is removed.

CSV and Parquet have the columns of the first chunk throughout. JSON records may gain a key later:
that column is left out, which is said; JSON Lines keeps it.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end for a
formula, and runs it. Cells are data and stay as they are; ``safe`` puts an apostrophe before such a
cell, in CSV and TSV, headings included (OWASP, "CSV Injection"). Numbers stay numbers.
"""

import csv
import io
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from headtune.data.reading.arrow.values import python_values
from headtune.data.reading.names import listed
from headtune.errors import HeadtuneError, PredictionError, option
from headtune.files.plain_json import to_json
from headtune.progress import Progress
from headtune.wording.visible import VisibleFile

__all__ = ["Writer", "open_writer", "standard_output"]

WRITE_ANOTHER = "Write to a name in .jsonl or .csv."


class Writer(Protocol):
    """Takes the chunks of a table in order."""

    def write(self, table: pa.Table) -> None:
        """Write all rows of a chunk. Raises ``PredictionError`` where the format cannot."""

    def close(self) -> None:
        """Nothing more comes; the file itself stays open."""


class FirstColumns:
    """The columns of the first chunk, which are those of the file."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.schema: pa.Schema | None = None
        self._said: set[str] = set()

    def of(self, table: pa.Table) -> pa.Table:
        """These columns by name; one that the chunk lacks is missing values."""
        if self.schema is None:
            self.schema = table.schema
        known = {*self.schema.names, *self._said}
        if new := [name for name in table.column_names if name not in known]:
            self._said.update(new)
            self.progress.say(
                f"Left out, since earlier rows have no such column: {listed(new)}. "
                "A result in .jsonl keeps all."
            )
        columns = dict(zip(table.column_names, table.columns, strict=True))
        missing = pa.nulls(len(table))
        return pa.table({name: columns.get(name, missing) for name in self.schema.names})


FORMULA = re.compile(r"[=+\-@\t\r\n](?!(?<=[-+])\d+(\.\d+)?([eE][-+]?\d+)?\Z)")
"""How a cell begins that a spreadsheet would run; ``-5.3`` is a number."""


class CsvWriter:
    """Comma-separated values, RFC 4180 but for line ends, which are those of Unix."""

    def __init__(
        self, file: TextIO, progress: Progress, delimiter: str = ",", *, safe: bool = False
    ) -> None:
        self.file = file
        self.safe = safe
        self.columns = FirstColumns(progress)
        self.writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        # which quotes no carriage return, though it ends a line for those who read
        self.quoting = csv.writer(
            file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL
        )

    def write(self, table: pa.Table) -> None:
        if self.columns.schema is None:
            self._write_row(table.column_names)
        columns = self.columns.of(table).columns
        for row in zip(*map(python_values, columns), strict=True):
            self._write_row([_as_cell(value) for value in row])

    def _write_row(self, row: Sequence[object]) -> None:
        if self.safe:
            row = [_no_formula(value) for value in row]
        has_return = any(isinstance(value, str) and "\r" in value for value in row)
        (self.quoting if has_return else self.writer).writerow(row)

    def close(self) -> None:
        self.file.flush()


def _as_cell(value: object) -> object:
    """Lists and records as JSON, which other programs read."""
    return to_json(value) if isinstance(value, list | dict | tuple) else value


def _no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


class JsonLinesWriter:
    """One JSON object a row, https://jsonlines.org."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, table: pa.Table) -> None:
        names = table.column_names
        for row in zip(*map(python_values, table.columns), strict=True):
            self.file.write(to_json(dict(zip(names, row, strict=True))) + "\n")

    def close(self) -> None:
        self.file.flush()


class ParquetWriter:
    """Parquet, a row group for each chunk; closed early, it is whole up to there.

    A column has the type that its first 10,000 values have; of missing values, that of strings.
    Whole numbers may come later where there are fractions, and any single values where there are
    strings; anything else would change what it says, and is refused.
    """

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self.file = file
        self.columns = FirstColumns(progress)
        self.writer: pq.ParquetWriter | None = None
        self.n_rows = 0

    def write(self, table: pa.Table) -> None:
        table = self.columns.of(table)
        try:
            if self.writer is None:
                self.writer = pq.ParquetWriter(self.file, pa.schema(map(_as_written, table.schema)))
            columns = [self._as_type(table[field.name], field) for field in self.writer.schema]
            self.writer.write_table(pa.table(columns, schema=self.writer.schema))
        except pa.ArrowException as error:
            raise PredictionError(
                f"Parquet cannot hold these rows: {' '.join(str(error).split())}.",
                option="out",
                way_out=WRITE_ANOTHER,
            ) from error
        self.n_rows += len(table)

    def _as_type(self, column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
        if not _keeps_its_meaning(column.type, field.type):
            raise PredictionError(
                f"Column {field.name!r} is {field.type} in the first rows and {column.type} after "
                f"row {self.n_rows:,}, which Parquet cannot hold in one column.",
                option="out",
                column=field.name,
                way_out=WRITE_ANOTHER,
            )
        return column.cast(field.type)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def _as_written(field: pa.Field) -> pa.Field:
    return field.with_type(pa.large_string()) if pa.types.is_null(field.type) else field


def _keeps_its_meaning(kind: pa.DataType, target: pa.DataType) -> bool:
    """Whether values of one type are the same values as another's."""
    if kind == target or pa.types.is_null(kind):
        return True
    if _is_string(target):
        return bool(pa.types.is_primitive(kind)) or _is_string(kind)
    return bool(pa.types.is_integer(kind) and pa.types.is_floating(target))


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_string(kind))


def standard_output(progress: Progress, *, as_json: bool, safe_csv: bool = False) -> Writer:
    """CSV, or JSON Lines, on standard output; what a terminal gets can be seen.

    In a pipe or a file, CSV has its texts as they are.
    """
    if as_json:
        _only_csv(safe_csv, "JSON")
        return JsonLinesWriter(sys.stdout)
    file = cast(TextIO, VisibleFile(sys.stdout)) if sys.stdout.isatty() else sys.stdout
    return CsvWriter(file, progress, safe=safe_csv)


def _only_csv(safe_csv: bool, kind: str) -> None:
    if safe_csv:
        raise PredictionError(
            f"{option('safe_csv')} is for CSV and TSV; received {kind}, which has no formulas.",
            option="safe_csv",
            way_out=f"Leave {option('safe_csv')} out, or write to a name in .csv.",
        )


@contextmanager
def open_writer(out: Path, progress: Progress, *, safe_csv: bool = False) -> Iterator[Writer]:
    """Writes beside ``out``, which appears when the work is done; see the top of this file.

    Raises ``PredictionError`` where ``out`` has another ending, or cannot be written, and where
    ``safe_csv`` does not go with the ending.
    """
    kind = out.suffix.lower()
    if kind not in (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"):
        raise PredictionError(
            f"{option('out', out)}: expected a name in .csv, .tsv, .jsonl or .parquet.",
            option="out",
        )
    if kind not in (".csv", ".tsv"):
        _only_csv(safe_csv, kind)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _new_file_beside(out) as file:
            part = Path(file.name)
            try:
                with closing(_writer(kind, file, progress, safe_csv)) as writer:
                    yield writer
                file.close()
                part.replace(out)
            except BaseException:
                with suppress(OSError):  # of a full disk, once more
                    file.close()
                _keep_if_not_empty(part, progress)
                raise
    except HeadtuneError:  # what the stages say of the source; some are OSErrors too
        raise
    except OSError as error:
        raise PredictionError(
            f"{out} cannot be written: {error.strerror or error}.", option="out"
        ) from error


def _writer(kind: str, file: BinaryIO, progress: Progress, safe_csv: bool) -> Writer:
    if kind == ".parquet":
        return ParquetWriter(file, progress)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    if kind in (".jsonl", ".ndjson"):
        return JsonLinesWriter(text)
    return CsvWriter(text, progress, "\t" if kind == ".tsv" else ",", safe=safe_csv)


def _is_whole_parquet(path: Path) -> bool:
    try:
        pq.ParquetFile(path).close()
    except (pa.ArrowException, OSError):
        return False
    return True


def _new_file_beside(out: Path) -> BinaryIO:
    """Opened for writing, by the first name that is free."""
    number, ending = 1, ".part"
    while True:
        try:
            return out.with_name(out.name + ending).open("xb")
        except FileExistsError:
            number += 1
            ending = f".{number}.part"


def _keep_if_not_empty(part: Path, progress: Progress) -> None:
    """A Parquet file whose end could not be written cannot be read, and goes as well."""
    if part.stat().st_size and (".parquet" not in part.suffixes or _is_whole_parquet(part)):
        progress.say(f"The rows done so far are in {part}.")
    else:
        part.unlink()
