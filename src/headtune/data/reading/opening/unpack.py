"""Packed tables and archives to the table within, a layer at a time.

``texts.tar.gz`` is two layers: what gzip holds is an archive, which holds the table. What comes out
is looked at again, whatever the name says, until it is packed no more. Workbooks are zip archives
too, and stay whole.

Guarantees: at most four layers; each unpacks to no more than ``most_bytes``.
"""

from contextlib import ExitStack
from dataclasses import replace

from headtune.data.reading.opening.archives import (
    Archive,
    chosen_member,
    is_archive,
    open_archive,
)
from headtune.data.reading.opening.byte_source import ByteSource
from headtune.data.reading.opening.on_disk import lying
from headtune.data.reading.opening.packing import (
    PACKED_SUFFIXES,
    inner_suffix,
    packing_of,
    taken_out,
    unpacked,
)
from headtune.errors import DataError

__all__ = ["fully_unpacked"]

MOST_LAYERS = 4

WORKBOOK_PARTS = ("xl/workbook.xml", "xl/workbook.bin")

NO_TABLE_PARTS = {
    "word/document.xml": ("a Word document", "Copy its table into a workbook, or save it as CSV."),
    "ppt/presentation.xml": ("a presentation", "Give the table that it was made from."),
    "Index/Document.iwa": ("a Numbers or Pages document", "Export it as CSV or .xlsx."),
    "META-INF/container.xml": ("an e-book", "Give a table of texts and labels."),
    "AndroidManifest.xml": ("an app", "Give a table of texts and labels."),
}
"""A file within a zip archive -> what the archive is, and the way out."""


def fully_unpacked(file: ByteSource, endings: tuple[str, ...], stack: ExitStack) -> ByteSource:
    """The table within, open as long as ``stack``; ``file`` itself where it is not packed.

    ``endings`` are those of tables, which decide where an archive holds several files. Raises
    ``DataError``.
    """
    for _ in range(MOST_LAYERS):
        if packing := packing_of(file.head):
            file = unpacked(file, packing)
            continue
        if not is_archive(file.head):
            return file
        file = lying(file, stack)
        assert file.path is not None
        archive = stack.enter_context(open_archive(file.path, file.name, file.most_bytes))
        if _is_workbook(archive, file.name):
            return file
        file = _table_of(file, archive, endings)
    raise DataError(
        f"{file.name} is packed more than {MOST_LAYERS} times.", way_out="Unpack it first."
    )


def _is_workbook(archive: Archive, name: str) -> bool:
    """Raises ``DataError`` where it is another kind of document."""
    names = {member.name for member in archive.members}
    for part, (looks_like, way_out) in NO_TABLE_PARTS.items():
        if part in names:
            raise DataError(f"{name} is not a table: it is {looks_like}.", way_out=way_out)
    if names and all(each.endswith(".npy") for each in names):
        raise DataError(
            f"{name} holds arrays of NumPy, which are not read.",
            way_out="Write texts and labels as Parquet or CSV.",
        )
    if any(each.endswith("data.pkl") for each in names):
        raise DataError(
            f"{name} holds a Python pickle, which is never read.",
            way_out="Write its table as Parquet or CSV.",
        )
    if {"content.xml", "META-INF/manifest.xml"} <= names:
        return _is_opendocument_sheet(archive, name)
    return any(part in names for part in WORKBOOK_PARTS)


def _is_opendocument_sheet(archive: Archive, name: str) -> bool:
    for member in archive.members:
        if member.name == "mimetype" and b"spreadsheet" not in archive.open(member).read(200):
            raise DataError(
                f"{name} is not a table: it is an OpenDocument text or drawing.",
                way_out="Copy its table into a workbook, or save it as CSV.",
            )
    return True


def _table_of(file: ByteSource, archive: Archive, endings: tuple[str, ...]) -> ByteSource:
    packed_endings = tuple(e + packed for e in endings for packed in PACKED_SUFFIXES)
    member, inside = chosen_member(archive, file.inside, file.name, (*endings, *packed_endings))
    name, suffix = f"{file.name}::{member.name}", inner_suffix(member.name)
    note = f"{member.name} in an archive"
    return replace(taken_out(file, name, suffix, archive.open(member), note), inside=inside)
