"""Arrow files, streams and Feather are told by content, and nothing in them reads beyond them."""

import io
import random
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pytest
from refusals import error_of

from headtune.data import iter_tables, read_table
from headtune.options import DataConfig

AUTO = DataConfig()
TEXTS = [f"number {i} é" for i in range(60)]
LABELS = pa.DictionaryArray.from_arrays(
    pa.array([i % 2 for i in range(60)], pa.uint32()), pa.array(["ham", "spam"], pa.string_view())
)
TABLE = pa.table({"text": pa.array(TEXTS, pa.string_view()), "label": LABELS})
"""As polars writes it."""


def ipc(
    start: Callable[..., pa.ipc.RecordBatchFileWriter], **options: object
) -> Callable[[pa.Table], bytes]:
    def written(table: pa.Table) -> bytes:
        sink = io.BytesIO()
        with start(sink, table.schema, **options) as writer:
            writer.write_table(table, max(25, len(table) // 3))
        return sink.getvalue()

    return written


def feather_1(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    plain = pa.table({name: table[name].to_pylist() for name in table.column_names})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        feather.write_feather(plain, sink, version=1)
    return sink.getvalue()


FORMS = {
    "file": ipc(pa.ipc.new_file),
    "stream": ipc(pa.ipc.new_stream),
    "zstd": ipc(pa.ipc.new_file, options=pa.ipc.IpcWriteOptions(compression="zstd")),
    "feather 1": feather_1,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["a.arrow", "a.feather", "a.csv", "a"])
def test_every_form_whatever_its_name(tmp_path: Path, form: str, name: str) -> None:
    (tmp_path / name).write_bytes(FORMS[form](TABLE))
    table = read_table(tmp_path / name, AUTO)
    assert table.columns["text"].to_pylist() == TEXTS
    assert table.columns["label"].to_pylist() == ["ham", "spam"] * 30
    assert table.notes == ("Arrow",)
    chunks = list(iter_tables(tmp_path / name, AUTO, rows_per_chunk=20))
    assert [text for chunk in chunks for text in chunk.columns["text"].to_pylist()] == TEXTS
    assert [row for chunk in chunks for row in chunk.rows.tolist()] == list(range(1, 61))
    assert max(map(len, chunks)) == 20


@pytest.mark.parametrize("form", FORMS)
def test_on_standard_input(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    data = io.BytesIO(FORMS[form](TABLE))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    assert read_table("-", AUTO).columns["text"].to_pylist() == TEXTS


@pytest.mark.parametrize("form", FORMS)
def test_no_rows(tmp_path: Path, form: str) -> None:
    (tmp_path / "a.arrow").write_bytes(FORMS[form](TABLE.slice(0, 0)))
    assert "a.arrow has no rows" in error_of(tmp_path / "a.arrow")


def test_text_that_is_not_utf_8_costs_its_row(tmp_path: Path) -> None:
    broken = pa.array([b"caf\xe9", b"good"], pa.binary()).view(pa.string())
    (tmp_path / "a.arrow").write_bytes(FORMS["file"](pa.table({"text": broken})))
    table = read_table(tmp_path / "a.arrow", AUTO)
    assert table.columns["text"].to_pylist() == ["caf\\xe9", "good"]
    assert table.not_utf8 == {"text": frozenset({1})}


def test_an_offset_beyond_the_text_is_one_line(tmp_path: Path) -> None:
    offsets = pa.py_buffer(memoryview(bytes([0, 0, 0, 0, 255, 255, 255, 0, 3, 0, 0, 0])))
    wild = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"abc")])
    (tmp_path / "a.arrow").write_bytes(FORMS["file"](pa.table({"text": wild})))
    assert "a.arrow cannot be read as an Arrow file; it may be cut short" in (
        error_of(tmp_path / "a.arrow")
    )


def test_more_rows_than_a_file_can_hold(tmp_path: Path) -> None:
    nulls = pa.table({"text": pa.nulls(30_000_000)})
    (tmp_path / "a.arrow").write_bytes(FORMS["file"](nulls))
    assert "claims 30,000,000 rows in" in error_of(tmp_path / "a.arrow")


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_is_cut_short(tmp_path: Path, form: str) -> None:
    data = FORMS[form](TABLE)
    rng = random.Random(0)
    for _ in range(20):
        (tmp_path / "a").write_bytes(data[: rng.randrange(12, len(data) - 30)])
        error_of(tmp_path / "a")
