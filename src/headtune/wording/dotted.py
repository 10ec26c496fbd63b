"""Fields inside of fields by a dotted name: ``data.text``, ``messages.0.content``.

At each point the whole rest of the name is looked for first, then ever shorter beginnings of it, so
that a key with a dot in it goes before a field of another. A number picks from a list; ``user``,
``assistant`` or ``system`` picks from the messages of a conversation (chat.py). A string that is
JSON is looked into, as tables have it where they have no nested columns.

Leaf module, and light: an answer to one text does not wait for the data stage.
"""

import json
from collections.abc import Iterator, Mapping

from headtune.wording.chat import ROLES, are_messages, message_of

__all__ = ["field_value", "has_field", "opened", "roots"]


def field_value(record: Mapping[str, object], name: str) -> object:
    """The value of a field, nested or not; None where there is none."""
    return next(_values(record, name), None)


def has_field(record: Mapping[str, object], name: str) -> bool:
    """Whether a record has a field of that name, nested or not."""
    return next(_values(record, name), _NOTHING) is not _NOTHING


_NOTHING = object()


def roots(name: str) -> Iterator[tuple[str, str]]:
    """Each way to cut a dotted name in two, the longest first part first; none without a dot."""
    end = name.rfind(".")
    while end > 0:
        yield name[:end], name[end + 1 :]
        end = name.rfind(".", 0, end)


def _values(value: object, name: str) -> Iterator[object]:
    """What the name leads to; the first is meant."""
    value = opened(value)
    if isinstance(value, Mapping):
        if name in value:
            yield value[name]
            return
        for first, rest in roots(name):
            if first in value:
                yield from _values(value[first], rest)
    elif isinstance(value, list | tuple):
        first, _, rest = name.partition(".")
        if first in ROLES and not rest and are_messages(value):
            yield message_of(value, first)
        elif first.isascii() and first.isdecimal() and len(first) < 10 and int(first) < len(value):
            inner = value[int(first)]
            yield from _values(inner, rest) if rest else [inner]
        elif _are_pairs(value):
            yield from _values(dict(value), name)


def _are_pairs(value: list[object] | tuple[object, ...]) -> bool:
    """Whether it is what Arrow gives for a map."""
    return bool(value) and all(
        isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in value
    )


def opened(value: object) -> object:
    """A string that is an object or array of JSON as its value; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
