"""Tables in forms that people have: what each becomes, to the row. Made elsewhere, and not shipped.

Each form has tests of its own with tables that are made there; here are the same forms by another
hand. Where the tables are not, this is skipped.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from headtune.data import prepare, read_table
from headtune.errors import ColumnError, EncodingError
from headtune.inspection import inspect_table
from headtune.options import DataConfig

_GIVEN = os.environ.get("HEADTUNE_CASES")
CASES = Path(_GIVEN) if _GIVEN else Path(__file__).parents[3] / "shared" / "data" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="HEADTUNE_CASES names no folder of them")

HALVES = {"ham": 30, "spam": 30}
NUMBERS = {"0": 30, "1": 30}


@pytest.mark.parametrize(
    ("name", "options", "labels", "set_aside"),
    [
        ("catted.csv", {}, HALVES, [31]),
        ("zh_gb18030.csv", {"encoding": "gb18030"}, {"正面": 30, "负面": 30}, []),
        ("ru_cp1251.csv", {"encoding": "cp1251"}, {"плохо": 30, "хорошо": 30}, []),
        ("onebad_zh.csv", {}, {"正面": 30, "负面": 30}, [41, 42]),
        ("spark.csv", {}, HALVES, []),
        ("titleline.csv", {}, HALVES, []),
        ("hf_renamed.parquet", {}, NUMBERS, []),
        ("jigsaw.csv", {"label": "toxic"}, {"0": 60, "1": 60}, []),
        ("onehot.csv", {"label": "joy"}, {"0": 60, "1": 30}, []),
        (
            "multi_semicolon.csv",
            {"label": "labels"},
            {"negative": 30, "neutral": 30, "neutral;juice": 30, "positive": 30},
            [],
        ),
        (
            "naword.csv",
            {},
            {"N/A": 3, "NA": 3, "NULL": 3, "None": 3, "ham": 48, "spam": 60},
            [],
        ),
        ("nested.jsonl", {}, HALVES, []),
        ("nested.jsonl", {"text": "data.text", "label": "data.label"}, HALVES, []),
        ("openai.jsonl", {}, HALVES, []),
        ("labelstudio.json", {}, HALVES, []),
        ("splits", {}, HALVES, []),
        ("splits.json", {}, HALVES, []),
        ("pairs.json", {}, HALVES, []),
        ("fasttext.txt", {}, HALVES, []),
        ("numtext.txt", {"delimiter": "space", "quoting": "none"}, NUMBERS, []),
        ("folder", {}, HALVES, []),
        ("train_text.txt", {"label_file": CASES / "train_labels.txt"}, NUMBERS, []),
        ("plain.csv.gz", {}, HALVES, []),
        ("plain.xlsx", {}, HALVES, []),
        ("texts.sqlite::t", {}, HALVES, []),
        ("polars.arrow", {}, HALVES, []),
    ],
)
def test_every_row_has_its_place(
    name: str, options: dict[str, Any], labels: dict[str, int], set_aside: list[int]
) -> None:
    prepared = prepare(f"{CASES}/{name}", DataConfig(split="100/0/0", **options))
    rows = [row for part in prepared.parts.values() for row in part]
    names = prepared.labels.decode([row.label for row in rows if row.label is not None])
    assert Counter(names) == labels
    assert [row.row for row in prepared.set_aside] == set_aside


def test_parts_stay_as_they_are() -> None:
    for name, sizes in (("splits", [40, 10, 10]), ("splits.json", [40, 0, 20])):
        parts = prepare(CASES / name, DataConfig(split="100/0/0")).parts
        assert [len(part) for part in parts.values()] == sizes


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("zh_gb18030.csv", EncodingError, 'encoding="gb18030"'),
        ("ru_cp1251.csv", EncodingError, 'encoding="cp1251"'),
        ("jigsaw.csv", ColumnError, "several labels"),
        ("onehot.csv", ColumnError, "several labels"),
        ("multi_semicolon.csv", ColumnError, "several labels"),
        ("hf_nolabel.parquet", ColumnError, "no column for the label"),
    ],
)
def test_what_is_not_trained_on_has_a_way_out(name: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        prepare(CASES / name, DataConfig())


def test_a_missing_word_is_missing_where_that_is_said() -> None:
    words = DataConfig(split="100/0/0", missing=("NA", "N/A", "None", "NULL"))
    prepared = prepare(CASES / "naword.csv", words)
    assert len(prepared.train) == 108
    assert len(prepared.set_aside) == 12
    (note,) = prepare(CASES / "naword.csv", DataConfig()).summary["notes"]
    assert "look like missing values" in note


def test_a_header_is_no_row_though_a_cell_equals_its_name() -> None:
    table = read_table(CASES / "header_is_a_value.csv", DataConfig())
    assert table.columns["text"].to_pylist()[1] == "text"
    assert len(table) == 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("catted.csv", "unusable_rows"),
        ("onebad_zh.csv", "unusable_rows"),
        ("jigsaw.csv", "several_labels"),
        ("onehot.csv", "several_labels"),
        ("multi_semicolon.csv", "several_labels"),
        ("naword.csv", "no_labels"),
        ("hf_renamed.parquet", "unnamed_labels"),
    ],
)
def test_inspect_says_what_is_odd(name: str, kind: str) -> None:
    found = inspect_table(CASES / name, DataConfig())
    assert kind in [finding.kind for finding in found.findings]
