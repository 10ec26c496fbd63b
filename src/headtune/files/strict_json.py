"""JSON that others may have written: read within bounds, or refused in one line.

Python's reader is generous: it recurses as deep as the text nests, takes NaN and Infinity, and
keeps the last of two equal keys, so that a reader and a checker can see different values. None of
that is in a manifest, so none of it is read.

Guarantees: plain values without NaN, keys once, at most 64 levels; else ``ValueError``. Costs: one
pass over the text; nothing larger than ``MAX_BYTES`` is opened.
"""

import json
import re
from pathlib import Path
from typing import Any

from headtune.files.plain_json import JsonObject

__all__ = ["MAX_BYTES", "parse_strict_json", "read_strict_json"]

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 64
MAX_DIGITS = 40

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def read_strict_json(path: Path) -> Any:
    """The value in a file. Raises ``ValueError`` with a reason, or ``OSError``."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES // 2**20} MB")
    return parse_strict_json(path.read_bytes().decode("utf-8"))


def parse_strict_json(text: str) -> Any:
    """The value of a text. Raises ``ValueError`` with a reason."""
    if _depth(text) > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
    value = json.loads(
        text,
        object_pairs_hook=_keys_once,
        parse_constant=_refuse,
        parse_int=lambda digits: int(_short(digits)),
        parse_float=lambda digits: _finite(_short(digits)),
    )
    if "\\u" in text:
        _check_characters(value)
    return value


def _depth(text: str) -> int:
    """How deep brackets nest outside strings."""
    deepest = depth = 0
    for bracket in re.findall(r"[\[\]{}]", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _keys_once(pairs: list[tuple[str, Any]]) -> JsonObject:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:40]!r} occurs twice")
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
    written = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if "\\u0000" in written:
        raise ValueError("a string with a NUL character")
    written.encode("utf-8")  # raises UnicodeEncodeError, a ValueError
