"""Label names in Hugging Face metadata whose column was renamed, is missing, or is no number."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headtune.data import iter_tables, prepare, read_table
from headtune.inspection import inspect_table
from headtune.options import DataConfig

AUTO = DataConfig()
TEXT = {"dtype": "string", "_type": "Value"}


def names(*of: str) -> dict[str, Any]:
    return {"_type": "ClassLabel", "names": list(of)}


def table(features: dict[str, Any], **columns: list[Any]) -> pa.Table:
    n = 60
    values = {name: (given * n)[:n] for name, given in columns.items()}
    made = pa.table({"text": [f"words of number {i}" for i in range(n)], **values})
    described = json.dumps({"info": {"features": {"text": TEXT, **features}}})
    return made.replace_schema_metadata({"huggingface": described})


def read_all_ways(source: pa.Table, path: Path) -> list[Any]:
    """The table in memory, from a file, and from a file by chunks of seven rows."""
    pq.write_table(source, path)
    chunks = list(iter_tables(path, AUTO, 7))
    return [read_table(source, AUTO), read_table(path, AUTO), chunks[0], chunks[-1]]


@pytest.mark.parametrize("kind", [pa.int64(), pa.int8(), pa.uint32()])
def test_a_renamed_column_keeps_its_names(kind: pa.DataType, tmp_path: Path) -> None:
    source = table({"label": names("ham", "spam")}, klass=[0, 1])
    column = source["klass"].cast(kind)
    source = source.set_column(1, "klass", column).replace_schema_metadata(source.schema.metadata)
    for read in read_all_ways(source, tmp_path / "a.parquet"):
        assert set(read.columns["klass"].to_pylist()) == {"ham", "spam"}
        assert read.notes[-1] == (
            "the numbers of 'klass' have the names of the column 'label' (ham, spam) that its "
            "Hugging Face metadata describes"
        )
    prepared = prepare(source, AUTO)
    assert prepared.labels.names == ("ham", "spam")
    assert any("have the names of" in note for note in prepared.summary["detected"])


def test_without_a_label_is_still_renamed() -> None:
    read = read_table(table({"label": names("ham", "spam")}, klass=[0, 1, -1]), AUTO)
    assert read.columns["klass"].to_pylist()[:3] == ["ham", "spam", None]


@pytest.mark.parametrize(
    ("columns", "which"),
    [
        ({"klass": [0, 1], "likes": [1, 0]}, "klass or likes"),
        ({"klass": [0, 2]}, "klass"),
        ({"klass": [-2, 1]}, "klass"),
    ],
)
def test_where_it_cannot_be_told_the_loss_is_said(
    columns: dict[str, list[int]], which: str, tmp_path: Path
) -> None:
    source = table({"label": names("ham", "spam")}, **columns)
    for read in read_all_ways(source, tmp_path / "a.parquet"):
        assert read.columns["klass"].type == pa.int64()
        assert (
            "names labels of the column 'label' (ham, spam), which is not there" in read.notes[-1]
        )
        assert read.notes[-1].endswith("cannot be told, so their names are lost")
        assert all(name in read.notes[-1] for name in which.split(" or "))


def test_a_number_out_of_range_in_a_late_chunk_counts_for_all(tmp_path: Path) -> None:
    source = table({"label": names("ham", "spam")}, klass=[0] * 59 + [7])
    pq.write_table(source, tmp_path / "a.parquet")
    chunks = list(iter_tables(tmp_path / "a.parquet", AUTO, 7))
    assert {str(chunk.columns["klass"].type) for chunk in chunks} == {"int64"}


def test_two_lost_columns_are_not_guessed() -> None:
    features = {"a": names("ham", "spam"), "b": names("x", "y", "z")}
    read = read_table(table(features, c=[0, 1]), AUTO)
    assert "'a' (ham, spam); 'b' (x, y, z)" in read.notes[-1]
    assert read.columns["c"].to_pylist()[:2] == [0, 1]


def test_features_of_a_column_that_is_missing_are_read(tmp_path: Path) -> None:
    source = table({"label": names("ham", "spam")})
    for read in read_all_ways(source, tmp_path / "a.parquet"):
        assert read.column_names == ["text"]
        assert read.notes[-1].endswith("'label' (ham, spam), which is not there")


@pytest.mark.parametrize("odd", [None, [], "ab", ["a", 1], {"a": 1}])
def test_names_that_make_no_sense_change_nothing(odd: Any) -> None:
    read = read_table(table({"label": {"_type": "ClassLabel", "names": odd}}, klass=[0, 1]), AUTO)
    assert read.columns["klass"].to_pylist()[:2] == [0, 1]
    assert read.notes == ()


def test_whole_numbers_with_a_point_have_names_too() -> None:
    source = table({"label": names("ham", "spam")}, label=[0.0, 1.0, None, float("nan")])
    read = read_table(source, AUTO)
    assert read.columns["label"].to_pylist()[:4] == ["ham", "spam", None, None]
    read = read_table(table({"label": names("ham", "spam")}, label=[0.5, 1.0]), AUTO)
    assert read.notes == ("the names of 'label' in its Hugging Face metadata are left out",)


def test_numbers_without_any_name_are_said_by_inspect() -> None:
    plain = pa.table({"text": [f"words of number {i}" for i in range(60)], "klass": [0, 1] * 30})
    found = {f.kind: f.title for f in inspect_table(plain, AUTO).findings}
    assert found["unnamed_labels"].startswith("The labels are the numbers 0 to 1")
    stars = pa.table({"text": [f"words of number {i}" for i in range(60)], "stars": [4, 5] * 30})
    assert "unnamed_labels" not in {f.kind for f in inspect_table(stars, AUTO).findings}


def test_numbers_whose_names_are_lost_are_said_in_training(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"text": [f"text {i}" for i in range(40)], "label": [i % 2 for i in range(40)]}),
        path,
    )
    (note,) = prepare(path, DataConfig()).summary["notes"]
    assert note.startswith("The labels are the numbers 0 to 1, and the table has no names")
