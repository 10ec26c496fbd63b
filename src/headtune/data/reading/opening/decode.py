"""Bytes to lines of text, or an error that says which byte is wrong and which option mends it.

Reads a megabyte at a time, so memory stays bounded by that and the longest line. Lines end with LF,
CRLF or CR, and keep their end, since a quoted field may hold it. A byte order mark is dropped.

Costs: time grows with the bytes, also where all of them are one line (as JSON often is): the blocks
of a line are kept apart until it ends, and joined once.
"""

import codecs
import re
from collections.abc import Iterable, Iterator

from headtune.errors import ConfigError, EncodingError, option

__all__ = ["BYTE_ORDER_MARKS", "check_encoding", "decoded_lines", "likely_encoding"]

LINE = re.compile("[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]+")

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8",
}
"""First bytes of a file -> the value of --encoding that reads it."""


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


def decoded_lines(
    blocks: Iterable[bytes], encoding: str, name: str, *, is_whole: bool = True
) -> Iterator[str]:
    """The lines of a file, each with its line end. Raises ``EncodingError`` at the first bad byte.

    An incomplete character at the very end counts as a bad byte too, unless the file goes on
    after these blocks (``is_whole=False``).
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    n_bytes, n_line_ends, first = 0, 0, True
    pending: list[str] = []
    for block in _and_end(blocks):
        try:
            text = decoder.decode(block, final=is_whole and not block)
        except UnicodeDecodeError as error:
            start = n_bytes + len(block) - len(error.object) + error.start
            line = n_line_ends + error.object[: error.start].count(b"\n") + 1
            raise _encoding_error(name, encoding, error, start, line) from None
        except UnicodeError as error:  # UTF-16 without its mark, for one
            likely = likely_encoding(block)
            raise EncodingError(
                f"{name} is not {encoding}: {error}.",
                option="encoding",
                way_out=f"It may be {likely}: {option('encoding', likely)}",
            ) from None
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        n_bytes += len(block)
        n_line_ends += block.count(b"\n")
        pending.append(text)
        if block and "\n" not in text and "\r" not in text:
            continue
        lines = LINE.findall("".join(pending))
        # The last line may go on in the next block, and so may a CR before its LF.
        pending = [lines.pop()] if block and lines and not lines[-1].endswith("\n") else []
        yield from lines


def _and_end(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        if block:
            yield block
    yield b""


def likely_encoding(data: bytes) -> str:
    """The encoding that bytes are most likely in, going by their mark, UTF-8 and cp1252."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return encoding
    for encoding in ("utf-8", "cp1252"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(data)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _encoding_error(
    name: str, encoding: str, error: UnicodeDecodeError, start: int, line: int
) -> EncodingError:
    if not error.object[error.start + 1 :] and "unexpected end" in error.reason:
        what = "it ends in the middle of a character"
    else:
        what = f"byte 0x{error.object[error.start]:02x} is no character of it"
    likely = likely_encoding(error.object)
    way_out = (
        f"It looks like {likely}: {option('encoding', likely)}"
        if likely != encoding
        else f"Give the right one with {option('encoding')}."
    )
    return EncodingError(
        f"{name} is not {encoding}: {what}, at byte {start:,} (line {line:,}).",
        option="encoding",
        way_out=way_out,
    )
