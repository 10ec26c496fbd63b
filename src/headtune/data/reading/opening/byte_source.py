"""An open table: its name, its first bytes, and the rest still to be read.

Files, standard input and what comes out of an archive look the same from here on. Guarantees: what
is looked at is the first 256 KiB; nothing more is read before a reader asks for it.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

from headtune.errors import DataError

__all__ = [
    "BLOCK_BYTES",
    "HEAD_BYTES",
    "MOST_BYTES",
    "ByteSource",
    "Joined",
    "Readable",
    "with_head",
]

HEAD_BYTES = 256 * 1024
"""How much of a file is looked at to find its format."""

BLOCK_BYTES = 1024 * 1024

MOST_BYTES = 10_000_000_000
"""What an archive may unpack to, where nothing else is said."""


class Readable(Protocol):
    """What bytes are read from: a file, a pipe, what unpacks another."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class ByteSource:
    """An open file: its first bytes, and the rest still to be read.

    ``suffix`` is that of the table, without the one of its packing; ``path`` is where the bytes
    lie as they are read here, None for what streams; ``inside`` is what the name says after
    ``::``, for those who know what it means; ``notes`` say how the bytes were come by.
    """

    name: str
    suffix: str
    head: bytes
    file: Readable
    path: Path | None
    inside: str | None = None
    notes: tuple[str, ...] = ()
    most_bytes: int = MOST_BYTES

    @property
    def is_whole(self) -> bool:
        """Whether the head is all there is."""
        return len(self.head) < HEAD_BYTES

    def blocks(self) -> Iterator[bytes]:
        """All bytes, the head first. Can be asked for once."""
        return chain([self.head], iter(lambda: self.file.read(BLOCK_BYTES), b""))

    def whole(self) -> "Joined":
        """A file of all bytes, the head first. Can be asked for once, instead of ``blocks``."""
        return Joined(self.head, self.file)


class Joined(io.BufferedIOBase):
    """Bytes that were read already, and the file that they are from."""

    def __init__(self, head: bytes, file: Readable) -> None:
        self._head, self._at, self._file, self.n_read = head, 0, file, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to so many bytes; none at the end."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(BLOCK_BYTES), b""))
        data = self._head[self._at : self._at + size]
        self._at += len(data)
        data = data or self._file.read(size)
        self.n_read += len(data)
        return data


def with_head(name: str, suffix: str, file: Readable, path: Path | None) -> ByteSource:
    """A file with its first bytes read. Raises ``DataError`` where there are none."""
    head = b""
    while len(head) < HEAD_BYTES and (more := file.read(HEAD_BYTES - len(head))):
        head += more
    if not head.strip(b" \t\r\n" + codecs.BOM_UTF8):
        raise DataError(
            f"{name} is empty: expected a table with texts, received {len(head)} bytes.",
            way_out="Check the command that wrote it.",
        )
    return ByteSource(name, suffix, head, file, path)
