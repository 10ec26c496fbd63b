"""Where a table of predictions goes, chunk by chunk: CSV, TSV, JSON Lines or Parquet.

A file is written beside its place, as ``labelled.csv.part``, and takes its place when it is whole.
If the work stops before, what was done so far stays in the ``.part`` file, and the user hears of
it; a later run leaves that file alone and writes ``labelled.csv.2.part``. An empty one is removed.

Costs: 30 ms for 1,000 rows.
"""

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from headtune.errors import HeadtuneError, PredictionError
from headtune.plain_json import to_json
from headtune.progress import Progress

__all__ = ["Writer", "open_writer", "standard_output"]


class Writer(Protocol):
    """Takes the chunks of a table in order."""

    def write(self, table: pa.Table) -> None:
        """Write all rows of a chunk; every chunk has the columns of the first."""

    def close(self) -> None:
        """Nothing more comes; the file itself stays open."""


class CsvWriter:
    """Comma-separated values, RFC 4180 but for line ends, which are those of Unix."""

    def __init__(self, file: TextIO, delimiter: str = ",") -> None:
        self.file = file
        self.writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        self.has_header = False

    def write(self, table: pa.Table) -> None:
        if not self.has_header:
            self.writer.writerow(table.column_names)
            self.has_header = True
        self.writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def close(self) -> None:
        self.file.flush()


class JsonLinesWriter:
    """One JSON object a row, https://jsonlines.org."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            self.file.write(to_json(row) + "\n")

    def close(self) -> None:
        self.file.flush()


class ParquetWriter:
    """Parquet, a row group for each chunk; closed early, it is whole up to there."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.writer: pq.ParquetWriter | None = None

    def write(self, table: pa.Table) -> None:
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.file, table.schema)
        self.writer.write_table(table.cast(self.writer.schema))

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def standard_output(*, as_json: bool) -> Writer:
    """CSV, or JSON Lines, on standard output."""
    return JsonLinesWriter(sys.stdout) if as_json else CsvWriter(sys.stdout)


@contextmanager
def open_writer(out: Path, progress: Progress) -> Iterator[Writer]:
    """Writes beside ``out``, which appears when the work is done; see the top of this file.

    Raises ``PredictionError`` where ``out`` has another ending, or cannot be written.
    """
    kind = out.suffix.lower()
    if kind not in (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"):
        raise PredictionError(f"--out {out}: expected a name in .csv, .tsv, .jsonl or .parquet.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _new_file_beside(out) as file:
            part = Path(file.name)
            try:
                with closing(_writer(kind, file)) as writer:
                    yield writer
                file.close()
                part.replace(out)
            except BaseException:
                file.close()
                _keep_if_not_empty(part, progress)
                raise
    except HeadtuneError:  # what the stages say of the source; some are OSErrors too
        raise
    except OSError as error:
        raise PredictionError(f"{out} cannot be written: {error.strerror or error}.") from error


def _writer(kind: str, file: BinaryIO) -> Writer:
    if kind == ".parquet":
        return ParquetWriter(file)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    if kind in (".jsonl", ".ndjson"):
        return JsonLinesWriter(text)
    return CsvWriter(text, "\t" if kind == ".tsv" else ",")


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
    if part.stat().st_size:
        progress.say(f"The rows done so far are in {part}.")
    else:
        part.unlink()
