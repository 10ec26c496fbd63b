"""Any labelled table to ``Table``: files, packed too, standard input, hub data sets and Python
objects.

``read_table`` reads a source whole, ``iter_tables`` a chunk at a time in bounded memory (a file of
ten million rows), ``read_parts`` the splits that a data set brings along. All three go through
the same chunks, so they agree on every row and every row number. What each source is:

    CSV, TSV, TXT     delimited/: how it is written is found, then it is read; fastText, ARFF
    JSON, JSON Lines  json/
    Parquet, Arrow    arrow/: in types that the stages know
    .xlsx .xls .ods   workbooks/
    SQLite            databases.py
    owner/name        hub.py
    a folder          folders/: its parts, texts or tables; a zip archive of one likewise
    Python            python_objects.py: records, pairs, frames, data sets, Arrow data

Guarantees: a record that cannot be read is set aside under its number and never ends the reading;
with ``strict`` it does. A source without a single readable row is an error.
Costs: memory for one chunk, where a table is streamed.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from headtune.data.checks import refuse_if_strict
from headtune.data.reading.arrow.files import arrow_file_tables
from headtune.data.reading.arrow.tables import arrow_table, parquet_tables
from headtune.data.reading.databases import database_parts
from headtune.data.reading.delimited.format import find_format
from headtune.data.reading.delimited.own_forms import own_form
from headtune.data.reading.delimited.rows import records
from headtune.data.reading.folders.archives import holds_a_folder
from headtune.data.reading.folders.files import DiskFolder, open_zip
from headtune.data.reading.folders.lines import labelled_lines
from headtune.data.reading.folders.reader import folder_parts
from headtune.data.reading.folders.saved import is_saved, load_saved
from headtune.data.reading.hub import arrow_of_dataset, hub_splits
from headtune.data.reading.json.tables import is_whole_json, json_line_tables, json_tables
from headtune.data.reading.names import listed
from headtune.data.reading.opening.decode import decoded_lines, refuse_bad_bytes
from headtune.data.reading.opening.encodings import TextEncoding, check_encoding, text_encoding
from headtune.data.reading.opening.on_disk import lying
from headtune.data.reading.opening.sources import (
    SAMPLES,
    ByteSource,
    Kind,
    check_inside,
    is_hub_id,
    kind_of,
    lies_on_disk,
    noted,
    open_bytes,
)
from headtune.data.reading.part_names import part_names
from headtune.data.reading.python_objects import object_parts
from headtune.data.reading.table import Parts, Table, concatenate, numbered_chunks
from headtune.data.reading.workbooks.sheets import workbook_parts
from headtune.errors import ConfigError, DataError, option
from headtune.files.addresses import exists
from headtune.options import DataConfig
from headtune.options.written import parse_size

__all__ = ["iter_tables", "read_parts", "read_table"]


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
        if text in ("-", *SAMPLES):
            return _file_parts(text, config, rows_per_chunk)
        if not exists(text):
            if is_hub_id(text):
                return _dataset_parts(hub_splits(text), text, rows_per_chunk)
            return _file_parts(text, config, rows_per_chunk)
        path = Path(text).expanduser()
        if path.is_dir():
            return _folder_parts(path, config, rows_per_chunk)
        if path.suffix.lower() == ".zip" and holds_a_folder(path):
            return _zip_parts(path, config, rows_per_chunk)
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
    return object_parts(source, config, rows_per_chunk)


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


def _folder_parts(path: Path, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    folder = DiskFolder(path, parse_size("max_unpacked", config.max_unpacked))
    if is_saved(folder.names()):
        return _dataset_parts(load_saved(path), folder.name, rows_per_chunk)
    return folder_parts(folder, config, rows_per_chunk, _source_parts)


def _zip_parts(path: Path, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    """The parts of an archive of a folder, which stays open until the last one is read."""
    with ExitStack() as stack:
        most_bytes = parse_size("max_unpacked", config.max_unpacked)
        folder = stack.enter_context(open_zip(path, most_bytes))
        parts = folder_parts(folder, config, rows_per_chunk, _source_parts)
        *_, last = parts
        parts[last] = _then_closed(parts[last], stack.pop_all())
    return parts


def _file_parts(source: str, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    """The parts of a file, which stays open until the chunks of the last one are read."""
    with ExitStack() as stack:
        most_bytes = parse_size("max_unpacked", config.max_unpacked)
        file = stack.enter_context(open_bytes(source, most_bytes))
        parts = _source_parts(file, config, rows_per_chunk)
        *_, last = parts
        parts[last] = _then_closed(parts[last], stack.pop_all())
    return parts


def _source_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    """The parts of an open file, by its kind."""
    kind = kind_of(file, check_encoding(config.encoding))
    check_inside(file, kind)
    file = noted(file, kind)
    if not lies_on_disk(file, kind):
        return _read(file, kind, config, rows_per_chunk)
    with ExitStack() as stack:
        parts = _read(lying(file, stack), kind, config, rows_per_chunk)
        *_, last = parts
        parts[last] = _then_closed(parts[last], stack.pop_all())
    return parts


def _read(file: ByteSource, kind: Kind, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    parts = READERS[kind](file, config, rows_per_chunk)
    return {part: _noted(chunks, file.notes) for part, chunks in parts.items()}


def _then_closed(chunks: Iterator[Table], stack: ExitStack) -> Iterator[Table]:
    with stack:
        yield from chunks


def _noted(
    chunks: Iterator[Table], first: tuple[str, ...] = (), last: tuple[str, ...] = ()
) -> Iterator[Table]:
    """The chunks with more to be said, before what they say and after it."""
    for table in chunks:
        yield replace(table, notes=(*first, *table.notes, *last))


def _arrow_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    return {"train": arrow_file_tables(file, rows_per_chunk)}


def _parquet_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    return {"train": parquet_tables(file, rows_per_chunk)}


def _csv_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    return {"train": _csv_chunks(file, config, _encoding(file, config), rows_per_chunk)}


def _json_lines_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    encoding = _encoding(file, config)
    head = decoded_lines(
        [file.head], encoding.name, file.name, is_whole=file.is_whole, keep_bad=True
    )
    if is_whole_json("".join(head)):
        return _json_parts(file, config, rows_per_chunk)
    lines = decoded_lines(file.blocks(), encoding.name, file.name, keep_bad=True)
    chunks = json_line_tables(lines, file.name, config, rows_per_chunk)
    return {"train": _noted(chunks, last=encoding.notes)}


def _json_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    encoding = _encoding(file, config)
    text = "".join(decoded_lines(file.blocks(), encoding.name, file.name))
    tables = json_tables(text, file.name, config)
    return {
        part: _noted(table.chunks(rows_per_chunk), last=encoding.notes)
        for part, table in tables.items()
    }


def _encoding(file: ByteSource, config: DataConfig) -> TextEncoding:
    return text_encoding(file.head, config.encoding, file.name)


READERS: Mapping[Kind, Callable[[ByteSource, DataConfig, int | None], Parts]] = {
    Kind.CSV: _csv_parts,
    Kind.JSON: _json_parts,
    Kind.JSONL: _json_lines_parts,
    Kind.PARQUET: _parquet_parts,
    Kind.ARROW: _arrow_parts,
    Kind.WORKBOOK: workbook_parts,
    Kind.SQLITE: database_parts,
}
"""Kind of file -> what reads it: an open file, the options, rows a chunk (None: one) to parts."""


def _csv_chunks(
    file: ByteSource, config: DataConfig, encoding: TextEncoding, rows_per_chunk: int | None
) -> Iterator[Table]:
    decoded = partial(decoded_lines, encoding=encoding.name, name=file.name, keep_bad=True)
    sample = list(decoded([file.head], is_whole=file.is_whole))
    if (own := own_form(sample, config, file.name)) is not None:
        check = partial(refuse_bad_bytes, head=file.head, encoding=encoding.name, name=file.name)
        chunks = own.tables(decoded(file.blocks()), rows_per_chunk, check)
        yield from _noted(chunks, last=encoding.notes)
        return
    form = find_format(sample, config, file.name, file.suffix, is_whole=file.is_whole)
    refuse_bad_bytes(form.header.names, file.head, encoding.name, file.name)
    lines = islice(decoded(file.blocks()), form.n_skipped, None)
    names = form.header.names
    found = records(lines, form.dialect, len(names), form.header.fields, ends_empty=form.ends_empty)
    if form.header.is_there:
        next(found)
    n_chunks = 0
    for fields, rows, broken in numbered_chunks(found, rows_per_chunk or 50_000):
        values = zip(*fields, strict=True) if fields else ([] for _ in names)
        columns = {n: pa.array(v, pa.large_string()) for n, v in zip(names, values, strict=True)}
        notes = (*form.notes, *encoding.notes)
        yield Table(pa.table(columns), file.name, rows, broken, notes, form.options)
        n_chunks += 1
    if not n_chunks:
        raise DataError(
            f"{file.name} has a header ({listed(names)}) and no rows below it.",
            option="header",
            way_out=f"If that line is a row: {option('header', 'no')}",
        )
