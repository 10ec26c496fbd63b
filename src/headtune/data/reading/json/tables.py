"""JSON files to parts of tables: the one door of this room.

A whole file is read, its shape found (shapes.py), and its rows become tables. JSON Lines are
streamed, objects or arrays; what the first lines are decides. A name promises nothing here: an
array of records whose name ends in ``.jsonl``, or records that are spread over several lines, are
told by their beginning and read whole.

Guarantees: a record that is broken is set aside under its number. Exports of tools for annotation
gain the column ``label`` (annotations.py); all other columns stay as they are.
Costs: a whole file takes up to ten times its size in memory; JSON Lines a chunk.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice

import numpy as np

from headtune.data.reading.json.annotations import Form, find_form
from headtune.data.reading.json.arrays import (
    ArrayNames,
    is_known,
    name_arrays,
    records_of_arrays,
    without_header,
)
from headtune.data.reading.json.objects import Rows, has_records
from headtune.data.reading.json.parse import fault_of, parse_json
from headtune.data.reading.json.rows import json_line_values, objects
from headtune.data.reading.json.shapes import find_shape
from headtune.data.reading.table import (
    Broken,
    Table,
    is_writable,
    numbered_chunks,
    table_from_columns,
    table_from_records,
)
from headtune.options import DataConfig
from headtune.wording.chat import are_messages

__all__ = ["is_whole_json", "json_line_tables", "json_tables", "record_tables", "tables_of_value"]

SAMPLE_RECORDS = 1_000


def json_tables(text: str, name: str, config: DataConfig) -> dict[str, Table]:
    """A whole JSON file by part. Raises ``DataError`` where it is not valid, or no table."""
    return tables_of_value(parse_json(text, name), name, config)


def tables_of_value(value: object, name: str, config: DataConfig) -> dict[str, Table]:
    """A value of JSON or Python by part. Raises ``DataError`` where it is no table.

    Rows that are arrays have the same columns in all parts, those of the first.
    """
    shape = find_shape(value, name, config)
    arrays: ArrayNames | None = None
    tables: dict[str, Table] = {}
    for part, rows in shape.parts.items():
        if rows.columns is not None:
            tables[part] = _table_of_columns(rows.columns, name)
        elif not _are_arrays(rows):
            form = find_form([row for row in rows.values if isinstance(row, Mapping)])
            tables[part] = next(_chunks(objects(rows.values), name, None, form), _empty(name))
        else:
            arrays = arrays or name_arrays(rows.values, config, rows.names)
            tables[part] = _table_of_arrays(rows.values, arrays, name)
    return {
        part: replace(table, notes=(*shape.notes, *table.notes)) for part, table in tables.items()
    }


def _are_arrays(rows: Rows) -> bool:
    """Whether more of the rows are arrays than objects."""
    n_arrays = sum(isinstance(row, list | tuple) for row in rows.values)
    return n_arrays > sum(isinstance(row, Mapping) for row in rows.values)


def _empty(name: str) -> Table:
    return table_from_columns({}, np.zeros(0, np.int64), name)


def _table_of_columns(columns: Mapping[str, Sequence[object]], name: str) -> Table:
    rows = np.arange(1, len(next(iter(columns.values()), ())) + 1)
    if is_writable(columns) and not any(map(fault_of, columns.values())):
        return table_from_columns(columns, rows, name)
    records = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return next(_chunks(objects(records), name, None, None), _empty(name))


def _table_of_arrays(rows: Sequence[object], arrays: ArrayNames, name: str) -> Table:
    found = records_of_arrays(without_header(rows, arrays), arrays.names)
    table = next(_chunks(found, name, None, None), _empty(name))
    return replace(table, notes=(arrays.note,))


def _chunks(
    records: Iterator[Mapping[str, object] | Broken],
    name: str,
    rows_per_chunk: int | None,
    form: Form | None,
) -> Iterator[Table]:
    """Tables of so many records; the columns of one are those of the ones before, and its own."""
    known: dict[str, None] = {}
    for found, rows, broken in numbered_chunks(records, rows_per_chunk):
        notes: tuple[str, ...] = ()
        if form is not None:
            found, notes = form.labelled(found)
        table = table_from_records(found, rows, name, broken, keys=known)
        known |= dict.fromkeys(table.column_names)
        yield replace(table, notes=notes)


def json_line_tables(
    lines: Iterator[str], name: str, config: DataConfig, rows_per_chunk: int | None
) -> Iterator[Table]:
    """JSON Lines by so many: objects, or arrays if more of the first values are such."""
    for table in record_tables(json_line_values(lines), name, config, rows_per_chunk):
        about, *others = table.notes or ("",)
        kind = f"JSON Lines of {about}" if about.startswith(("arrays", "pairs")) else "JSON Lines"
        notes = (kind, *others) if kind != "JSON Lines" else (kind, *table.notes)
        yield replace(table, notes=notes)


def record_tables(
    values: Iterator[object], name: str, config: DataConfig, rows_per_chunk: int | None
) -> Iterator[Table]:
    """Records one after another, by so many: objects, or arrays if more of the first are such."""
    sample = list(islice(values, SAMPLE_RECORDS))
    values = chain(sample, values)
    if not _are_arrays(Rows(sample)):
        form = find_form([value for value in sample if isinstance(value, Mapping)])
        yield from _chunks(objects(values), name, rows_per_chunk, form)
        return
    arrays = name_arrays(sample, config)
    records = records_of_arrays(without_header(values, arrays), arrays.names)
    for table in _chunks(records, name, rows_per_chunk, None):
        yield replace(table, notes=(arrays.note, *table.notes))


def is_whole_json(head: str) -> bool:
    """Whether what is called JSON Lines is one value, or values over several lines, by its head.

    It is where the first line only begins a value, and where it is all there is: an array of
    records, the parts of a data set, columns.
    """
    start = head.lstrip()
    first, _, others = start.partition("\n")
    if not start.startswith(("{", "[")):
        return False
    try:
        value = json.loads(first)
    except json.JSONDecodeError as error:
        is_next = first.startswith("{") and others.lstrip().startswith("{")
        return not is_next and (error.pos >= len(first.rstrip()) or not others)
    except (ValueError, RecursionError):
        return False
    return not others.strip() and (has_records(value) or _holds_a_table(value))


def _holds_a_table(value: object) -> bool:
    """Whether an object is a table rather than a record: it has rows, and no value of its own."""
    if not isinstance(value, Mapping) or not value:
        return False
    if all(_is_column(column) for column in value.values()):
        return True
    rows = [inner for inner in value.values() if has_records(inner) and not are_messages(inner)]
    own = [key for key, inner in value.items() if isinstance(inner, str)]
    return bool(rows) and not is_known(own)


def _is_column(value: object) -> bool:
    """A list of plain values, or what pandas writes for such."""
    if isinstance(value, Mapping):
        return bool(value) and all(map(str.isdecimal, value))
    return isinstance(value, list) and not has_records(value)
