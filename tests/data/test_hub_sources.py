"""Data sets of the datasets library in memory, and hub ids where no hub is in reach."""

import os
import subprocess
import sys
from pathlib import Path

import datasets
import pytest

from headtune.data import iter_tables, labelled_examples, prepare, read_table
from headtune.data.reading.opening.sources import is_hub_id
from headtune.data.reading.part_names import part_names
from headtune.errors import DataError
from headtune.options import DataConfig
from headtune.types import LabelSet

AUTO = DataConfig()


def dataset_of(n_rows: int, begin: int = 0, unlabelled: bool = False) -> datasets.Dataset:
    features = datasets.Features(
        text=datasets.Value("string"), label=datasets.ClassLabel(names=["spam", "ham"])
    )
    rows = range(begin, begin + n_rows)
    labels = [-1 if unlabelled else i % 2 for i in rows]
    return datasets.Dataset.from_dict(
        {"text": [f"text {i}" for i in rows], "label": labels}, features=features
    )


def test_class_labels_come_out_by_name() -> None:
    table = read_table(dataset_of(5), AUTO)
    assert table.columns["label"].to_pylist() == ["spam", "ham", "spam", "ham", "spam"]
    assert prepare(dataset_of(40), AUTO).labels.names == ("ham", "spam")


def test_class_labels_come_out_by_name_from_parquet(tmp_path: Path) -> None:
    dataset_of(5).to_parquet(tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet", AUTO)
    assert table.columns["label"].to_pylist() == ["spam", "ham", "spam", "ham", "spam"]


def test_rows_that_were_selected_are_the_rows_that_are_read() -> None:
    chosen = dataset_of(10).select([7, 3, 5])
    assert read_table(chosen, AUTO).columns["text"].to_pylist() == ["text 7", "text 3", "text 5"]


def test_splits_become_parts() -> None:
    splits = {"train": dataset_of(80), "dev": dataset_of(10, 80), "test": dataset_of(6, 90)}
    prepared = prepare(datasets.DatasetDict(splits), AUTO)
    assert [len(part) for part in prepared.parts.values()] == [80, 10, 6]
    assert prepared.summary["split"] == "given by the splits of the data set"
    table = read_table(datasets.DatasetDict(splits), AUTO)
    assert table.rows.tolist() == list(range(1, 97))
    chunks = list(iter_tables(datasets.DatasetDict(splits), AUTO, rows_per_chunk=30))
    assert [row for chunk in chunks for row in chunk.rows.tolist()] == table.rows.tolist()
    texts = [text for chunk in chunks for text in chunk.columns["text"].to_pylist()]
    assert texts == table.columns["text"].to_pylist()


def test_a_test_split_without_labels_is_left_out() -> None:
    splits = {"train": dataset_of(100), "test": dataset_of(20, 100, unlabelled=True)}
    prepared = prepare(datasets.DatasetDict(splits), DataConfig(split="80/20"))
    assert [len(part) for part in prepared.parts.values()] == [80, 0, 20]
    assert "test left out: it has no labels" in str(prepared.summary["detected"])
    assert prepared.summary["split"] == "80/20"
    splits["validation"] = dataset_of(10, 200)
    prepared = prepare(datasets.DatasetDict(splits), DataConfig(split="80/20"))
    assert [len(part) for part in prepared.parts.values()] == [80, 10, 20]
    assert prepared.summary["split"] == (
        "given by the splits of the data set; test cut from train by 80/20"
    )


def test_a_classifier_is_tested_on_the_test_split() -> None:
    splits = datasets.DatasetDict(train=dataset_of(10), test=dataset_of(4, 10))
    labels = LabelSet(("ham", "spam"))
    examples, _ = labelled_examples(splits, AUTO, labels, "text", "label")
    assert [example.text for example in examples] == ["text 10", "text 11", "text 12", "text 13"]


def test_names_of_splits() -> None:
    assert part_names({"unsupervised": 0, "test": 0, "train": 0, "validation": 0}) == {
        "train": "train",
        "validation": "validation",
        "test": "test",
    }
    assert part_names({"all": 0}) == {"train": "all"}
    with pytest.raises(DataError, match="Expected a split named train; found a, b"):
        part_names({"a": 0, "b": 0})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("owner/name", True),
        ("owner/name:configuration", True),
        ("owner/name@train", True),
        ("owner/name:c@train", True),
        ("owner/name.csv", False),
        ("name", False),
        ("./owner/name", False),
        ("/owner/name", False),
        ("a/b/c", False),
    ],
)
def test_what_can_be_a_hub_id(name: str, expected: bool) -> None:
    assert is_hub_id(name) is expected


@pytest.mark.parametrize("offline", ["0", "1"])
def test_no_hub_in_reach_ends_in_one_line_within_seconds(tmp_path: Path, offline: str) -> None:
    code = (
        "import time\n"
        "from headtune.options import DataConfig\n"
        "from headtune.data import read_table\n"
        "from headtune.errors import DataNotFoundError\n"
        "import datasets\n"
        "begin = time.monotonic()\n"
        "try:\n"
        "    read_table('nobody/nothing', DataConfig())\n"
        "except DataNotFoundError as error:\n"
        "    print(time.monotonic() - begin, error)\n"
    )
    environment = os.environ | {
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HUB_OFFLINE": offline,
        "HF_HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    seconds, _, message = done.stdout.strip().partition(" ")
    assert done.returncode == 0, done.stderr
    assert float(seconds) < 15  # 23 without the question asked first
    assert "There is no file 'nobody/nothing', and the hub (http://127.0.0.1:9)" in message
    assert "\n" not in message


def test_importing_the_stage_imports_neither_torch_nor_datasets() -> None:
    code = (
        "import sys, headtune.data\n"
        "print({'torch', 'transformers', 'datasets', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
