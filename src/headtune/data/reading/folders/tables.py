"""Files of one table, one after another: the shards that Spark, the hub and ``split`` write.

The first file decides how all are written (delimiter, quotes). Columns are put in the order of the
first; files with other columns are an error that names both. Each file begins with the header, or
only the first does (``split`` cuts so), or none; a file that is empty, or a header alone, has no
rows. Records of JSON may lack keys, and then have nothing there.

Guarantees: rows are numbered on from file to file; what is set aside names its file. Bounded
memory, as far as the form of the files allows. Costs: each file is opened twice, for its first line
before all are read.
"""

import codecs
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pyarrow as pa

from headtune.data.reading.folders.file_names import form_of
from headtune.data.reading.folders.files import Folder, shown
from headtune.data.reading.folders.plans import Tables
from headtune.data.reading.names import listed
from headtune.data.reading.opening.sources import ByteSource
from headtune.data.reading.table import Table
from headtune.errors import DataError
from headtune.options import DataConfig
from headtune.wording.text_lists import shortened

__all__ = ["ReadFile", "shard_tables"]

ReadFile: TypeAlias = Callable[[ByteSource, DataConfig, int | None], Mapping[str, Iterator[Table]]]
"""How an open file is read: the file, the options, rows a chunk; to parts."""

OF_LINES = (".csv", ".tsv", ".tab", ".txt")
"""Forms that begin with a header, or not, packed or as they are."""

BY_KEYS = (".json", ".jsonl", ".ndjson")
"""Forms whose columns are the keys that there are."""


def shard_tables(
    folder: Folder, plan: Tables, config: DataConfig, rows_per_chunk: int | None, read: ReadFile
) -> Iterator[Table]:
    """The files as one table, chunk by chunk. Raises ``DataError`` on columns that differ."""
    several = len(plan.files) > 1
    begins = _beginnings(folder, plan.files) if several else {}
    without_rows = {name for name in plan.files if several and _has_no_rows(name, folder, begins)}
    above = _folder_columns(plan.levels)
    first: _First | None = None
    n_before = 0
    for position, name in enumerate(plan.files):
        if name in without_rows:
            continue
        own = config if first is None else first.reading(config, begins.get(name))
        n_last = 0
        with folder.opened(name) as file:
            for table in _chained(read(file, own, rows_per_chunk)):
                first = first or _First.of(table, name, begins.get(name))
                table = first.fitted(table, name)
                if plan.levels:
                    table = _with_folders(table, above, plan.levels[position])
                n_last = _last_row(table)
                yield (_of_several(table, name, folder.name) if several else table).shifted(
                    n_before
                )
        n_before += n_last


def _chained(parts: Mapping[str, Iterator[Table]]) -> Iterator[Table]:
    """The parts of one file after one another, rows numbered on."""
    n_before = 0
    for chunks in parts.values():
        n_last = 0
        for table in chunks:
            n_last = _last_row(table)
            yield table.shifted(n_before) if n_before else table
        n_before += n_last


def _last_row(table: Table) -> int:
    return max([*table.rows[-1:].tolist(), *(row.row for row in table.set_aside)], default=0)


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The first line of a file, and whether it is the only one."""

    line: bytes
    is_all: bool


def _beginnings(folder: Folder, files: Sequence[str]) -> dict[str, _Beginning]:
    found: dict[str, _Beginning] = {}
    for name in files:
        form = form_of(name)
        if folder.size(name) and (form is None or form.startswith(OF_LINES)):
            with folder.opened(name) as file:
                line, _, rest = file.head.removeprefix(codecs.BOM_UTF8).lstrip().partition(b"\n")
                found[name] = _Beginning(line.strip(), file.is_whole and not rest.strip())
    return found


def _has_no_rows(name: str, folder: Folder, begins: Mapping[str, _Beginning]) -> bool:
    """Empty, or one line alone with which another file begins, too."""
    if folder.size(name) == 0:
        return True
    begin = begins.get(name)
    return (
        begin is not None
        and begin.is_all
        and any(other.line == begin.line for each, other in begins.items() if each != name)
    )


@dataclass(frozen=True, slots=True)
class _First:
    """The first file with rows: what all others are read and compared with."""

    name: str
    columns: list[str]
    options: Mapping[str, str | int]
    begins: _Beginning | None

    @classmethod
    def of(cls, table: Table, name: str, begins: _Beginning | None) -> "_First":
        return cls(name, table.column_names, table.options, begins)

    def reading(self, config: DataConfig, begins: _Beginning | None) -> DataConfig:
        """How to read a further file: as this one; its first line tells whether it has a header."""
        known: dict[str, Any] = {n: value for n, value in self.options.items() if n != "header"}
        if config.header == "auto" and "header" in self.options:
            same = (
                begins is not None and self.begins is not None and begins.line == self.begins.line
            )
            is_alone = begins is not None and begins.is_all  # a row: a header alone was left out
            is_header = self.options["header"] == "yes" and not is_alone
            known["header"] = "no" if not is_header else "yes" if same else "auto"
        return replace(config, **known)

    def fitted(self, table: Table, name: str) -> Table:
        """The columns of a further file in the order of this one. Raises ``DataError``."""
        names = table.column_names
        if names == self.columns:
            return table
        if form_of(name) in BY_KEYS and _are_mostly(names, self.columns):
            return table
        if table.options.get("header") == "no" and len(names) == len(self.columns):
            return replace(table, columns=table.columns.rename_columns(self.columns))
        if sorted(names) == sorted(self.columns):
            return replace(table, columns=table.columns.select(self.columns))
        raise DataError(
            f"The tables of one folder have other columns: {shown(self.name)} has "
            f"{listed(self.columns)}; {shown(name)} has {listed(names)}.",
            way_out="Name one of them, or put those that belong together in a folder of their own.",
        )


def _are_mostly(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether half of the keys or more are the same, in the smaller of both."""
    return 2 * len(set(some) & set(others)) >= max(min(len(some), len(others)), 1)


def _folder_columns(levels: Sequence[tuple[str, ...]]) -> list[str]:
    """What each level of folders is as a column: ``label`` for ``label=ham``, else ``folder1``."""
    found: list[str] = []
    for i in range(max(map(len, levels), default=0)):
        words = [folders[i] for folders in levels if i < len(folders)]
        keys = {word.partition("=")[0] if "=" in word else "" for word in words}
        key = keys.pop() if len(keys) == 1 else ""
        found.append(shown(key) if key else f"folder{i + 1}")
    return found


def _with_folders(table: Table, names: Sequence[str], folders: Sequence[str]) -> Table:
    """The names of the folders above as columns, where the table has none of that name."""
    columns = table.columns
    for i, name in enumerate(names):
        if name in columns.column_names:
            continue
        word = shown(folders[i]) if i < len(folders) else None
        value = word.removeprefix(f"{name}=") if word is not None else None
        column = pa.array([value] * len(table), pa.large_string())
        columns = columns.append_column(name, column)
    return replace(table, columns=columns)


def _of_several(table: Table, name: str, folder: str) -> Table:
    """The table with the name of the folder; what was set aside says the file."""
    set_aside = tuple(
        replace(row, content=shortened(f"{shown(name)}: {row.content}")) for row in table.set_aside
    )
    return replace(table, name=folder, set_aside=set_aside)
