"""Values as JSON that any reader takes: the one place where headtune writes it.

Python's writer would write NaN and Infinity, which JSON has not (RFC 8259, section 6), and at which
other readers stop. Here such a number becomes null, "not known". Letters of every alphabet stay as
they are; what JSON has no type for (a date, a path) becomes text. Characters that would do
something to a terminal instead of being seen (wording/visible.py) are written as JSON's own
``\\u202e``, which is the same value to whoever reads it.

Leaf module.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from headtune.wording.visible import UNSEEN

__all__ = ["JsonObject", "finite", "to_json", "to_raw_json"]

JsonObject: TypeAlias = dict[str, Any]
"""An object of a file that others write and define, whose keys nobody here can know."""


def to_json(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON, without a line end."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", to_raw_json(value, indent=indent))


def to_raw_json(value: Any, *, indent: int | None = None) -> str:
    """The same with all letters as they are: for a value that becomes the text of an example."""
    try:
        return _written(value, indent)
    except ValueError:  # of a number that is not finite
        return _written(finite(value), indent)


def finite(value: Any) -> Any:
    """The value with None in place of each number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value


def _written(value: Any, indent: int | None) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, default=str)
