"""Labels stored as numbers whose names are in the schema, as ``datasets`` writes them.

The schema's metadata has JSON under ``huggingface``; a ``ClassLabel`` among its features names the
numbers of a column. -1 means "no label" and becomes missing. A number without a name stays what it
is, as a string, and metadata that makes no sense is left out; both are said.

A column that was renamed after the metadata was written has no feature, and the feature no column.
Where there is one of each and all numbers have a name, they belong together; where that cannot be
told, the loss of the names is said.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.reading.names import listed
from headtune.data.reading.table import is_writable
from headtune.files.plain_json import JsonObject

__all__ = ["RangeOf", "name_class_labels", "range_in"]

NOT_READ = "its Hugging Face metadata cannot be read and is left out"

RangeOf: TypeAlias = Callable[[str], tuple[int, int] | None]
"""Column of whole numbers -> the smallest and the largest in the whole table; None without any."""


def range_in(table: pa.Table, column: str) -> tuple[int, int] | None:
    """The smallest and the largest number of a column; None without any."""
    ends = pc.min_max(table[column])
    return None if ends["min"].as_py() is None else (ends["min"].as_py(), ends["max"].as_py())


def name_class_labels(
    table: pa.Table,
    metadata: Mapping[bytes, bytes] | None,
    range_of: RangeOf | None = None,
) -> tuple[pa.Table, tuple[str, ...]]:
    """Numbers that carry names become the names; and what is to be said of it.

    ``range_of`` is that of the whole, where the table is a chunk: all chunks are then named alike.
    """
    described = (metadata or {}).get(b"huggingface")
    features = _features(described) if described else {}
    if features is None:
        return table, (NOT_READ,)
    found, notes = _renamed(table.schema, features, range_of or partial(range_in, table))
    features = features | found
    columns = dict(zip(table.column_names, table.columns, strict=True))
    for name, feature in features.items():
        names = _names(feature)
        if not names or name not in columns or not _may_be_numbers(columns[name].type):
            continue
        try:
            columns[name], n_unnamed = _named(columns[name], names)
        except (pa.ArrowException, TypeError, UnicodeEncodeError):
            notes.append(f"the names of {name!r} in its Hugging Face metadata are left out")
            continue
        if n_unnamed:
            notes.append(f"numbers of {name!r} without a name are kept as they are")
    if len(columns) < table.num_columns:  # of one name, which ``Table`` refuses
        return table, ()
    return (pa.table(columns) if columns else table), tuple(notes)


def _renamed(
    schema: pa.Schema, features: JsonObject, range_of: RangeOf
) -> tuple[JsonObject, list[str]]:
    """Column -> the feature of labels that it lost by a new name; and what is to be said."""
    lost = {
        name: feature
        for name, feature in features.items()
        if name not in schema.names and _is_list_of_names(_names(feature))
    }
    if not lost:
        return {}, []
    free = [f.name for f in schema if f.name not in features and pa.types.is_integer(f.type)]
    said = "; ".join(f"{name!r} ({_shown(_names(feature))})" for name, feature in lost.items())
    if len(free) == len(lost) == 1:
        (feature,) = lost.values()
        if _fits(range_of(free[0]), len(_names(feature))):
            note = f"the numbers of {free[0]!r} have the names of the column {said}"
            return {free[0]: feature}, [f"{note} that its Hugging Face metadata describes"]
    note = f"its Hugging Face metadata names labels of the column {said}, which is not there"
    if not free:
        return {}, [note]
    which = " or ".join(map(repr, free))
    return {}, [f"{note}; that {which} holds them cannot be told, so their names are lost"]


def _fits(ends: tuple[int, int] | None, n_names: int) -> bool:
    return ends is not None and ends[0] >= -1 and ends[1] < n_names


def _shown(names: list[str]) -> str:
    return listed(names[:5]) + (", …" if len(names) > 5 else "")


def _may_be_numbers(kind: pa.DataType) -> bool:
    """Whole numbers, and those that a missing one among them has turned into fractions."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _features(described: bytes) -> JsonObject | None:
    """Column -> its feature; None where the metadata is something else."""
    try:
        inner: Any = json.loads(described)
        for key in ("info", "features"):
            inner = inner.get(key, {})
    except (ValueError, RecursionError, AttributeError):  # no JSON, too deep, or no object
        return None
    return inner if isinstance(inner, dict) and is_writable(list(inner)) else None


def _names(feature: object) -> Any:
    if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
        return feature.get("names")
    return None


def _is_list_of_names(names: object) -> bool:
    return (
        isinstance(names, list)
        and bool(names)
        and all(isinstance(name, str) for name in names)
        and is_writable(names)
    )


def _named(numbers: pa.ChunkedArray, names: object) -> tuple[pa.ChunkedArray, int]:
    """The names, and how many numbers have none. Raises where they are no list of strings."""
    if not isinstance(names, list):
        raise TypeError(f"expected a list of names, received {type(names).__name__}")
    labels = pa.array(names, pa.large_string())
    if pa.types.is_floating(numbers.type):
        numbers = pc.if_else(pc.is_nan(numbers), None, numbers)
    numbers = numbers.cast(pa.int64())
    beyond = pc.greater_equal(numbers, len(names))
    has_name = pc.and_(pc.greater_equal(numbers, 0), pc.invert(beyond))
    named = pc.take(labels, pc.if_else(has_name, numbers, None))
    written = pc.cast(pc.if_else(beyond, numbers, None), pa.large_string())
    return pc.coalesce(named, written), pc.sum(beyond).as_py() or 0
