"""Bytes to lines of text, a few bad bytes kept apart, or an error that says which byte is wrong and
which option mends it.

Reads a megabyte at a time, so memory stays bounded by that and the longest line. Lines end with LF,
CRLF or CR, and keep their end, since a quoted field may hold it. A byte order mark is dropped.

A byte that is none in the encoding need not cost the file. Asked to, ``decoded_lines`` keeps it in
its line as half a surrogate pair (Python's ``surrogateescape``), which no text holds, so that a
reader can set the record aside, if it asks ``unreadable`` with the lines as they came, and show
what it held (``written_out``). Up to 3
such lines are kept, or 1 % of all lines so far; counted after each block, since a file that is
streamed cannot be counted beforehand. They cost the file where they are more than that, or where no
three other lines show the encoding to be right (in a UTF-8 file, by characters beyond ASCII).

Costs: time grows with the bytes, also where all of them are one line (as JSON often is): the blocks
of a line are kept apart until it ends, and joined once. Bad bytes cost time only where there are
any.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headtune.data.reading.opening.detection import candidates, is_utf_8
from headtune.data.reading.opening.encodings import unmarked_encoding
from headtune.errors import EncodingError, option

__all__ = [
    "decoded_lines",
    "refuse_bad_bytes",
    "unreadable",
    "unreadable_text",
    "way_out_of",
    "written_out",
]

LINE = re.compile("[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]+")
BAD_BYTE = re.compile("[\udc80-\udcff]")

BAD_BYTES = "bytes that are no characters of its encoding"
"""Why a record is set aside that has some."""

FEW = 3
"""Lines with bad bytes that any file may have, if other lines speak for the encoding."""

MOST_BAD = 0.01
"""Share of the lines that may have bad bytes where they are more."""

MOST_BAD_OF_FEW = 0.1
"""Share of the lines that those few may be, where no other line speaks for the encoding."""


def unreadable(lines: Iterable[str]) -> str:
    """Why the lines of a record cannot be read, going by their characters; empty if they can."""
    for line in lines:
        if "\0" in line:
            return "a NUL byte"
        if type(line) is _BadLine:
            return BAD_BYTES
    return ""


def unreadable_text(text: str) -> str:
    """The same of a text that may be no whole line; each of its characters is looked at."""
    if "\0" in text:
        return "a NUL byte"
    return BAD_BYTES if _has_bad_bytes(text) else ""


class _BadLine(str):
    """A line with bad bytes, told by its type: no good line need be looked through for it."""

    __slots__ = ()


def _marked(line: str) -> str:
    return _BadLine(line) if _has_bad_bytes(line) else line


def _has_bad_bytes(line: str) -> bool:
    if line.isascii():
        return False
    try:
        line.encode()
    except UnicodeEncodeError:
        return True
    return False


def written_out(line: str) -> str:
    r"""The line with what makes it unreadable written out: ``caf\xe9``, ``\0``."""
    written = BAD_BYTE.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", line)
    return written.replace("\0", "\\0")


def refuse_bad_bytes(names: Iterable[str], head: bytes, encoding: str, name: str) -> None:
    """Raises ``EncodingError`` where the name of a column has one: no row to be set aside."""
    bad = next((column for column in names if _has_bad_bytes(column)), None)
    if bad is not None:
        raise EncodingError(
            f"{name} is not {encoding}: the name of its column {written_out(bad)!r} has bytes that "
            "are no characters of it.",
            option="encoding",
            way_out=way_out_of(head, encoding),
        )


def decoded_lines(
    blocks: Iterable[bytes],
    encoding: str,
    name: str,
    *,
    is_whole: bool = True,
    keep_bad: bool = False,
) -> Iterator[str]:
    """The lines of a file, each with its line end.

    Raises ``EncodingError`` at the first bad byte, or with ``keep_bad`` where there are too many:
    see above. An incomplete character at the very end counts as a bad byte too, unless the file
    goes on after these blocks (``is_whole=False``).
    """
    decoder = _Decoder(encoding, name, keep_bad)
    first, has_bad = True, False
    pending: list[str] = []
    for block in _and_end(blocks):
        n_bad = decoder.n_bad
        text = decoder.decode(block, final=is_whole and not block)
        has_bad |= decoder.n_bad > n_bad
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        pending.append(text)
        if block and "\n" not in text and "\r" not in text:
            continue
        lines = LINE.findall("".join(pending))
        # The last line may go on in the next block, and so may a CR before its LF.
        pending = [lines.pop()] if block and lines and not lines[-1].endswith("\n") else []
        yield from map(_marked, lines) if has_bad else lines
        has_bad = has_bad and bool(pending)


def _and_end(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        if block:
            yield block
    yield b""


@dataclass(slots=True)
class _BadByte:
    """The first one: what is wrong, and where."""

    what: str
    at: int
    line: int


class _Decoder:
    """Blocks to texts, with an account of what could not be decoded."""

    def __init__(self, encoding: str, name: str, keep_bad: bool) -> None:
        self.encoding, self.name, self.keep_bad = encoding, name, keep_bad
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self.n_bad = self._n_bytes = self._n_lines = self._n_good = 0
        self._first_bad: _BadByte | None = None
        self._block = self._sample = b""

    def decode(self, block: bytes, *, final: bool) -> str:
        """The text of a block, bad bytes as half pairs. Raises ``EncodingError``."""
        state = self._decoder.getstate()
        try:
            text = self._decoder.decode(block, final)
        except UnicodeDecodeError as error:
            self._decoder.setstate(state)
            text = self._with_bad(block, final, error)
        except UnicodeError as error:  # UTF-16 without its mark, for one
            raise self._refused(block, str(error)) from None
        self._block = block or self._block
        self._n_bytes += len(block)
        self._n_lines += max(text.count("\n"), text.count("\r"))
        if self._n_good < FEW and not text.isascii():
            self._n_good += _count_good(text)
        self._check()
        return text

    def _with_bad(self, block: bytes, final: bool, error: UnicodeDecodeError) -> str:
        self._note(block, error)
        if not self.keep_bad:
            raise self._error()
        self._decoder.errors = "surrogateescape"
        try:
            text = self._decoder.decode(block, final)
        except UnicodeError:  # half of a pair in UTF-16, or no mark: nothing that can be kept
            raise self._error() from None
        self._decoder.errors = "strict"
        self.n_bad += sum(map(_has_bad_bytes, LINE.findall(text)))
        return text

    def _note(self, block: bytes, error: UnicodeDecodeError) -> None:
        """Remember the first bad byte, and the block for what it says about the encoding."""
        if self._first_bad is not None:
            return
        before = error.object[: error.start].decode(self.encoding, "ignore")
        is_cut = "unexpected end" in error.reason or "truncated" in error.reason
        if is_cut and not error.object[error.end :]:
            what = "it ends in the middle of a character"
        else:
            what = f"byte 0x{error.object[error.start]:02x} is no character of it"
        at = self._n_bytes + len(block) - len(error.object) + error.start
        self._first_bad = _BadByte(what, at, self._n_lines + before.count("\n") + 1)
        self._sample = block or self._block

    def _check(self) -> None:
        n_bad = self.n_bad
        if n_bad > FEW:
            too_many = n_bad > MOST_BAD * self._n_lines or self._n_good < FEW
        else:
            too_many = n_bad > self._n_good and n_bad > MOST_BAD_OF_FEW * self._n_lines
        if too_many:
            raise self._error()

    def _error(self) -> EncodingError:
        bad = self._first_bad or _BadByte("it cannot be decoded", self._n_bytes, self._n_lines + 1)
        lines = f", the first of {self.n_bad:,} such lines" if self.n_bad > 1 else ""
        return EncodingError(
            f"{self.name} is not {self.encoding}: {bad.what}, at byte {bad.at:,} "
            f"(line {bad.line:,}{lines}).",
            option="encoding",
            way_out=way_out_of(self._sample, self.encoding),
        )

    def _refused(self, block: bytes, reason: str) -> EncodingError:
        return EncodingError(
            f"{self.name} is not {self.encoding}: {reason}.",
            option="encoding",
            way_out=way_out_of(block, self.encoding),
        )


def _count_good(text: str) -> int:
    """Lines with characters beyond ASCII, all of them right; no more than needed are counted."""
    good = 0
    for line in LINE.finditer(text):
        good += not line[0].isascii() and not _has_bad_bytes(line[0])
        if good == FEW:
            break
    return good


def way_out_of(data: bytes, encoding: str) -> str:
    """Which encoding bytes are in that are not of this one, with what it makes of a line."""
    known = unmarked_encoding(data)
    if known and known[:6] == encoding[:6]:
        return "It may be cut short: write the file anew."
    if not known and encoding != "utf-8" and (data.isascii() or is_utf_8(data)):
        known = "utf-8"
    if known:
        return f"It looks like {known}: {option('encoding', known)}"
    if encoding == "utf-8" and _is_mostly_utf_8(data):
        return "The rest of it is utf-8: mend these bytes, or write the file anew."
    found = [each for each in candidates(data) if each.encoding != encoding]
    if not found:
        return f"No encoding is likely; give the one it was written in with {option('encoding')}."
    first, *others = (f"{each.encoding} ({each.sample!r})" for each in found)
    also = f"; less likely {', '.join(others)}" if others else ""
    return f"It looks like {first}{also}: {option('encoding', found[0].encoding)}"


def _is_mostly_utf_8(data: bytes) -> bool:
    """Whether nearly all that is not ASCII is right, which no other encoding is by chance."""
    text = data.decode("utf-8", "surrogateescape")
    n_bad = len(BAD_BYTE.findall(text))
    return sum(character > "\x7f" for character in text) - n_bad > 4 * n_bad
