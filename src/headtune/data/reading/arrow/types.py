"""Any Arrow table to columns of the types that the stages after this one work with.

    dictionaries, run-end encoding      their values
    every type of strings               large strings, all of them UTF-8
    views of bytes, half floats         large binary, float
    arrow.bool8, arrow.uuid, arrow.json true and false; strings
    other extension types               what they are stored as
    intervals, unions, list views       strings of JSON
    nested types with any of these      strings of JSON

Everything else stays as it is: numbers, dates and times, bytes, lists, structs and maps.

Guarantees: a value is kept, or written so that it can be read (values.py). Where a string is
not UTF-8 the rows are told, so that no text or label is made of it. Names that are not UTF-8, and
types nested more than ``MAX_DEPTH`` deep, are a ``DataError``.
Costs: all strings are checked.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.reading.arrow.values import UNREADABLE, escaped, python_values
from headtune.errors import DataError
from headtune.files.plain_json import to_raw_json

__all__ = ["plain_types"]

MAX_DEPTH = 50

Positions = frozenset[int]


def plain_types(table: pa.Table, name: str) -> tuple[pa.Table, dict[str, Positions]]:
    """The table in plain types, and the positions of strings that are not UTF-8, by column.

    Raises ``DataError`` on a type that cannot be read.
    """
    names = _column_names(table.schema, name)
    columns: list[pa.ChunkedArray] = []
    not_utf8: dict[str, Positions] = {}
    for column_name, column in zip(names, table.columns, strict=True):
        try:
            _check_depth(column.type)
            column, broken = _plain(column)
        except UNREADABLE as error:
            raise DataError(
                f"Column {column_name!r} of {name} holds {str(column.type)[:80]} values that "
                f"cannot be read: {' '.join(str(error).split())[:200]}.",
                column=column_name,
                way_out="Leave that column out, or write it as strings.",
            ) from error
        columns.append(column)
        if broken:
            not_utf8[column_name] = broken
    if not columns:
        return table, not_utf8
    return pa.table(columns, names=names), not_utf8


def _column_names(schema: pa.Schema, name: str) -> list[str]:
    try:
        return list(schema.names)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} has a column whose name is not UTF-8: {escaped(error.object)[:80]}.",
            way_out="Rename it.",
        ) from None


def _check_depth(kind: pa.DataType) -> None:
    level, depth = [kind], 0
    while level:
        level, depth = [inner for outer in level for inner in _children(outer)], depth + 1
        if depth > MAX_DEPTH:
            raise ValueError(f"they are nested more than {MAX_DEPTH} deep")


def _children(kind: pa.DataType) -> Iterable[pa.DataType]:
    if isinstance(kind, pa.BaseExtensionType):
        return [kind.storage_type]
    if pa.types.is_dictionary(kind):
        return [kind.value_type]
    return [kind.field(i).type for i in range(kind.num_fields)]


def _plain(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Positions]:
    """A column in a plain type, and where it is not UTF-8."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(_by_chunk(column, _looked_up, _without_view(kind.value_type)))
    if pa.types.is_run_end_encoded(kind):
        return _plain(_by_chunk(column, _run_out, _without_view(kind.value_type)))
    if isinstance(kind, pa.BaseExtensionType):
        return _of_extension(column)
    if _is_any_string(kind):
        return _utf8(column.cast(pa.large_string()))
    if pa.types.is_binary_view(kind):
        return column.cast(pa.large_binary()), frozenset()
    if pa.types.is_float16(kind):
        return column.cast(pa.float32()), frozenset()
    if _is_kept(kind) and not (pa.types.is_nested(kind) and not _is_valid(column)):
        return column, frozenset()
    return _as_json(column), frozenset()


def _by_chunk(
    column: pa.ChunkedArray, decode: Callable[[pa.Array], pa.Array], kind: pa.DataType
) -> pa.ChunkedArray:
    return pa.chunked_array([decode(chunk) for chunk in column.chunks], kind)


def _without_view(kind: pa.DataType) -> pa.DataType:
    """Views, as polars' Categorical and Enum have them, cannot be looked up or repeated."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if pa.types.is_binary_view(kind) else kind


def _looked_up(chunk: pa.DictionaryArray) -> pa.Array:
    values = chunk.dictionary.cast(_without_view(chunk.type.value_type))
    return pa.DictionaryArray.from_arrays(chunk.indices, values).dictionary_decode()


def _run_out(chunk: pa.RunEndEncodedArray) -> pa.Array:
    values = chunk.values.cast(_without_view(chunk.type.value_type))
    whole = pa.RunEndEncodedArray.from_arrays(chunk.run_ends, values)
    return pc.run_end_decode(whole.slice(chunk.offset, len(chunk)))


def _of_extension(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Positions]:
    kind = column.type
    stored = pa.chunked_array(
        [chunk.storage for chunk in column.chunks], kind.storage_type
    )  # which a cast refuses for some
    if kind.extension_name == "arrow.bool8":
        return stored.cast(pa.bool_()), frozenset()
    if kind.extension_name == "arrow.uuid":
        values = [None if value is None else str(UUID(bytes=value)) for value in stored.to_pylist()]
        return pa.chunked_array([pa.array(values, pa.large_string())]), frozenset()
    return _plain(stored)


def _is_any_string(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _is_kept(kind: pa.DataType) -> bool:
    """Whether the stages can work with a type as it is."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _is_kept(kind.value_type)
    if pa.types.is_map(kind):
        return _is_kept(kind.key_type) and _is_kept(kind.item_type)
    if pa.types.is_struct(kind):
        return all(_is_kept(inner) for inner in _children(kind))
    return not (
        pa.types.is_nested(kind)
        or pa.types.is_dictionary(kind)
        or pa.types.is_run_end_encoded(kind)
        or pa.types.is_interval(kind)
        or isinstance(kind, pa.BaseExtensionType)
    )


def _is_valid(column: pa.ChunkedArray) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _utf8(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Positions]:
    """Large strings with what is not UTF-8 escaped, and where that was."""
    if _is_valid(column):
        return column, frozenset()
    values: list[str | None] = []
    broken: list[int] = []
    for position, value in enumerate(column.cast(pa.large_binary()).to_pylist()):
        try:
            values.append(None if value is None else value.decode("utf-8"))
        except UnicodeDecodeError:
            values.append(escaped(value))
            broken.append(position)
    return pa.chunked_array([pa.array(values, pa.large_string())]), frozenset(broken)


def _as_json(column: pa.ChunkedArray) -> pa.ChunkedArray:
    values = [None if value is None else to_raw_json(value) for value in python_values(column)]
    return pa.chunked_array([pa.array(values, pa.large_string())])
