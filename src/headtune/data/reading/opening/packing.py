"""gzip, bzip2, xz, zstd and lz4 to the bytes that they hold, by content and in bounded memory.

    1. the first bytes say how a file is packed, whatever its name
    2. it is unpacked a block at a time; what comes out is counted
    3. the first 64 MiB are unpacked before anybody reads them: what has grown to more than 200
       times its size by then is a bomb, since no table of texts packs so small

Guarantees: more than ``most_bytes`` never come out, whatever a file claims; windows above 128 MiB
(zstd) and dictionaries above 256 MiB (xz) are refused; data that are cut short or damaged end in
one line. Costs: 64 MiB of memory, and no time.
"""

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol, TypeVar

import pyarrow as pa

from headtune.data.reading.opening.byte_source import (
    BLOCK_BYTES,
    ByteSource,
    Joined,
    Readable,
    with_head,
)
from headtune.errors import DataError, HeadtuneError, option
from headtune.wording.numbers import size

__all__ = [
    "DAMAGED",
    "PACKED_SUFFIXES",
    "Counted",
    "Packing",
    "Worded",
    "check_growth",
    "check_unpacked",
    "inner_suffix",
    "packing_of",
    "taken_out",
    "unpacked",
]

PACKED_SUFFIXES = (".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".tzst", ".lz4")

Result = TypeVar("Result")

LOOK_AHEAD_BYTES = 64 * 1024 * 1024
MOST_GROWTH = 200
"""Times its size that a packed file may have grown to when the first 64 MiB are out."""

MOST_XZ_MEMORY = 256 * 1024 * 1024

DAMAGED: tuple[type[BaseException], ...] = (
    OSError, EOFError, MemoryError, ValueError, zlib.error, lzma.LZMAError, pa.ArrowException,
)  # fmt: skip
"""What the libraries raise at data that are cut short or made wrong."""


class Packing(NamedTuple):
    """A way of packing: its name, its first bytes, and what unpacks it."""

    name: str
    first: re.Pattern[bytes]
    open: Callable[[Joined], Readable]


class _Frames:
    """bzip2 or xz, one stream after another, a block of output at a time."""

    def __init__(self, file: Joined, start: Callable[[], "_Decompressor"]) -> None:
        self._file, self._start = file, start
        self._current, self._left = start(), b""

    def read(self, size: int, /) -> bytes:
        while True:
            if self._current.eof:
                self._left = self._current.unused_data.lstrip(b"\0") or self._file.read(8192)
                self._left = self._left.lstrip(b"\0")  # xz may be padded by NUL bytes
                if not self._left:
                    return b""
                self._current = self._start()
            elif self._current.needs_input and not self._left:
                self._left = self._file.read(8192)
                if not self._left:
                    raise EOFError("the data end too early")
            data, self._left = self._current.decompress(self._left, size), b""
            if data:
                return data


class _Decompressor(Protocol):
    """What ``bz2`` and ``lzma`` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _by_arrow(codec: str) -> Callable[[Joined], Readable]:
    def opened(file: Joined) -> Readable:
        stream: Readable = pa.CompressedInputStream(pa.PythonFile(file, "r"), codec)
        return stream

    return opened


PACKINGS = (
    Packing("gzip", re.compile(rb"\x1f\x8b\x08"), lambda file: gzip.GzipFile(fileobj=file)),
    Packing(
        "bzip2",
        re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
        lambda file: _Frames(file, bz2.BZ2Decompressor),
    ),
    Packing(
        "xz",
        re.compile(rb"\xfd7zXZ\0"),
        lambda file: _Frames(file, lambda: lzma.LZMADecompressor(memlimit=MOST_XZ_MEMORY)),
    ),
    Packing("zstd", re.compile(rb"\x28\xb5\x2f\xfd"), _by_arrow("zstd")),
    Packing("lz4", re.compile(rb"\x04\x22\x4d\x18"), _by_arrow("lz4")),
)


def packing_of(head: bytes) -> Packing | None:
    """How a file is packed, by its first bytes; None where it is not."""
    return next((packing for packing in PACKINGS if packing.first.match(head)), None)


def inner_suffix(name: str) -> str:
    """``.csv`` of ``a.csv`` and of ``a.csv.gz``; empty for ``a.gz``."""
    path = PurePosixPath(name.lower())
    return PurePosixPath(path.stem).suffix if path.suffix in PACKED_SUFFIXES else path.suffix


def unpacked(file: ByteSource, packing: Packing) -> ByteSource:
    """What a packed file holds. Raises ``DataError`` where it is damaged, or a bomb."""
    packed = file.whole()
    damaged = f"{file.name} cannot be unpacked: its {packing.name} data are cut short or damaged"
    worded = Worded(lambda: packing.open(packed), damaged)
    counted = Counted(worded, file.name, file.most_bytes, lambda: packed.n_read)
    return taken_out(file, file.name, file.suffix, counted, f"packed with {packing.name}")


def taken_out(
    file: ByteSource, name: str, suffix: str, counted: "Counted", note: str
) -> ByteSource:
    """A table that was within ``file``."""
    inside = with_head(name, suffix, counted.looked_at(), None)
    notes, most_bytes = (*file.notes, note), file.most_bytes
    return replace(inside, notes=notes, inside=file.inside, most_bytes=most_bytes)


class Worded:
    """Reads, and says what is wrong in one line."""

    def __init__(
        self,
        start: Callable[[], Readable],
        damaged: str,
        errors: tuple[type[BaseException], ...] = DAMAGED,
    ) -> None:
        self._damaged, self._errors = damaged, errors
        self._file = self._said(start)

    def read(self, size: int, /) -> bytes:
        return self._said(lambda: self._file.read(size))

    def _said(self, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except HeadtuneError:
            raise
        except self._errors as error:
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise DataError(
                f"{self._damaged} ({reason}).", way_out="Write or download it again."
            ) from error


class Counted:
    """What comes out of a packed file, which never is more than may.

    ``n_packed`` says how many bytes have gone in.
    """

    def __init__(
        self, file: Readable, name: str, most_bytes: int, n_packed: Callable[[], int]
    ) -> None:
        self._file, self._name, self._most, self._n_packed = file, name, most_bytes, n_packed
        self.n_bytes = 0

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; raises ``DataError`` beyond the bound."""
        data = self._file.read(size)
        self.n_bytes += len(data)
        check_unpacked(self._name, self.n_bytes, self._most)
        return data

    def looked_at(self) -> Joined:
        """The same bytes, the first of them unpacked. Raises ``DataError`` at a bomb."""
        ahead = bytearray()
        while len(ahead) < LOOK_AHEAD_BYTES and (data := self.read(BLOCK_BYTES)):
            ahead += data
        check_growth(self._name, len(ahead), self._n_packed())
        return Joined(bytes(ahead), self)


def check_unpacked(name: str, n_bytes: int, most_bytes: int) -> None:
    """Raises ``DataError`` where more comes out of ``name`` than may."""
    if n_bytes > most_bytes:
        raise DataError(
            f"{name} unpacks to more than {size(most_bytes)}, which is the most that is allowed.",
            option="max_unpacked",
            way_out=f"If it is a table that you trust: {option('max_unpacked', '100GB')}",
        )


def check_growth(name: str, n_bytes: int, n_packed: int) -> None:
    """Raises ``DataError`` at what grows as no table of texts does."""
    if n_bytes >= LOOK_AHEAD_BYTES and n_bytes > MOST_GROWTH * max(n_packed, 1):
        raise DataError(
            f"{name} unpacks to more than {MOST_GROWTH} times its size, which no table of texts "
            "does; it may be made to fill memory or disk.",
            way_out="If you trust it, unpack it first.",
        )
