"""What a whole JSON value, or a Python one, is as a table: the rows of each part.

    [{…}, {…}]                                   records
    [["a text", "ham"], …]                       rows that are arrays (arrays.py)
    {…}                                          one of the forms of objects.py
    {"train": …, "validation": …, "test": …}     the parts, each of them one of the above
    {"meta": {…}, "data": {"items": …}}          any of these below a key, however deep

Guarantees: what was made of it is a note. A value that could be two of these is decided by what it
holds and by the columns that the options name, or it is an error that says what there is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from headtune.data.reading.json.arrays import asked_names
from headtune.data.reading.json.objects import (
    Object,
    Rows,
    are_columns,
    columns_of,
    has_records,
    rows_of_object,
)
from headtune.data.reading.json.parse import MAX_DEPTH
from headtune.data.reading.names import TEXT_NAMES, listed
from headtune.data.reading.part_names import PART_NAMES, PARTS
from headtune.errors import DataError
from headtune.options import DataConfig
from headtune.wording.numbers import count

__all__ = ["Shape", "find_shape"]

TEXTS = {name for group in TEXT_NAMES for name in group}


@dataclass(frozen=True, slots=True)
class Shape:
    """The rows of each part, ``train`` first, and what was found or left out, in words."""

    parts: Mapping[str, Rows]
    notes: tuple[str, ...] = ()


def find_shape(value: object, name: str, config: DataConfig) -> Shape:
    """What a value is as a table. Raises ``DataError`` where it is none, or could be two."""
    if isinstance(value, Mapping):
        asked = asked_names(config)
        found = _of_object(value, asked)
        if found is None and not are_columns(value):
            found = _below_a_key(value, name, asked)
        return found or Shape({"train": _columns(value, name)})
    if isinstance(value, list | tuple) and (not value or has_records(value)):
        return Shape({"train": Rows(value)})
    raise DataError(
        f'{name} holds no table: expected an array of objects ([{{"text": …, "label": …}}, …]), '
        f"of pairs ([[text, label], …]) or an object of columns, received {_kind(value)}."
    )


def _of_object(value: Object, asked: set[str]) -> Shape | None:
    """What an object is by itself, without looking below its keys; not where it is columns."""
    if asked & set(value):
        return None
    if (parts := _parts(value)) is not None:
        return parts
    rows = rows_of_object(value)
    return None if rows is None else Shape({"train": rows}, (rows.note,))


def _parts(value: Object) -> Shape | None:
    """Keys that are called as parts are, each of them rows."""
    named = {key: PART_NAMES[key.lower()] for key in value if key.lower() in PART_NAMES}
    rows = {key: found for key in value if (found := _rows(value[key])) is not None}
    if "train" not in named.values() or set(named) - set(rows):
        return None
    filled = {key: part for key, part in named.items() if len(rows[key])}
    if len(set(filled.values())) < len(filled) or "train" not in filled.values():
        return None
    order = sorted(filled, key=lambda key: PARTS.index(filled[key]))
    left_out = [f"{key} ({count(len(rows[key]), 'row')})" for key in rows if key not in filled]
    notes = [f"parts by key: {', '.join(order)}"]
    if left_out:
        notes.append(f"left out, empty or not called as a part is: {listed(left_out)}")
    return Shape({filled[key]: rows[key] for key in order}, tuple(notes))


def _rows(value: object) -> Rows | None:
    """What the value of a part is; None where it holds no rows."""
    if isinstance(value, list | tuple):
        return Rows(value) if not value or has_records(value) else None
    if not isinstance(value, Mapping):
        return None
    found = rows_of_object(value)
    return Rows(columns=columns_of(value)) if found is None and are_columns(value) else found


class _Below(NamedTuple):
    """A table below a key; ``rank`` 0 is evident, 1 and 2 only where there is nothing better."""

    path: str
    rank: int
    shape: Shape


def _below_a_key(value: Object, name: str, asked: set[str]) -> Shape | None:
    """The one table below the keys of an object; None where there is none."""
    below = list(_tables_below(value, asked, (), 0))
    best = min((each.rank for each in below), default=0)
    found = [each for each in below if each.rank == best]
    if len(found) > 1:
        evident = [each for each in found if each.shape.parts["train"].column_names & TEXTS]
        found = evident if len(evident) == 1 else found
    if len(found) > 1:
        raise DataError(
            f"{name} holds more than one table: {listed([each.path for each in found])}.",
            way_out="Keep one of them in a file of its own, as an array of objects.",
        )
    if not found:
        return None
    (only,) = found
    return replace(only.shape, notes=(f"records below {only.path}", *only.shape.notes))


def _tables_below(
    value: Object, asked: set[str], path: tuple[str, ...], depth: int
) -> Iterator[_Below]:
    if depth > MAX_DEPTH:
        return
    for key, inner in value.items():
        below = (*path, str(key))
        if isinstance(inner, list | tuple) and has_records(inner):
            yield _Below(".".join(below), 0, Shape({"train": Rows(inner)}))
        elif isinstance(inner, Mapping) and inner:
            shape = _of_object(inner, asked)
            if shape is not None:
                yield _Below(".".join(below), _rank_of(inner, shape), shape)
            elif are_columns(inner):
                shape = Shape({"train": Rows(columns=columns_of(inner))})
                yield _Below(".".join(below), 1, shape)
            else:
                yield from _tables_below(inner, asked, below, depth + 1)


def _rank_of(value: Object, shape: Shape) -> int:
    """Labels by text look like any object of settings; the other forms hold lists or objects."""
    if len(shape.parts) > 1:
        return 0
    return 1 if any(isinstance(x, Mapping | list | tuple) for x in value.values()) else 2


def _columns(value: Object, name: str) -> Rows:
    """Lists by column, or what pandas writes: values by row name by column."""
    for column, values in value.items():
        if not isinstance(values, Mapping | list | tuple):
            raise DataError(
                f"{name} holds no table: column {column!r} is {_kind(values)}, expected a list of "
                "values.",
                column=str(column),
                way_out="An array of objects, or JSON Lines, can be read too.",
            )
    columns = columns_of(value)
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        counts = listed([f"{column}: {n:,}" for column, n in lengths.items()])
        raise DataError(f"{name} has columns of different lengths ({counts}); expected one.")
    return Rows(columns=columns)


def _kind(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"an array of {_kind(value[0])}" if value else "an empty array"
    if isinstance(value, Mapping):
        return "an object"
    names = {str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
