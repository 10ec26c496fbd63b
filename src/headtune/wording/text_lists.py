"""Texts and labels as a caller of the library gives them, before anything is known of them.

Guarantees: what has no order (a set), more than one dimension (a table, a column vector) or no
elements at all (a string, None) is said by its name, instead of being gone through some other way.

Leaf module, and light: an answer to one text does not wait for the data stage.
"""

import re
from collections.abc import Iterable, Mapping, Sized
from typing import Any

from headtune.errors import DataError
from headtune.wording.numbers import count

__all__ = [
    "HALF_PAIR",
    "check_same_length",
    "has_half_pair",
    "label_list",
    "shortened",
    "text_list",
]

HALF_PAIR = "half a surrogate pair, which is not text"
"""As JSON may hold one, and Python where it reads bytes that are not UTF-8; nothing writes it."""

_HALF_PAIR = re.compile("[\ud800-\udfff]")

SHOWN_CHARACTERS = 500
"""How much is shown of a text that cannot be used, or of a row that is set aside."""


def text_list(texts: Iterable[Any]) -> list[Any]:
    """Texts given from Python, as a list. Raises ``DataError`` on what only looks like texts."""
    return _one_list(texts, "texts")


def label_list(labels: Iterable[Any]) -> list[Any]:
    """Labels given from Python, as a list. Raises ``DataError`` on what only looks like labels."""
    return _one_list(labels, "labels")


def _one_list(values: Any, what: str) -> list[Any]:
    """A table or a dict would be gone through by the names of its columns."""
    kind, way_out = type(values).__name__, "Put it in a list."
    shape = getattr(values, "shape", None)
    if isinstance(values, str):
        received = "one string"
    elif isinstance(values, Mapping) or _has_columns(values):
        received, way_out = _a(kind), "Give one column of it, or the rows in a list."
    elif shape is not None and len(shape) != 1:
        received, way_out = _of_shape(kind, tuple(shape))
    elif isinstance(values, bytes | bytearray | set | frozenset) or not isinstance(
        values, Iterable
    ):
        received = "None" if values is None else _a(kind)
    else:
        return list(values.to_pylist() if hasattr(values, "to_pylist") else values)
    raise DataError(f"Expected a list of {what}, received {received}.", way_out=way_out)


def _has_columns(values: Any) -> bool:
    """Whether it is a table; one that would first have to look for its columns is not asked."""
    names = {*dir(type(values)), *getattr(values, "__dict__", ())}
    return not names.isdisjoint(("columns", "column_names"))


def _of_shape(kind: str, shape: tuple[int, ...]) -> tuple[str, str]:
    written = "x".join(map(str, shape)) or "no dimension"
    if len(shape) == 2 and shape[1] == 1:
        return f"a column vector ({kind} of {written})", "Make one dimension of it: .ravel()"
    return f"{_a(kind)} of {written}", "Give one dimension, such as one column."


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeionAEIO' else 'a'} {kind}"


def has_half_pair(text: str) -> bool:
    """Whether a text holds half a surrogate pair, which no encoding can write."""
    return not text.isascii() and _HALF_PAIR.search(text) is not None


def shortened(content: str) -> str:
    """At most ``SHOWN_CHARACTERS`` of it."""
    if len(content) <= SHOWN_CHARACTERS:
        return content
    return content[: SHOWN_CHARACTERS - 1] + "…"


def check_same_length(texts: Sized, labels: Sized) -> None:
    """Raises ``DataError`` unless there is a label for each text."""
    if len(texts) != len(labels):
        raise DataError(
            f"Expected a label for each text; received {count(len(texts), 'text')} and "
            f"{count(len(labels), 'label')}."
        )
