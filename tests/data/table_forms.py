"""A table of texts and labels in each form that is read: for tests that go through all of them.

``FORMS`` maps the name of a file to what writes it: bytes from texts and labels. To add a form, add
a row. ``CANNOT_HOLD`` maps it to the characters that such a file cannot hold, where there are any.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import sqlite3
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from made_workbooks import WORKBOOKS

__all__ = ["CANNOT_HOLD", "FORMS", "packed_by_arrow", "tarred", "zipped"]

Writer: TypeAlias = Callable[[Sequence[str], Sequence[str]], bytes]

CONTROL = "".join(map(chr, [*range(9), 11, 12, *range(14, 32)]))


def _csv(texts: Sequence[str], labels: Sequence[str]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *zip(texts, labels, strict=True)])
    return file.getvalue().encode()


def _records(texts: Sequence[str], labels: Sequence[str]) -> list[dict[str, str]]:
    return [{"text": t, "label": label} for t, label in zip(texts, labels, strict=True)]


def _json(texts: Sequence[str], labels: Sequence[str]) -> bytes:
    return json.dumps(_records(texts, labels)).encode()


def _json_lines(texts: Sequence[str], labels: Sequence[str]) -> bytes:
    return "".join(
        json.dumps(r, ensure_ascii=False) + "\n" for r in _records(texts, labels)
    ).encode()


def _arrow(texts: Sequence[str], labels: Sequence[str]) -> pa.Table:
    return pa.table({"text": pa.array(texts, pa.string()), "label": pa.array(labels, pa.string())})


def _parquet(texts: Sequence[str], labels: Sequence[str]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(_arrow(texts, labels), sink)
    return sink.getvalue()


def _arrow_file(texts: Sequence[str], labels: Sequence[str]) -> bytes:
    sink, table = io.BytesIO(), _arrow(texts, labels)
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _arrow_stream(texts: Sequence[str], labels: Sequence[str]) -> bytes:
    sink, table = io.BytesIO(), _arrow(texts, labels)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _sqlite(texts: Sequence[str], labels: Sequence[str]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE t(text TEXT, label TEXT)")
            connection.executemany("INSERT INTO t VALUES (?, ?)", zip(texts, labels, strict=True))
            connection.commit()
        return path.read_bytes()


def _workbook(kind: str) -> Writer:
    def written(texts: Sequence[str], labels: Sequence[str]) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a"
            rows = [("text", "label"), *zip(texts, labels, strict=True)]
            WORKBOOKS[kind](path, {"Sheet": rows})
            return path.read_bytes()

    return written


def packed_by_arrow(codec: str) -> Callable[[bytes], bytes]:
    """What packs by zstd or lz4."""

    def packed(data: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, codec) as file:
            file.write(data)
        return bytes(sink.getvalue())

    return packed


def zipped(data: bytes, *names: str) -> bytes:
    """A zip archive with the same content under each name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("messages.csv",):
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(data: bytes, *names: str) -> bytes:
    """A tar archive with the same content under each name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in names or ("messages.csv",):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _packed(write: Writer, pack: Callable[[bytes], bytes]) -> Writer:
    return lambda texts, labels: pack(write(texts, labels))


FORMS: dict[str, Writer] = {
    "a.csv": _csv,
    "a.json": _json,
    "a.jsonl": _json_lines,
    "a.parquet": _parquet,
    "a.arrow": _arrow_file,
    "stream.arrow": _arrow_stream,
    "a.sqlite": _sqlite,
    "a.xlsx": _workbook("xlsx"),
    "a.xls": _workbook("xls"),
    "a.ods": _workbook("ods"),
    "a.csv.gz": _packed(_csv, gzip.compress),
    "a.csv.bz2": _packed(_csv, bz2.compress),
    "a.jsonl.xz": _packed(_json_lines, lzma.compress),
    "a.jsonl.zst": _packed(_json_lines, packed_by_arrow("zstd")),
    "a.csv.lz4": _packed(_csv, packed_by_arrow("lz4")),
    "a.parquet.gz": _packed(_parquet, gzip.compress),
    "a.zip": _packed(_csv, zipped),
    "a.tar.gz": _packed(_packed(_csv, tarred), gzip.compress),
}
"""Name of the file -> what writes its bytes."""

CANNOT_HOLD = {
    "a.csv": "\0",
    "a.csv.gz": "\0",
    "a.csv.bz2": "\0",
    "a.csv.lz4": "\0",
    "a.zip": "\0",
    "a.tar.gz": "\0",
    "a.sqlite": "",
    "a.xlsx": CONTROL + "\r_\ufffe\uffff",  # no XML; a line end is LF; _x0041_ stands for A
    "a.xls": CONTROL + "\ufffe\uffff",
    "a.ods": CONTROL + "\r\t\ufffe\uffff" + "".join(map(chr, range(127, 160))),
}
"""File -> characters that its form has no way to hold, or that mean something else in it."""
