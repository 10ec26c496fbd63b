"""Whether a zip archive holds a folder, or tables each for itself.

A folder of texts, of folders, of parts or of numbered pieces is read as one. Of several tables
without such names (``a.csv``, ``b.csv``) nobody knows which is meant: the user names it,
``archive.zip::a.csv``.
"""

from pathlib import Path

from headtune.data.reading.folders.file_names import (
    folders_of,
    form_of,
    is_numbered,
    named_part,
    part_and_rest,
    useful_names,
)
from headtune.data.reading.folders.saved import is_saved
from headtune.data.reading.opening.archives import open_archive
from headtune.data.reading.opening.byte_source import MOST_BYTES
from headtune.errors import DataError

__all__ = ["holds_a_folder"]

DOCUMENTS = ("[Content_Types].xml", "META-INF/manifest.xml", "META-INF/container.xml")
"""Within archives that are documents: workbooks, texts, books."""


def holds_a_folder(path: Path) -> bool:
    """See above; an archive that cannot be listed holds none."""
    try:
        with open_archive(path, path.name, MOST_BYTES) as archive:
            listed = [member.name for member in archive.members]
    except DataError:
        return False  # whoever opens it as a file says what is wrong
    if any(name in DOCUMENTS for name in listed):
        return False
    names = list(useful_names(listed))
    if is_saved(names):
        return True
    tables = [name for name in names if form_of(name) is not None]
    if not tables:
        return len(names) > 1
    has_parts = any(map(_says_a_part, tables))
    in_several = len(set(map(folders_of, tables))) > 1
    return len(tables) > 1 and (has_parts or in_several or is_numbered(tables))


def _says_a_part(name: str) -> bool:
    above = any(named_part(folder) for folder in folders_of(name))
    return above or part_and_rest(name)[0] is not None
