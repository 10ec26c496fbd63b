"""What a folder holds: the names of its files, and their bytes; on disk, or in a zip archive.

    DiskFolder   a folder, its sub-folders, and what links in it lead to
    ZipFolder    an archive of the same

Names are relative, with ``/`` between folders, and sorted. Hidden files and folders are left out,
and so is what macOS adds to archives (``__MACOSX``).

Guarantees: links that lead in circles end; pipes and devices are never opened; no listing is longer
than ``MOST_FILES``; what an archive unpacks to is counted while it is read, whatever it claims.
Costs: memory for the names.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from headtune.data.reading.opening.archives import Archive, open_archive
from headtune.data.reading.opening.byte_source import (
    MOST_BYTES,
    ByteSource,
    Joined,
    Readable,
    with_head,
)
from headtune.data.reading.opening.packing import check_unpacked, inner_suffix
from headtune.data.reading.opening.sources import ENDINGS, open_bytes
from headtune.data.reading.opening.unpack import fully_unpacked
from headtune.errors import DataError

__all__ = ["DiskFolder", "Folder", "ZipFolder", "open_zip", "shown", "some"]

MOST_FILES = 250_000
MOST_DEPTH = 16
"""Folders within folders."""

MOST_SHOWN = 6


class Folder(Protocol):
    """Files by name."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def names(self) -> list[str]:
        """All files, sorted. Raises ``DataError`` where they cannot be listed, or are too many."""

    def size(self, name: str) -> int:
        """Bytes of a file, as far as it is known; 0 where it cannot be opened."""

    def read(self, name: str, most: int) -> bytes:
        """The first ``most`` bytes of a file.

        Raises ``OSError`` where it cannot be read, ``DataError`` where the whole archive must not.
        """

    def opened(self, name: str) -> AbstractContextManager[ByteSource]:
        """A file to read as a table. Raises ``DataError`` where it is empty or cannot be read."""


def shown(name: str) -> str:
    """A name as text: bytes of it that are no UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def some(names: Sequence[str]) -> str:
    """The first few names, and how many there are, for a message."""
    first = ", ".join(shown(name) or "the folder itself" for name in names[:MOST_SHOWN])
    return first if len(names) <= MOST_SHOWN else f"{first}, … ({len(names):,} in all)"


class DiskFolder:
    """A folder on disk. A packed file in it may unpack to ``most`` bytes."""

    def __init__(self, path: Path, most: int = MOST_BYTES) -> None:
        self.path, self._most = path, most
        self.name = shown(path.name or path.resolve().name or str(path))
        self._names: list[str] | None = None

    def names(self) -> list[str]:
        """See ``Folder``."""
        if self._names is not None:
            return self._names
        found: list[str] = []
        for n_found, name in enumerate(_walk(self.path, "", ())):
            if n_found >= MOST_FILES:
                raise _too_many(self.name)
            if not name.endswith("/"):
                found.append(name)
        self._names = sorted(found)
        return self._names

    def size(self, name: str) -> int:
        """See ``Folder``."""
        try:
            return os.stat(os.path.join(self.path, name)).st_size
        except OSError:
            return 0

    def read(self, name: str, most: int) -> bytes:
        """See ``Folder``."""
        with open(os.path.join(self.path, name), "rb") as file:
            return file.read(most)

    def opened(self, name: str) -> AbstractContextManager[ByteSource]:
        """See ``Folder``."""
        return open_bytes(str(self.path / name), self._most)


def _walk(folder: Path, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Files and (with ``/`` behind) folders below a folder. ``above`` are the folders that led
    here, by device and inode: one may be met again by another link, but not within itself.
    """
    try:
        info = folder.stat()
        entries = list(os.scandir(folder))
    except OSError as error:
        raise DataError(
            f"The folder {shown(str(folder))} cannot be read: {error.strerror or error}.",
            way_out="Check its permissions.",
        ) from None
    here = (info.st_dev, info.st_ino)
    if here in above:
        return
    if len(above) > MOST_DEPTH:
        raise DataError(
            f"{shown(str(folder))} is more than {MOST_DEPTH} folders deep.",
            way_out="Name the folder that has the texts.",
        )
    for entry in sorted(entries, key=lambda entry: entry.name):
        if entry.name.startswith(".") or entry.name in ("__MACOSX", "__pycache__"):
            continue
        kind = _kind(entry)
        if kind == "folder":
            yield f"{prefix}{entry.name}/"
            yield from _walk(folder / entry.name, f"{prefix}{entry.name}/", (*above, here))
        elif kind == "file":
            yield f"{prefix}{entry.name}"


def _kind(entry: "os.DirEntry[str]") -> str:
    """A link that leads nowhere counts as a file, which then cannot be opened, and is said."""
    try:
        mode = entry.stat().st_mode
    except OSError:
        return "file"
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


class ZipFolder:
    """An archive, open as long as it is read. ``most`` bytes may be unpacked, all in all."""

    def __init__(self, archive: Archive, name: str, most: int = MOST_BYTES) -> None:
        self.name = name
        self._archive, self._most, self._unpacked = archive, most, 0
        self._members = {member.name: member for member in archive.members}

    def names(self) -> list[str]:
        """See ``Folder``. Raises ``DataError`` also where a password is asked for."""
        if len(self._members) > MOST_FILES:
            raise _too_many(self.name)
        if any(member.is_locked for member in self._members.values()):
            raise DataError(
                f"{self.name} is locked with a password.", way_out="Unpack it, and give the folder."
            )
        return sorted(self._members)

    def size(self, name: str) -> int:
        """See ``Folder``; the archive may lie."""
        return self._members[name].n_bytes

    def read(self, name: str, most: int) -> bytes:
        """See ``Folder``."""
        try:
            data = Joined(b"", self._archive.open(self._members[name])).read(most)
        except DataError as error:
            if error.option == "max_unpacked":
                raise
            raise OSError(errno.EIO, "it cannot be unpacked", name) from error
        self.count(len(data))
        return data

    @contextmanager
    def opened(self, name: str) -> Iterator[ByteSource]:
        """See ``Folder``."""
        base = PurePosixPath(name).name
        with ExitStack() as stack:
            member = _Added(self._archive.open(self._members[name]), self)
            file = replace(with_head(base, inner_suffix(base), member, None), most_bytes=self._most)
            yield fully_unpacked(file, ENDINGS, stack)

    def count(self, n_bytes: int) -> None:
        """Count what came out. Raises ``DataError`` where that is too much."""
        self._unpacked += n_bytes
        check_unpacked(self.name, self._unpacked, self._most)


class _Added:
    """Reads a file of an archive, whose bytes count for the archive as well."""

    def __init__(self, file: Readable, folder: ZipFolder) -> None:
        self._file, self._folder = file, folder

    def read(self, size: int, /) -> bytes:
        data = self._file.read(size)
        self._folder.count(len(data))
        return data


@contextmanager
def open_zip(path: Path, most: int = MOST_BYTES) -> Iterator[ZipFolder]:
    """An archive as a folder, of which ``most`` bytes may come out, all in all.

    Raises ``DataError`` where it is none, or is cut short.
    """
    with open_archive(path, path.name, most) as archive:
        yield ZipFolder(archive, path.name, most)


def _too_many(name: str) -> DataError:
    return DataError(
        f"{name} holds more than {MOST_FILES:,} files.",
        way_out="Name the folder below it that has the texts, or write them as a table.",
    )
