"""JSON that others wrote: a right read or a ``ValueError``, in time that grows as the text does."""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtune.files.strict_json import MAX_DEPTH, MAX_VALUES, parse_strict_json, read_strict_json

TWO_MB = 2_000_000
SECONDS = 2.0

TRAPS: dict[str, Callable[[int], str]] = {
    "an unclosed string of escaped quotes": lambda n: '"' + '\\"' * (n // 2),
    "unclosed strings in a list": lambda n: "[" + '"\\",' * (n // 4),
    "backslashes": lambda n: '"' + "\\" * n,
    "backslashes after a closed string": lambda n: '"" ' + "\\" * n,
    "quotes": lambda n: '"' * n,
    "escaped NULs": lambda n: '["' + "\\\\u0000" * (n // 7) + '"]',
    "doubled keys at the end": lambda n: (
        "{" + "".join(f'"{i:07}":0,' for i in range(n // 12)) + '"x":0,"x":0}'
    ),
    "one key over and over": lambda n: "{" + ",".join(['"a":0'] * (n // 6)) + "}",
    "deep": lambda n: "[" * n,
    "deep objects": lambda n: '{"a":' * (n // 5),
    "closed before they are opened": lambda n: "]" * n,
    "empty lists": lambda n: "[" + "[]," * (n // 3) + "[]]",
    "one number": lambda n: "1" * n,
    "one number below 1": lambda n: "0." + "1" * n,
    "one exponent": lambda n: "1e" + "9" * n,
    "a minus before nothing": lambda n: "-" * n,
    "surrogates": lambda n: '"' + "\\ud800" * (n // 6) + '"',
    "pairs of surrogates": lambda n: '"' + "\\ud83d\\ude00" * (n // 12) + '"',
    "white space": lambda n: " " * n,
    "NaN": lambda n: "[" + "NaN," * (n // 4) + "1]",
}  # fmt: skip
"""Texts of about ``n`` characters, each the worst that somebody thought of for some reader."""


def seconds_of(text: str) -> float:
    start = time.process_time()
    with suppress(ValueError):
        parse_strict_json(text)
    return time.process_time() - start


@pytest.mark.parametrize("name", TRAPS)
def test_two_megabytes_are_read_or_refused_in_two_seconds(name: str) -> None:
    assert seconds_of(TRAPS[name](TWO_MB)) < SECONDS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "'a' occurs twice"),
        ("[" + "0," * MAX_VALUES + "0]", "more than 1,000,000 values"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "levels deep"),
        ('["\ud800"]', "surrogates"),
        ('{"\\u0000": 1}', "NUL"),
        ("1" * 5_000, "a number of 5000 digits"),
        ("-1e999", "out of range"),
        ("NaN", "NaN is no JSON"),
    ],
    ids=range(8),
)
def test_what_is_no_json_of_ours_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_strict_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        json.dumps("[{" * 1_000),
        json.dumps(["\\u0000", "\\", '"', "\\" * 9, "é😀"]),
        json.dumps("é😀"),
        "-1.5e-3",
    ],
    ids=range(5),
)
def test_what_is_unusual_but_right_is_read(text: str) -> None:
    assert parse_strict_json(text) == json.loads(text)


def test_a_device_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe"):
        with pytest.raises(ValueError, match="rather than a file"):
            read_strict_json(path)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: True is not 1."""
    return repr(one) == repr(other)


@settings(max_examples=100, deadline=None)
@given(value=plain, ascii_only=st.booleans())
def test_what_python_writes_is_read_alike_or_refused(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        found = parse_strict_json(text)
    except ValueError:
        return
    assert same(found, json.loads(text))


@st.composite
def broken_texts(draw: st.DrawFn) -> str:
    """JSON with pieces cut out, doubled, exchanged or put in."""
    text = json.dumps(draw(plain), ensure_ascii=draw(st.booleans()))
    pieces = st.sampled_from(
        ['"', "\\", '\\"', "{", "}", "[", "]", ",", ":", "NaN", "-Infinity", "1e999", "9" * 50,
         "\\ud800", "\\u0000", "\0", '"a":1,"a":2', "\ufeff", "\ud800", "[" * 70]
    )  # fmt: skip
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 9)))
        match draw(st.integers(0, 3)):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:end] + text[start:]
            case 2:
                text = text[:start]
            case _:
                text = text[:start] + draw(pieces) + text[end:]
    return text


@settings(max_examples=250, deadline=None)
@given(text=broken_texts())
def test_broken_json_is_read_as_python_does_or_refused(text: str) -> None:
    try:
        found = parse_strict_json(text)
    except ValueError:
        return
    assert same(found, json.loads(text))
