"""Any labelled table to ``Table``: files, standard input, hub data sets and Python objects.

``read_table`` reads a source whole, ``iter_tables`` a chunk at a time in bounded memory (a file of
ten million rows), ``read_parts`` the splits that a data set brings along. All three go through
the same chunks, so they agree on every row and every row number. What each source is:

    CSV, TSV, TXT     delimited/: how it is written is found, then it is read
    JSON, JSON Lines  json/
    Parquet, Arrow    arrow/: in types that the stages know
    owner/name        hub.py
    a folder          folders/: its parts, texts or tables; a zip archive of one likewise
    Python            a list of dicts, a pandas DataFrame, a datasets.Dataset or DatasetDict,
                      a pyarrow.Table, or anything else that hands out Arrow data (polars)

Guarantees: a record that cannot be read is set aside under its number and never ends the reading;
with ``strict`` it does. A source without a single readable row is an error.
Costs: memory for one chunk, where a table is streamed.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from headtune.data.checks import refuse_if_strict
from headtune.data.reading.arrow.tables import arrow_table, parquet_tables
from headtune.data.reading.delimited.format import find_format
from headtune.data.reading.delimited.rows import records
from headtune.data.reading.folders.files import DiskFolder, open_zip
from headtune.data.reading.folders.lines import labelled_lines
from headtune.data.reading.folders.reader import folder_parts
from headtune.data.reading.folders.saved import is_saved, load_saved
from headtune.data.reading.hub import arrow_of_dataset, hub_splits, part_names
from headtune.data.reading.json.rows import json_line_records, json_table
from headtune.data.reading.names import listed
from headtune.data.reading.opening.decode import check_encoding, decoded_lines
from headtune.data.reading.opening.sources import (
    SAMPLES,
    ByteSource,
    Kind,
    is_hub_id,
    kind_of,
    open_bytes,
)
from headtune.data.reading.table import Table, concatenate, numbered_chunks, table_from_records
from headtune.errors import ConfigError, DataError, option
from headtune.options import DataConfig

__all__ = ["iter_tables", "read_parts", "read_table"]

Parts: TypeAlias = dict[str, Iterator[Table]]
"""Part -> its chunks, read when asked for."""


def read_table(source: object, config: DataConfig) -> Table:
    """A source as one table; the parts of a data set one after another, rows numbered on."""
    return concatenate(_numbered_on(list(read_parts(source, config).values())))


def read_parts(source: object, config: DataConfig) -> dict[str, Table]:
    """The parts of a source: ``train`` alone, or with ``validation`` and ``test`` if it has them.

    Raises ``DataNotFoundError``, ``EncodingError`` or ``DataError``; the message has the way out.
    """
    return {
        part: concatenate(list(_checked(chunks, config)))
        for part, chunks in _parts(source, config, None).items()
    }


def iter_tables(
    source: object, config: DataConfig, rows_per_chunk: int = 10_000
) -> Iterator[Table]:
    """A source chunk by chunk, rows numbered on. Raises what ``read_table`` raises, as it goes.

    A chunk may have no rows, only records that were set aside. Find the columns in the first one
    with rows and keep them: what a column holds can look different in a later chunk.
    """
    n_before = 0
    for chunks in _parts(source, config, rows_per_chunk).values():
        n_rows = 0
        for table in _checked(chunks, config):
            n_rows = _last_row(table)
            yield table.shifted(n_before) if n_before else table
        n_before += n_rows


def _last_row(table: Table) -> int:
    return max([*table.rows[-1:].tolist(), *(row.row for row in table.set_aside)], default=0)


def _numbered_on(tables: list[Table]) -> list[Table]:
    shifted: list[Table] = []
    for table in tables:
        shifted.append(table.shifted(_last_row(shifted[-1])) if shifted else table)
    return shifted


def _checked(chunks: Iterator[Table], config: DataConfig) -> Iterator[Table]:
    """The chunks, unless there is no row in all of them, or a broken one that must not be."""
    n_rows, first_broken, name = 0, None, ""
    for table in chunks:
        refuse_if_strict(table.set_aside, config, table.name)
        n_rows, name = n_rows + len(table), table.name
        first_broken = first_broken or next(iter(table.set_aside), None)
        yield table
    if n_rows == 0 and first_broken is not None:
        raise DataError(
            f"No row of {name} can be read; row {first_broken.row} has {first_broken.reason}: "
            f"{first_broken.content[:80]!r}.",
            row=first_broken.row,
            way_out=f"Check {option('delimiter')}, {option('quoting')} and {option('header')}.",
        )
    if n_rows == 0:
        raise DataError(f"{name or 'The data'} has no rows; expected texts, one a row.")


def _parts(source: object, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    if isinstance(source, str | Path):
        text = str(source)
        if config.label_file is not None:
            return {"train": labelled_lines(text, config.label_file, config, rows_per_chunk)}
        path = Path(text).expanduser()
        if text not in ("-", *SAMPLES) and path.is_dir():
            return _folder_parts(path, config, rows_per_chunk)
        if path.suffix.lower() == ".zip" and path.is_file():
            return _zip_parts(path, config, rows_per_chunk)
        if text != "-" and not Path(text).expanduser().exists() and is_hub_id(text):
            return _dataset_parts(hub_splits(text), text, rows_per_chunk)
        return _file_parts(text, config, rows_per_chunk)
    if config.label_file is not None:
        raise ConfigError(
            f"{option('label_file')} has the labels of a text file; the data are Python objects.",
            option="label_file",
        )
    datasets = sys.modules.get("datasets")  # an object of it can only be here if it is imported
    if datasets is not None and isinstance(source, datasets.DatasetDict):
        return _dataset_parts(dict(source), "the data set", rows_per_chunk)
    if datasets is not None and isinstance(source, datasets.Dataset):
        return {"train": _dataset_chunks(source, "the data set", rows_per_chunk)}
    return {"train": _sliced(_python_table(source), rows_per_chunk)}


def _dataset_parts(splits: Mapping[str, Any], name: str, rows_per_chunk: int | None) -> Parts:
    parts = part_names(splits)
    return {
        part: _dataset_chunks(splits[split], name, rows_per_chunk) for part, split in parts.items()
    }


def _dataset_chunks(dataset: Any, name: str, rows_per_chunk: int | None) -> Iterator[Table]:
    step = rows_per_chunk or max(len(dataset), 1)
    for start in range(0, len(dataset), step):
        rows = arrow_of_dataset(dataset, start, start + step)
        yield arrow_table(rows, name, first_row=start + 1)


def _python_table(source: object) -> Table:
    name = "the data"
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(source, pandas.DataFrame):
        return _pandas_table(source, name)
    if isinstance(source, pa.Table):
        return arrow_table(source, name)
    if hasattr(source, "__arrow_c_stream__"):
        return arrow_table(_from_stream(source, name), name)
    if isinstance(source, list | tuple) and all(isinstance(row, Mapping) for row in source):
        return table_from_records(source, np.arange(1, len(source) + 1), name)
    raise DataError(
        f"Expected a path, a hub id, a list of dicts, a pandas DataFrame, a datasets.Dataset or a "
        f"pyarrow.Table; received {type(source).__name__}."
    )


def _from_stream(source: object, name: str) -> pa.Table:
    try:
        return pa.table(source)
    except (pa.ArrowException, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{name} hands out no table: {reason}.") from error


def _pandas_table(frame: Any, name: str) -> Table:
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(
            f"{name} has two columns named {twice!r}.", column=str(twice), way_out="Rename one."
        )
    try:
        return arrow_table(pa.Table.from_pandas(frame, preserve_index=False), name)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError):
        rows = np.arange(1, len(frame) + 1)  # a column of mixed types
        return table_from_records(frame.to_dict("records"), rows, name)


def _sliced(table: Table, rows_per_chunk: int | None) -> Iterator[Table]:
    if rows_per_chunk is None or len(table) <= rows_per_chunk:
        yield table
        return
    for start in range(0, len(table), rows_per_chunk):
        yield table.sliced(start, rows_per_chunk)


def _folder_parts(path: Path, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    folder = DiskFolder(path)
    if is_saved(folder.names()):
        return _dataset_parts(load_saved(path), folder.name, rows_per_chunk)
    return folder_parts(folder, config, rows_per_chunk, _source_parts)


def _zip_parts(path: Path, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    """The parts of an archive of a folder, which stays open until the last one is read."""
    with ExitStack() as stack:
        folder = stack.enter_context(open_zip(path))
        parts = folder_parts(folder, config, rows_per_chunk, _source_parts)
        *_, last = parts
        parts[last] = _then_closed(parts[last], stack.pop_all())
    return parts


def _source_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    return READERS[kind_of(file, check_encoding(config.encoding))](file, config, rows_per_chunk)


def _file_parts(source: str, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    """The parts of a file, which stays open until the chunks of the last one are read."""
    with ExitStack() as stack:
        file = stack.enter_context(open_bytes(source))
        parts = _source_parts(file, config, rows_per_chunk)
        *_, last = parts
        parts[last] = _then_closed(parts[last], stack.pop_all())
    return parts


def _then_closed(chunks: Iterator[Table], stack: ExitStack) -> Iterator[Table]:
    with stack:
        yield from chunks


def _parquet_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    return {"train": parquet_tables(file, rows_per_chunk)}


def _csv_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    return {"train": _csv_chunks(file, config, check_encoding(config.encoding), rows_per_chunk)}


def _json_lines_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    return {"train": _json_lines_chunks(file, check_encoding(config.encoding), rows_per_chunk)}


def _json_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    text = "".join(decoded_lines(file.blocks(), check_encoding(config.encoding), file.name))
    return {"train": _sliced(json_table(text, file.name), rows_per_chunk)}


READERS: Mapping[Kind, Callable[[ByteSource, DataConfig, int | None], Parts]] = {
    Kind.CSV: _csv_parts,
    Kind.JSON: _json_parts,
    Kind.JSONL: _json_lines_parts,
    Kind.PARQUET: _parquet_parts,
}
"""Kind of file -> what reads it: an open file, the options, rows a chunk (None: one) to parts."""


def _csv_chunks(
    file: ByteSource, config: DataConfig, encoding: str, rows_per_chunk: int | None
) -> Iterator[Table]:
    sample = list(decoded_lines([file.head], encoding, file.name, is_whole=file.is_whole))
    form = find_format(sample, config, file.name, file.suffix, is_whole=file.is_whole)
    lines = islice(decoded_lines(file.blocks(), encoding, file.name), form.n_skipped, None)
    names = form.header.names
    found = records(lines, form.delimiter, quoted=form.quoted, width=len(names))
    if form.header.is_there:
        next(found)
    n_chunks = 0
    for fields, rows, broken in numbered_chunks(found, rows_per_chunk or 50_000):
        values = zip(*fields, strict=True) if fields else ([] for _ in names)
        columns = {n: pa.array(v, pa.large_string()) for n, v in zip(names, values, strict=True)}
        yield Table(pa.table(columns), file.name, rows, broken, form.notes, form.options)
        n_chunks += 1
    if not n_chunks:
        raise DataError(
            f"{file.name} has a header ({listed(names)}) and no rows below it.",
            option="header",
            way_out=f"If that line is a row: {option('header', 'no')}",
        )


def _json_lines_chunks(
    file: ByteSource, encoding: str, rows_per_chunk: int | None
) -> Iterator[Table]:
    lines = decoded_lines(file.blocks(), encoding, file.name)
    known: dict[str, None] = {}
    for found, rows, broken in numbered_chunks(json_line_records(lines), rows_per_chunk):
        table = table_from_records(found, rows, file.name, broken, keys=known)
        known |= dict.fromkeys(table.column_names)
        yield replace(table, notes=("JSON Lines",))
