"""A table is predicted and evaluated the same, whatever form it comes in."""

import gzip
import io
import sqlite3
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest

from headtune import Predictor, TextClassifier, evaluate_file, predict_file
from headtune.data import read_table
from headtune.inspection import inspect_table
from headtune.options import DataConfig
from tests_support import TEXTS, TOPICS

SOURCES = ("a.csv.gz", "a.zip::in/a.csv", "a.xlsx::Texts", "a.db::messages", "-")
ROWS = list(zip(TEXTS, TOPICS, strict=True))


@pytest.fixture(scope="module")
def predictor(tiny_llama: Path) -> Predictor:
    classifier = TextClassifier(str(tiny_llama), "last-1", max_steps=1)
    fitted: Predictor = classifier.fit(TEXTS, TOPICS).predictor_
    return fitted


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same table in each form; gzip on standard input."""
    written = "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in ROWS)
    packed = gzip.compress(written.encode())
    (tmp_path / "a.csv.gz").write_bytes(packed)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/a.csv", written)
        archive.writestr("in/b.csv", "other\n1\n")
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Texts")
    for row in [("text", "label"), *ROWS]:
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.execute("CREATE TABLE messages(text, label)")
        database.executemany("INSERT INTO messages VALUES (?, ?)", ROWS)
        database.commit()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed)))
    return tmp_path


def address(folder: Path, source: str) -> str:
    return source if source == "-" else f"{folder}/{source}"


@pytest.mark.parametrize("source", SOURCES)
def test_predict(predictor: Predictor, folder: Path, source: str) -> None:
    out = folder / "out.csv"
    summary = predict_file(predictor, address(folder, source), out=out)
    assert summary["rows"] == len(ROWS)
    found = read_table(out, DataConfig()).columns.to_pylist()
    assert [(row["text"], row["label"]) for row in found] == ROWS
    assert [row["predicted_label"] for row in found] == [
        prediction.label for prediction in predictor.predict(TEXTS)
    ]


@pytest.mark.parametrize("source", SOURCES)
def test_evaluate_and_inspect(predictor: Predictor, folder: Path, source: str) -> None:
    assert evaluate_file(predictor, address(folder, source))["n"] == len(ROWS)
    if source != "-":
        found = inspect_table(address(folder, source), DataConfig()).to_dict()
        assert found["rows_read"] == len(ROWS), found.keys()
