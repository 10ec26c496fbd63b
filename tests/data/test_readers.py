"""Every kind of source gives the same table; streaming gives what reading whole gives."""

import io
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headtune.data import Table, iter_tables, read_table
from headtune.errors import DataError
from headtune.options import DataConfig

AUTO = DataConfig()
RECORDS = [{"text": f'text number {i}, "né"', "label": i % 3} for i in range(25)]


def write_csv(path: Path) -> None:
    pd.DataFrame(RECORDS).to_csv(path, index=False)


def write_json(path: Path) -> None:
    path.write_text(json.dumps(RECORDS))


def write_json_columns(path: Path) -> None:
    path.write_text(json.dumps({key: [r[key] for r in RECORDS] for key in ("text", "label")}))


def write_json_of_pandas(path: Path) -> None:
    pd.DataFrame(RECORDS).to_json(path)


def write_json_wrapped(path: Path) -> None:
    path.write_text(json.dumps({"data": RECORDS}))


def write_json_lines(path: Path) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))


def write_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(RECORDS), path, row_group_size=4)


WRITERS: list[tuple[str, Callable[[Path], None]]] = [
    ("a.csv", write_csv),
    ("a.json", write_json),
    ("columns.json", write_json_columns),
    ("pandas.json", write_json_of_pandas),
    ("wrapped.json", write_json_wrapped),
    ("lines.json", write_json_lines),
    ("a.jsonl", write_json_lines),
    ("a.ndjson", write_json_lines),
    ("a.parquet", write_parquet),
    ("unknown.dat", write_csv),
    ("unknown.data", write_json),
    ("unknown", write_json_lines),
    ("unknown.table", write_parquet),
]


def pairs(table: Table) -> list[tuple[str, int]]:
    texts, labels = (table.columns[name].to_pylist() for name in ("text", "label"))
    return [(text, int(label)) for text, label in zip(texts, labels, strict=True)]


EXPECTED = [(record["text"], record["label"]) for record in RECORDS]


