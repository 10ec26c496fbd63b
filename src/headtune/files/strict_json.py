"""JSON that others may have written: read within bounds, or refused in one line.

Python's reader is generous: it recurses as deep as the text nests, takes NaN and Infinity, and
keeps the last of two equal keys, so that a reader and a checker can see different values. None of
that is in a manifest, so none of it is read.

Guarantees: plain values without NaN, keys once, at most 64 levels and a million values; else
``ValueError``. Costs: linear in the text, whatever it holds: 2 MB take at most a second; nothing
larger than ``MAX_BYTES``, and nothing but a file, is opened.
"""

import json
import re
from pathlib import Path
from stat import S_ISREG
from typing import Any

from headtune.files.plain_json import JsonObject

__all__ = ["MAX_BYTES", "parse_strict_json", "read_strict_json"]

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 64
MAX_DIGITS = 40
MAX_VALUES = 1_000_000

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A string may lack its end: then it is all the rest, and never searched again from further on."""


def read_strict_json(path: Path) -> Any:
    """The value in a file. Raises ``ValueError`` with a reason, or ``OSError``."""
    if not S_ISREG(path.stat().st_mode):
        raise ValueError("a device or a pipe rather than a file")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES // 2**20} MB")
    return parse_strict_json(content.decode("utf-8"))


def parse_strict_json(text: str) -> Any:
    """The value of a text. Raises ``ValueError`` with a reason."""
    if sum(map(text.count, ",[{")) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES:,} values")
    if _deeper_than(text, MAX_DEPTH):
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
    value = json.loads(
        text,
        object_pairs_hook=_keys_once,
        parse_constant=_refuse,
        parse_int=lambda digits: int(_short(digits)),
        parse_float=lambda digits: _finite(_short(digits)),
    )
    if "\\u" in text or not text.isascii():
        _check_characters(value)
    return value


def _deeper_than(text: str, most: int) -> bool:
    """Whether brackets nest deeper outside strings; what closes too early is left to the reader."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        first = text[found.start()]
        if first != '"':
            depth += 1 if first in "[{" else -1
            if not 0 <= depth <= most:
                return depth > most
    return False


def _keys_once(pairs: list[tuple[str, Any]]) -> JsonObject:
    values = dict(pairs)
    if len(values) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"the key {name[:40]!r} occurs twice")
            seen.add(name)
    return values


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _short(digits: str) -> str:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return digits


def _finite(digits: str) -> float:
    value = float(digits)
    if abs(value) == float("inf"):
        raise ValueError(f"{digits} is out of range")
    return value


def _check_characters(value: Any) -> None:
    """No string holds what no file name, label or terminal can: NUL, or half a surrogate pair."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                if "\0" in text:
                    raise ValueError("a string with a NUL character")
                text.encode("utf-8")  # raises UnicodeEncodeError, a ValueError
            case dict() as values:
                waiting.extend(values)
                waiting.extend(values.values())
            case list() as values:
                waiting.extend(values)
