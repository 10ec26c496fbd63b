"""Fields by a dotted name: the same of JSON, Arrow, frames and dicts; what was read stays."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headtune.data import find_columns, prepare, read_table, usable_rows
from headtune.data.nested.fields import leaves, with_fields
from headtune.data.prepare import labelled_examples
from headtune.errors import ColumnError
from headtune.options import DataConfig
from headtune.predict.fields import texts_through

AUTO = DataConfig()
ALL = DataConfig(split="100/0/0")

RECORDS: list[dict[str, Any]] = [
    {"id": i, "data": {"text": f"see you at number {i}", "label": "ham" if i % 2 else "spam"}}
    for i in range(20)
]
TEXTS = [record["data"]["text"] for record in RECORDS]


def as_lines(folder: Path) -> object:
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, RECORDS)))
    return folder / "a.jsonl"


def as_json(folder: Path) -> object:
    (folder / "a.json").write_text(json.dumps(RECORDS))
    return folder / "a.json"


def as_parquet(folder: Path) -> object:
    pq.write_table(pa.Table.from_pylist(RECORDS), folder / "a.parquet")
    return folder / "a.parquet"


def as_text_of_csv(folder: Path) -> object:
    frame = pd.DataFrame({"id": range(20), "data": [json.dumps(r["data"]) for r in RECORDS]})
    frame.to_csv(folder / "a.csv", index=False)
    return folder / "a.csv"


def as_mixed(folder: Path) -> object:
    """A field of no common type makes JSON of the whole column."""
    mixed = [{**r, "data": {**r["data"], "x": 1 if r["id"] % 2 else "n/a"}} for r in RECORDS]
    (folder / "a.json").write_text(json.dumps(mixed))
    return folder / "a.json"


FORMS = [as_lines, as_json, as_parquet, as_text_of_csv, as_mixed, lambda _: RECORDS,
         lambda _: pd.DataFrame(RECORDS)]  # fmt: skip


@pytest.mark.parametrize("config", [AUTO, DataConfig(text="data.text", label="data.label")])
@pytest.mark.parametrize("write", FORMS)
def test_nested_columns_are_found_or_named(tmp_path: Path, write: Any, config: DataConfig) -> None:
    table = read_table(write(tmp_path), config)
    columns = find_columns(table, config)
    assert (columns.text, columns.label) == ("data.text", "data.label")
    usable = usable_rows(table, columns, config)
    assert usable.texts == TEXTS
    assert usable.labels == [record["data"]["label"] for record in RECORDS]
    assert table.column_names == ["id", "data"]


@pytest.mark.parametrize(
    ("record", "text", "label"),
    [
        ({"a": {"b": {"c": {"text": "T", "topic": "L"}}}}, "a.b.c.text", "a.b.c.topic"),
        ({"_id": "x", "_source": {"review": "T", "stars": "L"}}, "_source.review", "_source.stars"),
        ({"post": {"body": "T"}, "tags": {"category": "L"}}, "post.body", "tags.category"),
        ({"item": {"phrase": "T", "kind": "L"}}, "item.phrase", "item.kind"),
        ({"label": "L", "meta": {"text": "T"}}, "meta.text", "label"),
        ({"text": "T", "meta": {"label": "L"}}, "text", "meta.label"),
        ({"text": "T", "label": "L", "meta": {"text": "no", "label": "no"}}, "text", "label"),
        (
            {"input": {"text": "T", "label": "L"}, "model": {"label": "M"}},
            "input.text", "input.label",
        ),
    ],
)  # fmt: skip
def test_where_it_is_evident(record: Any, text: str, label: str) -> None:
    def filled(value: Any, i: int) -> Any:
        if isinstance(value, dict):
            return {key: filled(inner, i) for key, inner in value.items()}
        return {"T": f"a text of many words {i}", "L": "xy"[i % 2]}.get(value, value)

    table = read_table([filled(record, i) for i in range(12)], AUTO)
    columns = find_columns(table, AUTO)
    assert (columns.text, columns.label) == (text, label)


def test_two_fields_that_could_be_it_are_named() -> None:
    records = [{"a": {"text": f"a b {i}"}, "b": {"text": f"c d {i}"}, "label": i} for i in range(4)]
    with pytest.raises(ColumnError, match=r"could be the text: a\.text, b\.text"):
        find_columns(read_table(records, AUTO), AUTO)


def test_a_field_that_is_not_there_is_said() -> None:
    table = read_table(RECORDS, AUTO)
    with pytest.raises(ColumnError) as caught:
        find_columns(table, DataConfig(text="data.txt", label="data.label"))
    assert "It has: id, data, data.text, data.label" in str(caught.value)
    assert 'text="data.text"' in str(caught.value)


def test_a_column_whose_name_has_a_dot_goes_first() -> None:
    records = [
        {"data.text": f"outer {i}", "data": {"text": "inner"}, "label": i % 2} for i in range(4)
    ]
    table = read_table(records, AUTO)
    columns = find_columns(table, DataConfig(text="data.text"))
    assert usable_rows(table, columns, AUTO).texts[:2] == ["outer 0", "outer 1"]


@pytest.mark.parametrize(
    ("record", "name", "value"),
    [
        ({"a.b": {"c": 1}}, "a.b.c", 1),
        ({"a": {"b.c": 1}}, "a.b.c", 1),
        ({"m": [{"content": "x"}, {"content": "y"}]}, "m.1.content", "y"),
        ({"m": [["x", "y"]]}, "m.0.1", "y"),
        ({"m": '{"a": [1, {"b": "x"}]}'}, "m.a.1.b", "x"),
    ],
)
def test_the_ways_a_name_may_lead(record: Any, name: str, value: object) -> None:
    table = with_fields(read_table([record], AUTO), [name])
    assert table.columns[name].to_pylist() == [value]


def test_maps_of_arrow() -> None:
    kind = pa.map_(pa.string(), pa.string())
    column = pa.array([[("text", "a b")], [("other", "c")], None], kind)
    table = with_fields(read_table(pa.table({"m": column}), AUTO), ["m.text"])
    assert table.columns["m.text"].to_pylist() == ["a b", None, None]


def test_missing_and_odd_values_are_set_aside() -> None:
    records: list[Any] = [
        {"d": {"text": "a", "label": "x"}}, {"d": {"text": 7, "label": "y"}}, {"d": None},
        {"d": {"text": "b"}}, {"d": {"text": " ", "label": "x"}},
    ]  # fmt: skip
    table = read_table(records, AUTO)
    columns = find_columns(table, DataConfig(text="d.text", label="d.label"))
    usable = usable_rows(table, columns, AUTO)
    assert usable.texts == ["a"]
    assert [(row.row, row.reason) for row in usable.set_aside] == [
        (2, "the text is not a string"), (3, "the text is missing"),
        (4, "the label is missing"), (5, "the text is empty"),
    ]  # fmt: skip
    assert "d.text" not in usable.set_aside[2].content


def test_a_template_of_fields(tmp_path: Path) -> None:
    records: list[Any] = [
        {"d": {"title": f"T{i}", "m": ["x", f"y{i}"]}, "label": "ab"[i % 2]} for i in range(6)
    ]
    template = "{d.title}: {d.m.1}"
    config = DataConfig(template=template, split="100/0/0")
    prepared = prepare(records, config)
    assert prepared.train[1].text == "T1: y1"
    assert texts_through(template, [records[1], {"d.title": "T", "d.m.1": "y"}]) == [
        "T1: y1", "T: y",
    ]  # fmt: skip


def test_all_options_take_dotted_names() -> None:
    records = [{**r, "meta": {"part": "train" if r["id"] < 16 else "test"}} for r in RECORDS]
    prepared = prepare(records, DataConfig(split_column="meta.part"))
    assert len(prepared.test) == 4
    grouped = prepare(records, DataConfig(group_by="data.label", split="50/0/50", label="meta.part",
                                          text="data.text"))  # fmt: skip
    assert len(grouped.train) + len(grouped.test) == 20


def test_what_was_trained_on_is_found_again(tmp_path: Path) -> None:
    labels = prepare(RECORDS, ALL).labels
    examples, _ = labelled_examples(as_parquet(tmp_path), AUTO, labels, "data.text", "data.label")
    assert [example.text for example in examples] == TEXTS


def test_wide_records_are_listed_within_bounds() -> None:
    table = read_table([{"d": {f"k{i}": i for i in range(3_000)}}], AUTO)
    assert len(leaves(table, ["d"])) == 1_000


def test_two_fields_of_one_name_are_passed_by() -> None:
    columns = [pa.array(["a"]), pa.array(["b"]), pa.array([1])]
    column = pa.StructArray.from_arrays(columns, ["text", "text", "label"])
    table = read_table(pa.table({"d": column}), AUTO)
    assert leaves(table, ["d"]) == ["d.label"]
