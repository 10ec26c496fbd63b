"""SQLite databases to ``Table``: a table or view by name, or the rows of a query.

    texts.sqlite                        its only table, or the only one with a column of texts
    texts.sqlite::messages              a table or view
    texts.sqlite::SELECT body AS text, kind AS label FROM messages WHERE checked

A column of one type keeps it; of several, its values are written as strings. Text that is not UTF-8
sets its row aside where it is the text or the label, as in Parquet.

Guarantees: the file is opened to be read only, without extensions, and nothing but SELECT runs
(other statements, ATTACH and PRAGMA are refused); no value is larger than 100 MB; a table gives no
more rows than its file can hold, so one that is made to go on for ever ends; a query that has no
row within a minute ends. All that is wrong with a database is one line.
Costs: memory for one chunk.
"""

import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headtune.data.reading.arrow.values import escaped
from headtune.data.reading.choosing import chosen_tables
from headtune.data.reading.delimited.header import unique_names
from headtune.data.reading.names import listed
from headtune.data.reading.opening.byte_source import ByteSource
from headtune.data.reading.opening.on_disk import LEAST_FREE
from headtune.data.reading.table import Parts, Table, numbered_chunks
from headtune.errors import DataError, HeadtuneError
from headtune.options import DataConfig

__all__ = ["database_parts"]

MOST_BYTES_PER_VALUE = 100_000_000
MOST_ROWS = 20_000_000
LEAST_BYTES_PER_ROW = 4
"""A cell's place, the length of its row, and the row's header."""

MOST_SECONDS = 60.0
"""Without a row."""

STEPS = 20_000
"""Instructions of SQLite between two looks at the clock."""

ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}

Value: TypeAlias = int | float | str | bytes | None


def database_parts(file: ByteSource, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    """What is meant of a database on disk; tables called as parts are the parts.

    Raises ``DataError``.
    """
    assert file.path is not None
    if file.inside is not None and re.match(
        r"\s*(select|with|values)\b", file.inside, re.IGNORECASE
    ):
        said = "the rows of a query"
        return {"train": _chunks(file, file.inside, MOST_ROWS, said, rows_per_chunk)}
    with _connected(file) as (connection, _):
        tables = _tables(connection)
    chosen, said = _chosen(tables, file, config)
    n_bytes = sum(path.stat().st_size for path in (file.path, *_beside(file.path)))
    rows = n_bytes // LEAST_BYTES_PER_ROW
    return {
        part: _chunks(
            file,
            f"SELECT * FROM {_quoted(table)}",
            MOST_ROWS if tables[table].is_view else rows,
            said,
            rows_per_chunk,
        )
        for part, table in chosen.items()
    }


class _Kept(NamedTuple):
    """Columns of a table or view."""

    columns: list[str]
    is_view: bool


class _Watch:
    """Ends a query that has had no row for a minute, or fills the disk with what it sorts."""

    def __init__(self) -> None:
        self.reason = ""
        self.row()

    def row(self) -> None:
        """A row has come."""
        self._end = time.monotonic() + MOST_SECONDS

    def __call__(self) -> bool:
        if time.monotonic() > self._end:
            self.reason = f"no row within {MOST_SECONDS:.0f} s"
        disk = shutil.disk_usage(tempfile.gettempdir())
        if disk.free < LEAST_FREE * disk.total:
            self.reason = "the disk is nearly full"
        return bool(self.reason)


@contextmanager
def _connected(file: ByteSource) -> Iterator[tuple[sqlite3.Connection, _Watch]]:
    """The database, to be read only; what SQLite raises, in one line."""
    assert file.path is not None
    _check_whole(file.head, file.path.stat().st_size, file.name)
    watch = _Watch()
    try:
        with closing(_opened(file.path)) as connection:
            connection.set_progress_handler(watch, STEPS)
            connection.text_factory = _text
            yield connection, watch
    except HeadtuneError:
        raise
    except (sqlite3.Error, MemoryError, UnicodeDecodeError) as error:
        reason = watch.reason or " ".join(str(error).split())[:200] or type(error).__name__
        what = "queried" if file.inside else "read as an SQLite database"
        raise DataError(
            f"{file.name} cannot be {what}: {reason}.",
            way_out=f"Name a table or a query: {file.name}::TABLE"
            if file.inside
            else "It may be cut short; copy it again, or write its table as CSV.",
        ) from error


def _check_whole(head: bytes, n_bytes: int, name: str) -> None:
    """SQLite reads what is missing at the end as zeros; https://sqlite.org/fileformat.html, 1.3."""
    page = int.from_bytes(head[16:18], "big")
    page = 65_536 if page == 1 else page
    n_pages = int.from_bytes(head[28:32], "big") if head[24:28] == head[92:96] else 0
    if page == 0 or n_bytes % page or n_bytes < n_pages * page:
        raise DataError(
            f"{name} cannot be read as an SQLite database: it is cut short.",
            way_out="Copy it again.",
        )


def _opened(path: Path) -> sqlite3.Connection:
    """Without locks, unless another program has changes in a file beside it."""
    changes = any(each.stat().st_size for each in _beside(path))
    address = f"file:{quote(str(path.resolve()))}?mode=ro" + ("" if changes else "&immutable=1")
    connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES_PER_VALUE)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def _beside(path: Path) -> list[Path]:
    """Files in which another program keeps changes that are not in the database yet."""
    files = [path.with_name(path.name + ending) for ending in ("-wal", "-journal")]
    return [file for file in files if file.exists()]


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value


