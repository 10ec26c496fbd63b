"""A folder, or a zip archive of one, to parts: its layout is found, and each part gets its reader.

    names of the files  ->  find_layout  ->  texts.py, lines.py or tables.py  ->  tables in chunks

Guarantees: what was found is in the notes of the first table; files are opened when their rows are
asked for. Costs: see the readers; the names are held in memory.
"""

from collections.abc import Iterator
from dataclasses import replace

from headtune.data.reading.folders.file_names import without_top
from headtune.data.reading.folders.files import Folder, shown
from headtune.data.reading.folders.layout import find_layout
from headtune.data.reading.folders.line_layout import Looks
from headtune.data.reading.folders.lines import beside_tables, by_file_tables
from headtune.data.reading.folders.plans import LinesBeside, LinesByFile, Plan, Texts
from headtune.data.reading.folders.saved import is_saved
from headtune.data.reading.folders.tables import ReadFile, shard_tables
from headtune.data.reading.folders.texts import text_tables
from headtune.data.reading.opening.encodings import check_encoding
from headtune.data.reading.table import Parts, Table
from headtune.errors import DataError
from headtune.options import DataConfig

__all__ = ["folder_parts"]

LOOKED_AT = 50
"""Rows that tell a table from texts."""


def folder_parts(
    folder: Folder, config: DataConfig, rows_per_chunk: int | None, read: ReadFile
) -> Parts:
    """Part -> its chunks. ``read`` reads one file of a table.

    Raises ``DataError`` where the folder holds nothing that is read, or it cannot be told what.
    """
    if is_saved(list(without_top(folder.names()))):
        raise DataError(
            f"{folder.name} holds a data set that was saved to disk.",
            way_out="Unpack it, and name the folder that has its state.json or dataset_dict.json.",
        )
    layout = find_layout(
        folder,
        Looks(
            folder.name,
            lambda name, most: _beginning(folder, name, most),
            lambda name: _is_table(folder, name, config, read),
        ),
    )
    return {
        part: _noted(_chunks(folder, plan, config, rows_per_chunk, read), layout.notes)
        for part, plan in layout.parts.items()
    }


def _chunks(
    folder: Folder, plan: Plan, config: DataConfig, rows_per_chunk: int | None, read: ReadFile
) -> Iterator[Table]:
    encoding = check_encoding(config.encoding)
    if isinstance(plan, Texts):
        return text_tables(folder, plan, encoding, rows_per_chunk)
    if isinstance(plan, LinesByFile):
        return by_file_tables(folder, plan, encoding, rows_per_chunk)
    if isinstance(plan, LinesBeside):
        return beside_tables(folder, plan, encoding, rows_per_chunk)
    return shard_tables(folder, plan, config, rows_per_chunk, read)


def _noted(chunks: Iterator[Table], notes: tuple[str, ...]) -> Iterator[Table]:
    for table in chunks:
        yield replace(table, notes=(*notes, *table.notes))


def _beginning(folder: Folder, name: str, most: int) -> bytes:
    try:
        return folder.read(name, most)
    except OSError as error:
        raise DataError(
            f"{shown(name)} of {folder.name} cannot be read: {error.strerror or error}.",
            way_out="Check its permissions, or leave it out.",
        ) from error


def _is_table(folder: Folder, name: str, config: DataConfig, read: ReadFile) -> bool:
    """Whether a file of text reads as a table: columns with a header, or between tabs.

    A comma alone is no evidence: texts have them, too.
    """
    try:
        with folder.opened(name) as file:
            chunks = next(iter(read(file, config, LOOKED_AT).values()))
            table = next(chunks, None)
    except DataError:
        return False
    if table is None or len(table.column_names) < 2:
        return False
    return table.options.get("header") != "no" or table.options.get("delimiter") == "tab"
