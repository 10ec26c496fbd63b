"""Arrow values to Python's, whatever they are: the one place where that is done.

``to_pylist`` of pyarrow ends in an error of its own at a single value that Python has no type for:
a date beyond the year 9999, a time in a zone that this machine does not know, bytes that are not
UTF-8, a struct with two fields of one name. Here such a value becomes one that can be read, and
every other stays what pyarrow makes of it:

    a time in an unknown zone        the same moment in UTC
    a date or time beyond Python     as ISO 8601 writes it, up to the year 32767
    ... or beyond that               its number and type: ``9223372036854775807 (timestamp[s])``
    bytes that are not UTF-8         escaped: ``caf\\xe9``
    two fields of one name           pairs of name and value

Costs: that of ``to_pylist``, and a look at each value in a column that has such a one.
"""

from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["UNREADABLE", "escaped", "python_value", "python_values"]

UNREADABLE = (pa.ArrowException, ValueError, ArithmeticError, LookupError, OSError)
"""What pyarrow raises where it cannot make a Python value."""


def python_values(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """The values of a column, ``(n_rows,)``; missing ones are None."""
    try:
        return list(_in_known_zone(column).to_pylist())
    except UNREADABLE:
        return [python_value(scalar) for scalar in column]


def python_value(scalar: pa.Scalar) -> Any:
    """One value; None where it is missing."""
    try:
        return _in_known_zone(scalar).as_py()
    except UNREADABLE:
        return _readable(scalar)


def _in_known_zone(values: Any) -> Any:
    """A column or value of times in a zone that is not known here, in UTC."""
    kind = values.type
    if not pa.types.is_timestamp(kind) or kind.tz is None or _is_known(kind.tz):
        return values
    return values.cast(pa.timestamp(kind.unit, "UTC"))


@cache
def _is_known(zone: str) -> bool:
    """Asked once a zone: pyarrow takes 0.5 ms to find that there is none."""
    try:
        pa.scalar(0, pa.timestamp("s", zone)).as_py()
    except UNREADABLE:
        return False
    return True


def escaped(value: bytes) -> str:
    """Bytes as text; those that are not UTF-8 as ``\\xe9``."""
    return value.decode("utf-8", "backslashreplace")


def _readable(scalar: pa.Scalar) -> Any:
    kind = scalar.type
    if pa.types.is_struct(kind):
        return _fields(scalar)
    if pa.types.is_map(kind):
        keys, values = scalar.values.field(0), scalar.values.field(1)
        return list(zip(python_values(keys), python_values(values), strict=True))
    if pa.types.is_union(kind):
        return python_value(scalar.value)
    if pa.types.is_nested(kind):
        return python_values(scalar.values)
    if pa.types.is_temporal(kind):
        return _moment(scalar)
    return escaped(scalar.as_buffer().to_pybytes())


def _fields(scalar: pa.StructScalar) -> Any:
    names = [scalar.type.field(i).name for i in range(scalar.type.num_fields)]
    values = [python_value(scalar[i]) for i in range(len(names))]
    if len(set(names)) == len(names):
        return dict(zip(names, values, strict=True))
    return [list(pair) for pair in zip(names, values, strict=True)]


def _moment(scalar: pa.Scalar) -> str:
    """A date, time or duration that Python has not."""
    kind, zone = scalar.type, ""
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        scalar, zone = scalar.cast(pa.timestamp(kind.unit)), "Z"
    written = str(pc.cast(scalar, pa.large_string()).as_py())
    if written.startswith("<") or pa.types.is_duration(kind):  # "<value out of range: …>"
        return f"{scalar.value} ({kind})"
    return written + zone
