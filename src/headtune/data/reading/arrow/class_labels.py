"""Labels stored as numbers whose names are in the schema, as ``datasets`` writes them.

The schema's metadata has JSON under ``huggingface``; a ``ClassLabel`` among its features names the
numbers of a column. -1 means "no label" and becomes missing. A number without a name stays what it
is, as a string, and metadata that makes no sense is left out; both are said.
"""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.reading.table import is_writable
from headtune.files.plain_json import JsonObject

__all__ = ["name_class_labels"]

NOT_READ = "its Hugging Face metadata cannot be read and is left out"


def name_class_labels(
    table: pa.Table, metadata: Mapping[bytes, bytes] | None
) -> tuple[pa.Table, tuple[str, ...]]:
    """Numbers that carry names become the names; and what is to be said of it."""
    described = (metadata or {}).get(b"huggingface")
    features = _features(described) if described else {}
    if features is None:
        return table, (NOT_READ,)
    notes: list[str] = []
    columns = dict(zip(table.column_names, table.columns, strict=True))
    for name, feature in features.items():
        names = _names(feature)
        if not names or name not in columns or not pa.types.is_integer(columns[name].type):
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


def _named(numbers: pa.ChunkedArray, names: object) -> tuple[pa.ChunkedArray, int]:
    """The names, and how many numbers have none. Raises where they are no list of strings."""
    if not isinstance(names, list):
        raise TypeError(f"expected a list of names, received {type(names).__name__}")
    labels = pa.array(names, pa.large_string())
    numbers = numbers.cast(pa.int64())
    beyond = pc.greater_equal(numbers, len(names))
    has_name = pc.and_(pc.greater_equal(numbers, 0), pc.invert(beyond))
    named = pc.take(labels, pc.if_else(has_name, numbers, None))
    written = pc.cast(pc.if_else(beyond, numbers, None), pa.large_string())
    return pc.coalesce(named, written), pc.sum(beyond).as_py() or 0
