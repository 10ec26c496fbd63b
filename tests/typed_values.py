"""Whether values are what their ``TypedDict`` says: a type checker believes it, a test looks."""

from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints
from typing import is_typeddict as is_record

__all__ = ["misfits"]


def misfits(value: Any, kind: Any, where: str = "") -> list[str]:
    """Where a value has a key that its type lacks, lacks one it needs, or has another type.

    A whole number is a float, too.
    """
    if is_record(kind):
        return _of_record(value, kind, where)
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return []
    if origin in (Required, NotRequired):
        return misfits(value, inner[0], where)
    if origin in (Union, UnionType):
        tried = [misfits(value, each, where) for each in inner]
        return min(tried, key=len)
    if origin is Literal:
        return [] if value in inner else [f"{where}: {value!r}"]
    if origin is list and isinstance(value, list):
        return [m for i, each in enumerate(value) for m in misfits(each, inner[0], f"{where}[{i}]")]
    if origin is dict and isinstance(value, dict):
        return [m for k, each in value.items() for m in misfits(each, inner[1], f"{where}.{k}")]
    expected: Any = {None: NoneType, float: (int, float)}.get(kind, origin or kind)
    fits = isinstance(value, expected) and not (kind in (int, float) and isinstance(value, bool))
    return [] if fits else [f"{where}: {value!r} is no {kind}"]


def _of_record(value: Any, kind: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no {kind.__name__}"]
    types = get_type_hints(kind)
    found = [f"{where}.{key} is unknown" for key in value.keys() - types.keys()]
    found += [f"{where}.{key} is missing" for key in kind.__required_keys__ - value.keys()]
    for key in value.keys() & types.keys():
        found += misfits(value[key], types[key], f"{where}.{key}")
    return found
