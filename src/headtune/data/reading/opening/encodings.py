"""The encoding that a file is read in: the given one, unless the file says of itself that it is
UTF-16 or UTF-32.

It says so by a byte order mark, or by zero bytes: every other byte of English is one in UTF-16, and
of Chinese still those of commas and line ends. Where none is given (or UTF-8, which is the same),
such a file is read as what it is, and that is said; an encoding that was given against a mark is an
error. Other encodings cannot be known, but only guessed: ``detection.py`` proposes, the user
decides. Where it looks as if the user decided wrongly, that is said, too.

Costs: nothing for a file in UTF-8; up to 0.3 s for one that another encoding was given for.
"""

import codecs
import re
from dataclasses import dataclass

from headtune.data.reading.opening.detection import garbled
from headtune.data.reading.opening.plausible import plausibility
from headtune.errors import ConfigError, EncodingError, option

__all__ = [
    "BYTE_ORDER_MARKS",
    "TextEncoding",
    "check_encoding",
    "encoding_of",
    "text_encoding",
    "unmarked_encoding",
]

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: ("utf-32", "utf-32-le"),  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: ("utf-32", "utf-32-be"),
    codecs.BOM_UTF16_LE: ("utf-16", "utf-16-le"),
    codecs.BOM_UTF16_BE: ("utf-16", "utf-16-be"),
    codecs.BOM_UTF8: ("utf-8", "utf-8-sig"),
}
"""First bytes of a file -> the encodings that read it."""

SHIFTS = {
    b"\x1b$B": "iso2022_jp",
    b"\x1b$@": "iso2022_jp",
    b"\x1b$(D": "iso2022_jp_1",
    b"\x1b$)C": "iso2022_kr",
}
"""What such files change their characters by -> their encoding. All of their bytes are ASCII."""

SHIFT = re.compile(b"|".join(map(re.escape, SHIFTS)))

LEAST_ZEROS = 0.05
"""Of bytes that are UTF-8: zeros and other control characters that make them something else."""

SAMPLE_BYTES = 8_192
LEAST_POINTS = 0.5


@dataclass(frozen=True, slots=True)
class TextEncoding:
    """Python's name of an encoding, and what is to be said about it, if anything."""

    name: str
    note: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """The note, if there is one."""
        return (self.note,) if self.note else ()


def check_encoding(encoding: str) -> str:
    """Python's name of an encoding of text. Raises ``ConfigError`` when it knows none."""
    try:
        "".encode(encoding)
        return codecs.lookup(encoding).name
    except LookupError:
        raise ConfigError(
            f"{option('encoding', encoding)} is not an encoding of text that Python knows.",
            option="encoding",
            way_out="Try utf-8, cp1252, latin-1, utf-16 or shift_jis.",
        ) from None


def text_encoding(head: bytes, given: str, name: str) -> TextEncoding:
    """The same as ``encoding_of``, and a note where texts look garbled in it."""
    found = encoding_of(head, given, name)
    return found if found.note else TextEncoding(found.name, garbled(head, found.name))


def encoding_of(head: bytes, given: str, name: str) -> TextEncoding:
    """The encoding to read the file ``name`` in, from its first bytes and ``given``.

    Raises ``ConfigError`` on an encoding that is none, and ``EncodingError`` where the file has the
    byte order mark or the escape sequences of another.
    """
    given = check_encoding(given)
    is_open = given in ("utf-8", "utf-8-sig")
    for mark, readers in BYTE_ORDER_MARKS.items():
        if not head.startswith(mark):
            continue
        if given in readers:
            return TextEncoding(given)
        if is_open:
            return TextEncoding(readers[0], f"{readers[0]}, as its byte order mark says")
        raise EncodingError(
            f"{name} is not {given}: its byte order mark says {readers[0]} (at byte 0, line 1).",
            option="encoding",
            way_out=f"Read it with {option('encoding', readers[0])}",
        )
    if is_open and (found := unmarked_encoding(head)):
        return TextEncoding(found, f"{found} without a byte order mark")
    if is_open and (shift := SHIFT.search(head)):
        likely = SHIFTS[shift[0]]
        raise EncodingError(
            f"{name} is not {given}: it holds the escape sequences of {likely}.",
            option="encoding",
            way_out=f"Read it with {option('encoding', likely)}",
        )
    return TextEncoding(given)


def unmarked_encoding(head: bytes) -> str:
    """UTF-32 or UTF-16 with its byte order, if bytes are that without a mark; else empty."""
    if b"\0" not in head or _reads_as_utf_8(head):
        return ""
    sample = head[: min(len(head), SAMPLE_BYTES) // 4 * 4 or len(head)]
    for encoding in ("utf-32-le", "utf-32-be"):
        text = _decoded(sample, encoding)
        if text and "\0" not in text:
            return encoding
    points = {name: _points(_decoded(sample, name)) for name in ("utf-16-le", "utf-16-be")}
    best = max(points, key=lambda name: points[name])
    return best if points[best] >= LEAST_POINTS else ""


def _reads_as_utf_8(head: bytes) -> bool:
    """Whether they are UTF-8 with a zero byte here and there."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    control = bytes([*range(9), *range(14, 32)])
    return len(head) - len(head.translate(None, control)) < LEAST_ZEROS * len(head)


def _decoded(sample: bytes, encoding: str) -> str:
    """Its text, or none if it has bad bytes."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return ""


def _points(text: str) -> float:
    """How much it looks like a text, the ASCII in it included."""
    if not text:
        return 0.0
    n_ascii = sum(
        character.isprintable() or character in "\t\r\n" for character in text if character < "\x80"
    )
    others = [character for character in text if character >= "\x80"]
    return (n_ascii + len(others) * plausibility(text)) / len(text)