def _tables(connection: sqlite3.Connection) -> dict[str, _Kept]:
    """Every table and view but SQLite's own."""
    found: dict[str, _Kept] = {}
    kinds = {name: kind for _, name, kind, *_ in connection.execute("PRAGMA table_list")}
    for (name,) in connection.execute("SELECT name FROM sqlite_schema").fetchall():
        kind = kinds.get(name, "index")
        if kind in ("table", "view", "virtual") and not str(name).startswith("sqlite_"):
            columns = connection.execute(f"PRAGMA table_info({_quoted(str(name))})").fetchall()
            found[str(name)] = _Kept([str(column[1]) for column in columns], kind != "table")
    return found


def _chosen(
    tables: dict[str, _Kept], file: ByteSource, config: DataConfig
) -> tuple[dict[str, str], str]:
    if file.inside is not None:
        by_name = {name.lower(): name for name in tables}  # as SQLite compares them
        if file.inside.strip().lower() not in by_name:
            raise DataError(
                f"There is no table {file.inside[:80]!r} in {file.name}; it has "
                f"{listed(list(tables)) or 'none'}.",
                way_out=f"Name one of them: {file.name}::{next(iter(tables), 'TABLE')}, or give "
                "a query that begins with SELECT.",
            )
        table = by_name[file.inside.strip().lower()]
        return {"train": table}, f"table {table!r}"
    if not tables:
        raise DataError(f"{file.name} has no table.", way_out="Check the program that wrote it.")
    return chosen_tables(
        {t: kept.columns for t, kept in tables.items()}, config, file.name, "table"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _chunks(
    file: ByteSource, query: str, most_rows: int, said: str, rows_per_chunk: int | None
) -> Iterator[Table]:
    with _connected(file) as (connection, watch):
        connection.set_authorizer(_only_reading)
        cursor = connection.execute(query)
        names = unique_names([str(column[0]) for column in cursor.description])
        for rows, numbers, _ in numbered_chunks(
            _bounded(cursor, watch, most_rows, file.name), rows_per_chunk
        ):
            columns = dict(zip(names, zip(*rows, strict=True), strict=True))
            yield _table(columns, numbers, file.name, ("SQLite", said))


def _only_reading(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY


def _bounded(
    cursor: sqlite3.Cursor, watch: _Watch, most_rows: int, name: str
) -> Iterator[tuple[Value, ...]]:
    for n, row in enumerate(cursor):
        if n >= most_rows:
            raise DataError(
                f"{name} gives more than {most_rows:,} rows, which a table of its size cannot.",
                way_out="If it is a query or a view, write what it gives as a table.",
            )
        watch.row()
        yield row


def _table(
    columns: Mapping[str, Sequence[Value]],
    rows: npt.NDArray[np.int64],
    name: str,
    notes: tuple[str, ...],
) -> Table:
    arrays: dict[str, pa.Array] = {}
    not_utf8: dict[str, frozenset[int]] = {}
    for column, values in columns.items():
        kinds = {type(value) for value in values} - {type(None)}
        if kinds <= {int} or kinds <= {int, float}:
            arrays[column] = pa.array(values, pa.int64() if kinds == {int} else pa.float64())
            continue
        texts = [_as_text(value) for value in values]
        arrays[column] = pa.array([text for text, _ in texts], pa.large_string())
        if broken := {int(row) for row, (_, bad) in zip(rows, texts, strict=True) if bad}:
            not_utf8[column] = frozenset(broken)
    return Table(pa.table(arrays), name, rows, notes=notes, not_utf8=not_utf8)


def _as_text(value: Value) -> tuple[str | None, bool]:
    """A value as a string, and whether it had bytes that are none."""
    if isinstance(value, bytes):
        text = _text(value)
        return (text, False) if isinstance(text, str) else (escaped(value), True)
    return None if value is None else str(value), False
