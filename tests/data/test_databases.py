"""SQLite databases are read by table, view or query, and nothing else is done to them."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from refusals import error_of

from headtune.data import Table, iter_tables, prepare, read_table
from headtune.data.reading import databases
from headtune.options import DataConfig

AUTO = DataConfig()
TEXTS = [f"number {i}" for i in range(60)]
FILLED = "CREATE TABLE {0}(text, label); INSERT INTO {0} VALUES " + ", ".join(
    f"('{text}', {i % 2})" for i, text in enumerate(TEXTS)
)
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS text FROM c"


def database(path: Path, *scripts: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for script in scripts:
            connection.executescript(script)
    return path


def values(table: Table, column: str = "text") -> list[object]:
    return list(table.columns[column].to_pylist())


@pytest.mark.parametrize("name", ["a.sqlite", "a.db", "a.csv", "a"])
def test_the_only_table_is_read_whatever_the_name_of_its_file(tmp_path: Path, name: str) -> None:
    path = database(tmp_path / name, FILLED.format("messages"))
    table = read_table(path, AUTO)
    assert values(table) == TEXTS
    assert values(table, "label") == [0, 1] * 30
    assert table.notes == ("SQLite", "table 'messages'")
    chunks = list(iter_tables(path, AUTO, rows_per_chunk=25))
    assert [len(chunk) for chunk in chunks] == [25, 25, 10]
    assert [row for chunk in chunks for row in chunk.rows.tolist()] == list(range(1, 61))


def test_a_table_a_view_and_a_query_by_name(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        FILLED.format("one"),
        FILLED.format('"two tables"'),
        "CREATE VIEW seen AS SELECT text, label FROM one WHERE label = 1;",
    )
    assert error_of(path) == (
        "a.db has 3 tables that could be the table: one, two tables, seen. "
        "Name one of them: a.db::one"
    )
    assert len(read_table(f"{path}::ONE", AUTO)) == 60
    assert len(read_table(f"{path}::two tables", AUTO)) == 60
    assert values(read_table(f"{path}::seen", AUTO)) == TEXTS[1::2]
    query = "select text || '::' || label as text from one where label = 0 limit 2"
    assert values(read_table(f"{path}::{query}", AUTO)) == ["number 0::0", "number 2::0"]
    assert "There is no table 'three' in a.db; it has one, two tables, seen." in (
        error_of(f"{path}::three")
    )


def test_the_only_table_with_such_columns_and_tables_that_are_parts(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db", FILLED.format("one"), "CREATE TABLE codes(code, meaning); "
        "INSERT INTO codes VALUES (0, 'ham')"
    )  # fmt: skip
    assert "table 'one', the only one of 2 with such columns (not codes)" in (
        read_table(path, AUTO).notes
    )
    path = database(tmp_path / "b.db", FILLED.format("train"), FILLED.format("dev"))
    prepared = prepare(str(path), AUTO)
    assert {part: len(examples) for part, examples in prepared.parts.items()}["validation"] == 60


def test_values_of_every_kind(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        "CREATE TABLE t(text, label, whole, number, mixed, bytes);"
        "INSERT INTO t VALUES ('é', 'x', 1, 1.5, 1, x'616263'), "
        "(CAST(x'636166e9' AS TEXT), 'y', NULL, 2, 'a', NULL), (NULL, 'z', -3, NULL, 2.5, x'ff')",
    )
    table = read_table(path, AUTO)
    assert values(table) == ["é", "caf\\xe9", None]
    assert values(table, "whole") == [1, None, -3]
    assert values(table, "number") == [1.5, 2.0, None]
    assert values(table, "mixed") == ["1", "a", "2.5"]
    assert values(table, "bytes") == ["abc", None, "\\xff"]
    assert table.not_utf8 == {"text": frozenset({2}), "bytes": frozenset({3})}


def test_changes_that_another_program_has_beside_the_file_are_seen(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "PRAGMA journal_mode = WAL;", FILLED.format("t"))
    with closing(sqlite3.connect(path)) as other:
        other.execute("INSERT INTO t VALUES ('the newest', 1)")
        other.commit()
        assert len(read_table(path, AUTO)) == 61


# What is not done


@pytest.mark.parametrize(
    "query",
    [
        "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
        "SELECT 1; DROP TABLE t",
        "SELECT load_extension('x')",
        "SELECT file AS text FROM pragma_database_list",
        "SELECT nothing FROM t",
        "SELECT",
        "VALUES (1); ATTACH 'b.db' AS b",
    ],
)
def test_nothing_but_reading(tmp_path: Path, query: str) -> None:
    path = database(tmp_path / "a.db", FILLED.format("t"))
    before = path.read_bytes()
    assert "a.db cannot be queried: " in error_of(f"{path}::{query}")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.db"]


@pytest.mark.parametrize("query", ["ATTACH 'b.db' AS b", "PRAGMA user_version", "DROP TABLE t"])
def test_what_is_no_query_is_the_name_of_no_table(tmp_path: Path, query: str) -> None:
    path = database(tmp_path / "a.db", FILLED.format("t"))
    assert "There is no table" in error_of(f"{path}::{query}")
    assert [each.name for each in tmp_path.iterdir()] == ["a.db"]


def test_an_endless_query_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = database(tmp_path / "a.db", FILLED.format("t"), f"CREATE VIEW v AS {ENDLESS};")
    monkeypatch.setattr(databases, "MOST_ROWS", 5_000)
    for source in (f"{path}::v", f"{path}::{ENDLESS}"):
        assert "gives more than 5,000 rows" in error_of(source)
    monkeypatch.setattr(databases, "MOST_SECONDS", 0.2)
    began = time.monotonic()
    never = ENDLESS.replace("SELECT x AS text FROM c", "SELECT max(x) AS text FROM c")
    assert "no row within 0 s" in error_of(f"{path}::{never}")
    assert time.monotonic() - began < 2


def test_a_value_of_any_size_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", FILLED.format("t"))
    assert "too big" in error_of(f"{path}::SELECT zeroblob(1000000000) AS text")


@pytest.mark.parametrize("n_bytes", [50, 2_000, 5_000])
def test_a_database_that_is_cut_short(tmp_path: Path, n_bytes: int) -> None:
    path = database(tmp_path / "a.db", FILLED.format("t"))
    path.write_bytes(path.read_bytes()[:n_bytes])
    assert "a.db cannot be read as an SQLite database" in error_of(path)


def test_a_database_without_a_table(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "CREATE TABLE t(a); DROP TABLE t;")
    assert "a.db has no table." in error_of(path)
    database(path, "CREATE TABLE t(text, label);")
    assert "has no rows" in error_of(path)