@pytest.mark.parametrize(("name", "write"), WRITERS, ids=[name for name, _ in WRITERS])
def test_every_format_gives_the_same_table(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    table = read_table(tmp_path / name, AUTO)
    assert pairs(table) == EXPECTED
    assert table.rows.tolist() == list(range(1, 26))


@pytest.mark.parametrize(("name", "write"), WRITERS, ids=[name for name, _ in WRITERS])
def test_streaming_equals_reading_whole(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    chunks = list(iter_tables(tmp_path / name, AUTO, rows_per_chunk=7))
    assert max(len(chunk) for chunk in chunks) <= 7
    assert [pair for chunk in chunks for pair in pairs(chunk)] == EXPECTED
    assert np.concatenate([chunk.rows for chunk in chunks]).tolist() == list(range(1, 26))


@pytest.mark.parametrize(
    "write", [write_csv, write_json, write_json_lines, write_parquet], ids=lambda w: w.__name__
)
def test_standard_input_is_sniffed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
) -> None:
    write(tmp_path / "input")
    data = io.BytesIO((tmp_path / "input").read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    assert pairs(read_table("-", AUTO)) == EXPECTED


def python_sources() -> dict[str, object]:
    frame = pd.DataFrame(RECORDS, index=range(100, 125))
    return {
        "dicts": RECORDS,
        "DataFrame": frame,
        "DataFrame of categories": frame.astype({"label": "category"}),
        "DataFrame of objects": frame.astype(object),
        "pyarrow": pa.Table.from_pylist(RECORDS),
        "dictionaries": pa.table(
            {
                "text": pa.array([r["text"] for r in RECORDS]).dictionary_encode(),
                "label": [r["label"] for r in RECORDS],
            }
        ),
    }


@pytest.mark.parametrize("kind", python_sources())
def test_python_objects(kind: str) -> None:
    source = python_sources()[kind]
    assert pairs(read_table(source, AUTO)) == EXPECTED
    chunks = list(iter_tables(source, AUTO, rows_per_chunk=10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 5]
    assert [pair for chunk in chunks for pair in pairs(chunk)] == EXPECTED


@pytest.mark.parametrize("source", [["a", "b"], 3, {"a", "b"}], ids=["list", "int", "set"])
def test_other_objects_are_refused(source: object) -> None:
    with pytest.raises(DataError, match="Expected a path, a hub id, a list of dicts"):
        read_table(source, AUTO)


def test_two_columns_of_one_name_are_refused() -> None:
    frame = pd.DataFrame([["a", "b"]], columns=["text", "text"])
    with pytest.raises(DataError, match="two columns named 'text'"):
        read_table(frame, AUTO)


def test_keys_that_records_lack_are_missing_values(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": 1}\n{"text": "b"}\n{"text": "c", "extra": [1]}\n')
    assert read_table(path, AUTO).columns["label"].to_pylist() == [1, None, None]
    names = [chunk.column_names for chunk in iter_tables(path, AUTO, rows_per_chunk=1)]
    assert names[1] == ["text", "label"]


def test_broken_rows_are_set_aside_under_their_number(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,label\none,1\ntwo\nthree,3,3\nfo\0ur,4\nfive,5\n")
    table = read_table(path, AUTO)
    assert table.columns["text"].to_pylist() == ["one", "five"]
    assert table.rows.tolist() == [1, 5]
    assert [(row.row, row.reason, row.content) for row in table.set_aside] == [
        (2, "1 field where 2 are expected", "two"),
        (3, "3 fields where 2 are expected", "three,3,3"),
        (4, "a NUL byte", "fo\\0ur,4"),
    ]


def test_broken_json_lines_are_set_aside_under_their_number(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = ['{"text": "one"}', "", "{oops}", "[1, 2]", r'{"text": "\ud800"}', '{"text": "five"}']
    path.write_text("\n".join(lines))
    whole = read_table(path, AUTO)
    assert whole.columns["text"].to_pylist() == ["one", "five"]
    assert whole.rows.tolist() == [1, 5]
    assert [(row.row, row.reason) for row in whole.set_aside] == [
        (2, "not valid JSON"),
        (3, "not a JSON object"),
        (4, "half a surrogate pair, which is not text"),
    ]
    chunks = list(iter_tables(path, AUTO, rows_per_chunk=2))
    assert tuple(row for chunk in chunks for row in chunk.set_aside) == whole.set_aside
    assert [row for chunk in chunks for row in chunk.rows.tolist()] == [1, 5]


HALF = "half a surrogate pair, which is not text"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (r'{"text": "two", "label": ["\ud83d"]}', HALF),
        (r'{"text": "two", "label": {"a": ["x", "\ud83d b"]}}', HALF),
        (r'{"text": "two", "label": {"\ud83d": 1}}', HALF),
        (r'{"text": "two", "\ud83d": "a"}', HALF),
        (r'"\ud83d"', "not a JSON object"),
        ('{"text": "two", "label": ' + "1" * 5_000 + "}", "a number of too many digits"),
    ],
    ids=["list", "dict", "inner key", "key", "string", "number"],
)
def test_a_record_of_json_lines_that_nothing_can_hold(
    tmp_path: Path, line: str, reason: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"text": "one", "label": "x"}}\n{line}\n{{"text": "three", "label": "y"}}\n')
    table = read_table(path, AUTO)
    assert table.columns.to_pydict() == {"text": ["one", "three"], "label": ["x", "y"]}
    assert [(row.row, row.reason) for row in table.set_aside] == [(2, reason)]
    assert table.set_aside[0].content.encode()


def test_json_of_columns_with_half_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(r'{"text": ["one", "\ud83d b"], "label": [1, 2]}')
    table = read_table(path, AUTO)
    assert table.columns.to_pydict() == {"text": ["one"], "label": [1]}
    assert [(row.row, row.reason) for row in table.set_aside] == [(2, HALF)]


def test_a_number_of_too_many_digits_in_a_json_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'[{{"text": "one", "label": {"1" * 5_000}}}]')
    with pytest.raises(DataError, match=r"a\.json holds a number of too many digits"):
        read_table(path, AUTO)


def test_many_broken_records_take_no_longer_each() -> None:
    records = [{"text": "half \ud83d" if i % 2 else "whole"} for i in range(40_000)]
    begin = time.process_time()
    table = read_table(records, AUTO)
    assert time.process_time() - begin < 4
    assert (len(table), len(table.set_aside)) == (20_000, 20_000)


def test_strict_stops_at_the_first_broken_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\none,1\ntwo\nthree,3\n")
    strict = replace(AUTO, strict=True)
    for read in (read_table, lambda *arguments: list(iter_tables(*arguments))):
        with pytest.raises(DataError, match=r"Row 2 of a\.csv cannot be used: 1 field where 2"):
            read(path, strict)


def test_a_stream_is_not_read_ahead(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    words = " of many words" * 20
    with path.open("w") as file:
        file.write("text,label\n")
        file.writelines(f"text {i}{words},{i % 2}\n" for i in range(6_000))
    first = next(iter_tables(path, AUTO, rows_per_chunk=10))
    assert first.columns["text"].to_pylist()[-1] == "text 9" + words
    with path.open("ab") as file:  # bad bytes late in the file are met late
        file.write(b"text \xff,1\n" * 10)
    n_rows = 0
    with pytest.raises(DataError, match="is not utf-8"):  # noqa: PT012
        for chunk in iter_tables(path, AUTO, rows_per_chunk=100):
            n_rows += len(chunk)
    assert 0 < n_rows < 6_000
