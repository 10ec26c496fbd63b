"""JSON text to Python values: what the file says, or one line on why it cannot be read.

A whole file is one value, or objects one after another (as ``jq`` prints them). A line of JSON
Lines is a value of its own.

Guarantees: what Python would let pass in silence is found. An object that has a key twice would
lose the first value; it is marked as ``Twice``, so that its record can be set aside. Values nested
more than ``MAX_DEPTH`` deep are refused, which no table needs and which the stages after this one
could not take apart. ``NaN`` and ``Infinity``, which JSON has not and Python writes, are numbers.
Costs: memory of several times the text; 100 MB a second or less.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headtune.data.reading.table import NESTED
from headtune.errors import DataError

__all__ = ["MAX_DEPTH", "Twice", "fault_of", "parse_json", "parse_line"]

MAX_DEPTH = 50

SPACE = " \t\r\n"


class Twice(dict[str, object]):
    """An object of a file that has one key more than once: ``key`` is the first such."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice, seen = Twice(found), set[str]()
    for key, _ in pairs:
        if key in seen:
            twice.key = key
            break
        seen.add(key)
    return twice


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def parse_line(line: str) -> object:
    """The value of one line. Raises ``ValueError`` (``JSONDecodeError``), ``RecursionError``."""
    return _DECODER.decode(line)


def parse_json(text: str, name: str) -> object:
    """The value of a whole file; of several objects one after another, the list of them.

    Raises ``DataError`` where it is not valid.
    """
    try:
        values = list(_values(text))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{name} is not valid JSON: {error.msg} at line {error.lineno:,}, "
            f"column {error.colno:,}.",
            way_out="It may be cut short. If it has an object on each line, let its name end in "
            ".jsonl: a line that is broken is then set aside.",
        ) from None
    except RecursionError:
        raise DataError(f"{name} is nested too deeply for a table.") from None
    except ValueError:
        raise DataError(
            f"{name} holds a number of too many digits to be read.",
            way_out="Write it in quotes, as a string.",
        ) from None
    value = values if len(values) > 1 else values[0]
    _check_keys(value, name)
    return value


def _check_keys(value: object, name: str) -> None:
    """A key twice around the rows would lose all rows of the first."""
    level = [value]
    for _ in range(MAX_DEPTH):
        objects = [part for part in level if isinstance(part, Mapping)]
        if twice := [part for part in objects if isinstance(part, Twice)]:
            raise DataError(
                f"{name} has {_twice(twice[0])}, of which only one could be read.",
                way_out="Rename one of them.",
            )
        level = [inner for part in objects for inner in part.values()]


def _values(text: str) -> Iterator[object]:
    """One value after another; objects or arrays only, where there are several."""
    value, end = _DECODER.raw_decode(text, _after_space(text, 0))
    yield value
    while (start := _after_space(text, end)) < len(text):
        if text[start] not in "{[" or not isinstance(value, dict | list):
            raise json.JSONDecodeError("Extra data", text, start)
        value, end = _DECODER.raw_decode(text, start)
        yield value


def _after_space(text: str, start: int) -> int:
    while start < len(text) and text[start] in SPACE:
        start += 1
    return start


def fault_of(record: Mapping[Any, object] | Sequence[object]) -> str | None:
    """Why a record cannot be taken as it is; None where it can."""
    if isinstance(record, Twice):
        return _twice(record)
    values = record.values() if isinstance(record, dict) else record
    level = [value for value in values if isinstance(value, NESTED)]
    for _ in range(MAX_DEPTH):
        if not level:
            return None
        inner: list[Any] = []
        for part in level:
            if isinstance(part, Twice):
                return _twice(part)
            inner += part.values() if isinstance(part, dict) else part
        level = [value for value in inner if isinstance(value, NESTED)]
    return f"values nested more than {MAX_DEPTH} deep"


def _twice(record: Twice) -> str:
    return f"two values for the key {record.key[:80]!r}"
