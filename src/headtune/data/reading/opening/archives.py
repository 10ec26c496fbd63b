"""zip and tar: what they hold, and one file of it, unpacked where it is read.

    with open_archive(path, "texts.zip") as archive:
        archive.members            the files: hidden ones and __MACOSX left out
        archive.open(member)       one of them, its bytes counted

Guarantees: nothing is written under a name that an archive gives; links and devices are no
members; what comes out is counted, whatever an archive claims; one that is damaged, has a password
or is packed in a way that is not read ends in one line. Costs: the list of members.
"""

import copy
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from headtune.data.reading.names import listed
from headtune.data.reading.opening.byte_source import Readable
from headtune.data.reading.opening.packing import (
    DAMAGED,
    Counted,
    Worded,
    check_growth,
    check_unpacked,
)
from headtune.errors import DataError

__all__ = ["Archive", "Member", "chosen_member", "is_archive", "open_archive"]

READ_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
"""Others are rare, or let an archive ask for any memory (LZMA)."""

BROKEN: tuple[type[BaseException], ...] = (
    *DAMAGED,
    zipfile.BadZipFile,
    tarfile.TarError,
    NotImplementedError,
    LookupError,
)

NO_SIZE = 2**62
"""Read to the end, and count: what an archive claims is not believed."""

NO_TABLES = ("readme", "license", "licence", "copying", "notice", "citation", "changelog")
"""Names, without their ending, of files that come along with tables."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file within an archive: its path there, the size that the archive claims, and whether a
    password is asked for."""

    name: str
    n_bytes: int
    is_locked: bool = False


class Archive(Protocol):
    """What zip and tar have in common."""

    @property
    def members(self) -> Sequence[Member]:
        """Every file that is not hidden, in the order of the archive."""

    def open(self, member: Member) -> Counted:
        """The bytes of one. Raises ``DataError``, here or while they are read."""


def is_archive(head: bytes) -> bool:
    """Whether first bytes are those of a zip archive (workbooks are such) or of a tar archive."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or head[257:262] == b"ustar"


@contextmanager
def open_archive(path: Path, name: str, most_bytes: int) -> Iterator[Archive]:
    """A zip or tar archive. Raises ``DataError`` where it cannot be read."""
    with ExitStack() as stack:
        yield _opened(path, name, most_bytes, stack)


def _opened(path: Path, name: str, most_bytes: int, stack: ExitStack) -> Archive:
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    try:
        if is_zip:
            return _Zip(stack.enter_context(zipfile.ZipFile(path)), name, most_bytes)
        return _Tar(stack.enter_context(tarfile.open(path, "r:")), name, most_bytes)
    except BROKEN as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise DataError(
            f"{name} cannot be read as an archive; it may be cut short ({reason}).",
            way_out="Write or download it again.",
        ) from error


class _Zip:
    def __init__(self, archive: zipfile.ZipFile, name: str, most_bytes: int) -> None:
        self._archive, self._name, self._most_bytes = archive, name, most_bytes
        self._infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}
        self.members = [
            Member(name, info.file_size, bool(info.flag_bits & 1))
            for name, info in self._infos.items()
            if not _hidden(name)
        ]

    def open(self, member: Member) -> Counted:
        whole = f"{self._name}::{member.name}"
        info = copy.copy(self._infos[member.name])
        check_unpacked(whole, info.file_size, self._most_bytes)
        check_growth(whole, info.file_size, info.compress_size)
        if member.is_locked:
            raise DataError(f"{whole} needs a password.", way_out="Unpack the archive first.")
        if info.compress_type not in READ_METHODS:
            raise DataError(
                f"{whole} is packed in a way that is not read "
                f"(method {info.compress_type} of zip).",
                way_out="Unpack the archive first.",
            )
        info.file_size = NO_SIZE
        opened = Worded(lambda: self._archive.open(info), _damaged(whole), BROKEN)
        return Counted(opened, whole, self._most_bytes, lambda: info.compress_size)


class _Tar:
    def __init__(self, archive: tarfile.TarFile, name: str, most_bytes: int) -> None:
        self._archive, self._name, self._most_bytes = archive, name, most_bytes
        self._infos = {info.name: info for info in archive.getmembers() if info.isreg()}
        self.members = [Member(n, i.size) for n, i in self._infos.items() if not _hidden(n)]

    def open(self, member: Member) -> Counted:
        whole, info = f"{self._name}::{member.name}", self._infos[member.name]
        check_unpacked(whole, info.size, self._most_bytes)

        def opened() -> Readable:
            file = self._archive.extractfile(info)
            if file is None:
                raise DataError(f"{whole} is no file.")
            return file

        worded = Worded(opened, _damaged(whole), BROKEN)
        return Counted(worded, whole, self._most_bytes, lambda: info.size)


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not parts or parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)


def _damaged(name: str) -> str:
    return f"{name} cannot be unpacked: it is cut short or damaged"


def chosen_member(
    archive: Archive, inside: str | None, name: str, endings: Sequence[str]
) -> tuple[Member, str | None]:
    """The table of an archive, and what of that is meant: ``book.xlsx`` and ``Sheet1``.

    The one that is named; else the only one, going by the ``endings`` of tables where there are
    several files. Raises ``DataError`` with the names.
    """
    members = archive.members
    if inside is not None:
        for member in members:
            if inside == member.name or inside.startswith(f"{member.name}::"):
                return member, inside[len(member.name) + 2 :] or None
        raise DataError(
            f"There is no {inside!r} in {name}; it holds {_named(members)}.",
            way_out=f"Name one of them: {name}::{members[0].name}" if members else "",
        )
    if not members:
        raise DataError(f"{name} holds no file.", way_out="Check the command that wrote it.")
    others = [m for m in members if PurePosixPath(m.name).stem.lower() not in NO_TABLES]
    tables = [m for m in others if m.name.lower().endswith(tuple(endings))] or others or members
    if len(tables) > 1:
        raise DataError(
            f"{name} holds {len(tables):,} files that may be the table: {_named(tables)}.",
            way_out=f"Name one of them: {name}::{tables[0].name}",
        )
    return tables[0], None


def _named(members: Sequence[Member]) -> str:
    names = [member.name for member in members]
    return listed(names) if len(names) <= 10 else f"{', '.join(names[:10])}, …"
