"""Rows that cannot be used are set aside with reason and content; used and set aside add up."""

import json
from pathlib import Path

import pandas as pd
import pytest

from headtune.data import (
    find_columns,
    find_text_column,
    iter_tables,
    read_table,
    usable_rows,
    write_set_aside,
)
from headtune.errors import DataError
from headtune.options import DataConfig
from headtune.types import SetAsideRow
from headtune.wording.text_lists import SHOWN_CHARACTERS

AUTO = DataConfig()
RECORDS = [
    {"text": "good text", "label": "a"},
    {"text": "", "label": "a"},
    {"text": " \t\n", "label": "b"},
    {"text": None, "label": "b"},
    {"text": "no label", "label": None},
    {"text": "blank label", "label": "  "},
    {"text": 12, "label": "a"},
    {"text": {"nested": "text"}, "label": "a"},
    {"text": " kept as it is ", "label": " b "},
]
REASONS = {
    2: "the text is empty",
    3: "the text is empty",
    4: "the text is missing",
    5: "the label is missing",
    6: "the label is missing",
    7: "the text is not a string",
    8: "the text is not a string",
}


def test_each_reason_under_its_row() -> None:
    table = read_table(RECORDS, AUTO)
    usable = usable_rows(table, find_columns(table, AUTO), AUTO)
    assert usable.texts == ["good text", " kept as it is "]
    assert usable.labels == ["a", "b"]
    assert usable.rows.tolist() == [1, 9]
    assert {row.row: row.reason for row in usable.set_aside} == REASONS
    assert json.loads(usable.set_aside[3].content) == {"text": "no label", "label": None}


def test_prediction_needs_no_label() -> None:
    table = read_table(RECORDS, AUTO)
    usable = usable_rows(table, find_text_column(table, AUTO, trained_on=None), AUTO)
    assert usable.texts == ["good text", "no label", "blank label", " kept as it is "]
    assert usable.labels == []


def test_a_chunk_in_which_no_text_is_a_string(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one"}\n{"text": "two"}\n{"text": 3}\n{"text": null}\n')
    first, second = iter_tables(path, AUTO, rows_per_chunk=2)
    columns = find_text_column(first, AUTO, trained_on=None)
    usable = usable_rows(second, columns, AUTO)
    assert usable.texts == []
    assert [(row.row, row.reason) for row in usable.set_aside] == [
        (3, "the text is not a string"),
        (4, "the text is missing"),
    ]


def test_broken_records_and_unusable_rows_come_in_one_order(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n,1\nbroken\nfine,0\n ,1\n")
    table = read_table(path, AUTO)
    usable = usable_rows(table, find_columns(table, AUTO), AUTO)
    assert [row.row for row in usable.set_aside] == [1, 2, 4]
    assert len(usable.texts) + len(usable.set_aside) == 4


def test_strict_stops_at_the_first_unusable_row() -> None:
    strict = DataConfig(strict=True)
    table = read_table(RECORDS, strict)
    with pytest.raises(DataError, match="Row 2 of the data cannot be used: the text is empty"):
        usable_rows(table, find_columns(table, strict), strict)
    clean = read_table(RECORDS[:1] + RECORDS[-1:], strict)
    assert len(usable_rows(clean, find_columns(clean, strict), strict).texts) == 2


def test_a_template_joins_what_there_is() -> None:
    records = [
        {"keyword": "fire", "text": "a house burns", "n": 1},
        {"keyword": None, "text": "no keyword ", "n": 2},
        {"keyword": " ", "text": None, "n": None},
    ]
    config = DataConfig(template="{keyword}: {text} ({n}) {{x}}")
    table = read_table(records, config)
    usable = usable_rows(table, find_text_column(table, config, trained_on=None), config)
    assert usable.texts == ["fire: a house burns (1) {x}", ": no keyword (2) {x}"]
    assert [(row.row, row.reason) for row in usable.set_aside] == [(3, "the text is empty")]


def test_long_content_is_shortened() -> None:
    table = read_table([{"text": "", "label": "x" * 10_000}, {"text": "a", "label": "b"}], AUTO)
    config = DataConfig(text="text", label="label")
    (row,) = usable_rows(table, find_columns(table, config), config).set_aside
    assert len(row.content) == SHOWN_CHARACTERS
    assert row.content.endswith("…")


def test_set_aside_rows_are_written_as_csv(tmp_path: Path) -> None:
    rows = [SetAsideRow(3, "the text is empty", 'a "quoted"\nline, é'), SetAsideRow(9, "x", "")]
    write_set_aside(rows, tmp_path / "set_aside.csv")
    read = pd.read_csv(tmp_path / "set_aside.csv", keep_default_na=False)
    assert read.to_dict("records") == [
        {"row": 3, "reason": "the text is empty", "content": 'a "quoted"\nline, é'},
        {"row": 9, "reason": "x", "content": ""},
    ]
