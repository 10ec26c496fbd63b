"""JSON Lines record by record, and whole JSON files: an array of objects or an object of columns.

A bad line of JSON Lines is one broken record; a bad character of a JSON file is an error, since
nothing after it can be trusted.
"""

import json
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from headtune.data.reading.names import listed
from headtune.data.reading.opening.decode import unreadable, written_out
from headtune.data.reading.table import (
    Broken,
    Table,
    is_writable,
    numbered_chunks,
    table_from_columns,
)
from headtune.data.reading.table import table_from_records as from_records
from headtune.errors import DataError
from headtune.files.plain_json import to_json

__all__ = ["json_line_records", "json_table"]


def json_line_records(lines: Iterable[str]) -> Iterator[dict[str, object] | Broken]:
    """One object a line, or why it is broken. Blank lines are skipped."""
    for line in lines:
        if not line.strip():
            continue
        if reason := unreadable([line]):
            yield Broken(reason, written_out(line).strip())
            continue
        try:
            yield _object_or_broken(json.loads(line))
        except (json.JSONDecodeError, RecursionError):
            yield Broken("not valid JSON", line.strip())
        except ValueError:  # Python reads no number of more than 4,300 digits
            yield Broken("a number of too many digits", line.strip())


def _object_or_broken(value: object) -> dict[str, object] | Broken:
    if isinstance(value, dict):
        return value
    return Broken("not a JSON object", to_json(value) if is_writable(value) else ascii(value))


def json_table(text: str, name: str) -> Table:
    """A whole JSON file. Raises ``DataError`` where it is not valid, or no table."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        lines = (
            "If it has an object on each line, let its name end in .jsonl."
            if (error.msg == "Extra data")
            else "It may be cut short."
        )
        raise DataError(
            f"{name} is not valid JSON: {error.msg} at line {error.lineno:,}, "
            f"column {error.colno:,}.",
            way_out=lines,
        ) from None
    except RecursionError:
        raise DataError(f"{name} is nested too deeply for a table.") from None
    except ValueError:
        raise DataError(
            f"{name} holds a number of too many digits to be read.",
            way_out="Write it in quotes, as a string.",
        ) from None
    return _table(value, name)


def _table(value: object, name: str) -> Table:
    if isinstance(value, dict):
        if len(value) == 1 and _is_array_of_objects(inner := next(iter(value.values()))):
            return _table(inner, name)  # {"data": [{…}, {…}]}
        return _table_of_columns(value, name)
    if isinstance(value, list) and (not value or any(isinstance(item, dict) for item in value)):
        ((records, rows, broken),) = list(numbered_chunks(map(_object_or_broken, value), None)) or [
            ([], np.zeros(0, np.int64), ())
        ]
        return from_records(records, rows, name, broken)
    raise DataError(
        f'{name} holds no table: expected an array of objects ([{{"text": …, "label": …}}, …]) '
        f"or an object of columns, received {_kind(value)}."
    )


def _is_array_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _table_of_columns(columns: Mapping[str, object], name: str) -> Table:
    """Lists by column, or what pandas writes: values by row name by column."""
    lists: dict[str, list[object]] = {}
    for column, values in columns.items():
        if isinstance(values, dict):
            lists[column] = list(values.values())
        elif isinstance(values, list):
            lists[column] = values
        else:
            raise DataError(
                f"{name} holds no table: column {column!r} is {_kind(values)}, expected a list of "
                "values.",
                column=str(column),
                way_out="An array of objects, or JSON Lines, can be read too.",
            )
    lengths = {column: len(values) for column, values in lists.items()}
    if len(set(lengths.values())) > 1:
        counts = listed([f"{column}: {n:,}" for column, n in lengths.items()])
        raise DataError(f"{name} has columns of different lengths ({counts}); expected one.")
    rows = np.arange(1, next(iter(lengths.values()), 0) + 1)
    if not is_writable(lists):
        records = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        return from_records(records, rows, name)
    return table_from_columns(lists, rows, name)


def _kind(value: object) -> str:
    if isinstance(value, list):
        return f"an array of {_kind(value[0])}" if value else "an empty array"
    names = {dict: "an object", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
