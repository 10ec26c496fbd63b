"""A dotted name to a column: ``data.text`` of structs, lists, maps and of JSON written as text.

``with_fields`` gives a table in which such a field is a column like any other, called by its dotted
name, for whoever looks for the text or label. The table that was read keeps its columns: what is
written of it, predictions for one, is what it was.

Guarantees: a column whose own name holds a dot goes first. A value that is no string keeps its
record number in ``not_strings`` where others are, as in a column of the table itself.
Costs: fields of structs are taken out by Arrow; lists and JSON go through Python.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.reading.arrow.values import python_values
from headtune.data.reading.table import Table, holds_strings, table_from_columns
from headtune.wording.dotted import field_value, has_field, opened, roots

__all__ = ["leaves", "root_of", "with_fields", "with_known_fields", "with_leaves"]

MAX_LEAVES = 1_000

MAX_LOOKED_INTO = 1_000
"""Rows of lists and of JSON that are looked into, to see whether a field is there."""


def with_fields(table: Table, names: Iterable[str | None]) -> Table:
    """The table, with a column for each of these dotted names that lead to something in it."""
    for name in dict.fromkeys(names):
        root = None if name is None else root_of(table, name)
        if name is not None and root is not None and _is_there(table, root, name):
            table = _with_field(table, root, name)
    return table


def with_known_fields(table: Table, names: Iterable[str | None]) -> Table:
    """The same for names that another chunk or part is known to have; without a value, missing."""
    for name in dict.fromkeys(names):
        if name is None or name in table.column_names:
            continue
        root = root_of(table, name)
        if root is not None:
            table = _with_field(table, root, name)
    return table


def root_of(table: Table, name: str) -> str | None:
    """The column that a dotted name begins with; None where it is a column or begins none."""
    if name in table.column_names:
        return None
    return next((first for first, _ in roots(name) if first in table.column_names), None)


def with_leaves(table: Table, names: Iterable[str]) -> tuple[Table, list[str]]:
    """The table with a column for each of the fields of these columns, and their dotted names."""
    wide = with_fields(table, leaves(table, names))
    return wide, wide.column_names[len(table.column_names) :]


def leaves(table: Table, names: Iterable[str]) -> list[str]:
    """The dotted names of all fields of structs and of objects of JSON in these columns."""
    found: list[str] = []
    for name in names:
        kind = table.columns.schema.field(name).type
        if pa.types.is_struct(kind):
            found += _names_below(name, kind)
        elif holds_strings(table, name):
            found += _names_of_json(name, table.columns[name])
    return [name for name in found if name not in table.column_names][:MAX_LEAVES]


def _names_of_json(name: str, column: pa.ChunkedArray) -> list[str]:
    """The keys of a column in which every value that is looked at is an object of JSON."""
    some = [opened(value) for value in python_values(column.drop_null().slice(0, MAX_LOOKED_INTO))]
    objects = [value for value in some if isinstance(value, Mapping)]
    if not objects or len(objects) < len(some):
        return []
    return list(dict.fromkeys(f"{name}.{key}" for each in objects for key in each))


def _names_below(name: str, kind: pa.DataType) -> Iterator[str]:
    for i in range(kind.num_fields):
        inner = kind.field(i)
        if kind.get_field_index(inner.name) < 0:  # two of one name
            continue
        if pa.types.is_struct(inner.type):
            yield from _names_below(f"{name}.{inner.name}", inner.type)
        else:
            yield f"{name}.{inner.name}"


def _is_there(table: Table, root: str, name: str) -> bool:
    if _path(table.columns.schema.field(root).type, name[len(root) + 1 :]) is not None:
        return True
    column = table.columns[root]
    if not (pa.types.is_nested(column.type) or holds_strings(table, root)):
        return False
    some = python_values(column.drop_null().slice(0, MAX_LOOKED_INTO))
    return any(has_field({root: value}, name) for value in some)


def _with_field(table: Table, root: str, name: str) -> Table:
    column = table.columns[root]
    path = _path(column.type, name[len(root) + 1 :])
    if path is not None:
        values = pc.struct_field(column, path)
        if pa.types.is_string(values.type):
            values = values.cast(pa.large_string())
        return replace(table, columns=table.columns.append_column(name, values))
    found = [field_value({root: value}, name) for value in python_values(column)]
    own = table_from_columns({name: found}, table.rows, table.name)
    return replace(
        table,
        columns=table.columns.append_column(name, own.columns[name]),
        not_strings={**table.not_strings, **own.not_strings},
    )


def _path(kind: pa.DataType, rest: str) -> list[int] | None:
    """The fields of structs that a dotted name leads through; None where it is no such way."""
    if not pa.types.is_struct(kind):
        return None
    if (position := kind.get_field_index(rest)) >= 0:
        return [position]
    for first, after in roots(rest):
        position = kind.get_field_index(first)
        if position >= 0 and (path := _path(kind.field(position).type, after)) is not None:
            return [position, *path]
    return None
