"""The shapes of a JSON file: each is told from the others, and what was made of it is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from headtune.data import iter_tables, read_table
from headtune.data.reading.readers import read_parts
from headtune.data.reading.table import Table
from headtune.errors import DataError
from headtune.options import DataConfig

AUTO = DataConfig()

TEXTS = [f"{'see you' if i % 2 else 'win money'} number {i}" for i in range(20)]
LABELS = ["ham" if i % 2 else "spam" for i in range(20)]
RECORDS = [{"text": t, "label": x} for t, x in zip(TEXTS, LABELS, strict=True)]
PAIRS = [list(record.values()) for record in RECORDS]
HAM, SPAM = TEXTS[1::2], TEXTS[::2]
BY_LABEL = {"text": SPAM + HAM, "label": ["spam"] * 10 + ["ham"] * 10}
WHOLE = {"text": TEXTS, "label": LABELS}


def written(folder: Path, value: Any, name: str = "a.json", indent: int | None = None) -> Path:
    (folder / name).write_text(json.dumps(value, indent=indent))
    return folder / name


def pairs_of(table: Table) -> set[tuple[str, str]]:
    columns = table.columns.to_pydict()
    return set(zip(columns["text"], columns["label"], strict=True))


KEYED = {f"-L{i}x": record for i, record in enumerate(RECORDS)}

SHAPES: dict[str, tuple[Any, str]] = {
    "pairs": (PAIRS, "pairs of text and label"),
    "pairs, label first": ([pair[::-1] for pair in PAIRS], "pairs of label and text"),
    "pairs with numbers": ([[t, LABELS.index(x)] for t, x in PAIRS], "pairs of text and label"),
    "two pairs": ([["see you", "ham"], ["win money", "spam"]], "pairs of text and label"),
    "arrays with a header": ([["label", "text"], *(p[::-1] for p in PAIRS)], "names the columns"),
    "columns": (WHOLE, ""),
    "columns of pandas": ({k: {str(i): v for i, v in enumerate(c)} for k, c in WHOLE.items()}, ""),
    "names beside": ({"columns": ["text", "label"], "data": PAIRS}, "names of their columns"),
    "split of pandas": (
        {"columns": ["text", "label"], "index": list(range(20)), "data": PAIRS},
        "names of their columns",
    ),
    "names and rows": ({"header": ["text", "label"], "rows": PAIRS}, "names of their columns"),
    "records by number": ({str(i): r for i, r in enumerate(RECORDS)}, "records by their number"),
    "records by key": (KEYED, "records by key"),
    "labels by text": (dict(PAIRS), "labels by text"),
    "lists of labels by text": ({t: [x] for t, x in PAIRS}, "labels by text"),
    "texts by label": ({"spam": SPAM, "ham": HAM}, "texts by label: spam, ham"),
    "texts by label, few of one": ({"spam": SPAM, "ham": [*HAM]}, "texts by label"),
    "records by label": (
        {"spam": [{"text": t} for t in SPAM], "ham": [{"text": t} for t in HAM]},
        "records by label",
    ),
    "below a key": ({"data": RECORDS}, "records below data"),
    "below two keys": ({"meta": {"n": 20}, "data": {"items": RECORDS}}, "records below data.items"),
    "below three keys": ({"a": {"b": {"c": PAIRS}}, "v": 1}, "records below a.b.c"),
    "beside another table": (
        {"authors": [{"name": "x"}], "tweets": RECORDS},
        "records below tweets",
    ),
    "beside settings": ({"settings": dict.fromkeys("abc", 1), "rows": PAIRS}, "below rows"),
    "columns below a key": ({"meta": 1, "data": WHOLE}, "records below data"),
    "texts by label below a key": ({"meta": 1, "d": {"ham": HAM, "spam": SPAM}}, "texts by label"),
    "table of pandas": ({"schema": {"fields": [{"name": "text"}]}, "data": RECORDS}, "below data"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "note"), SHAPES.values(), ids=SHAPES)
def test_a_shape_is_found_and_said(tmp_path: Path, value: Any, note: str) -> None:
    table = read_table(written(tmp_path, value), AUTO)
    found = pairs_of(table)
    expected: set[Any] = {(t, x) for t, x in PAIRS}
    if len(table) == 2:
        expected = {("see you", "ham"), ("win money", "spam")}
    if any(not isinstance(x, str) for _, x in found):
        expected = {(t, LABELS.index(x)) for t, x in PAIRS}
    assert found == expected
    assert note in "; ".join(table.notes)
    assert not table.set_aside


@pytest.mark.parametrize("indent", [None, 2])
def test_the_same_on_standard_input_or_under_another_name(tmp_path: Path, indent: int) -> None:
    for shape in ("pairs", "below a key", "names beside"):
        path = written(tmp_path, SHAPES[shape][0], "a", indent)
        assert pairs_of(read_table(path, AUTO)) == {(t, x) for t, x in PAIRS}
    path = written(tmp_path, {"train": RECORDS[:10], "test": RECORDS[10:]}, "parts", indent)
    assert list(read_parts(path, AUTO)) == ["train", "test"]


def test_records_by_key_keep_their_key(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, KEYED), AUTO).columns["key"].to_pylist() == list(KEYED)


PARTS = {"train": RECORDS[:12], "validation": RECORDS[12:16], "test": RECORDS[16:]}


@pytest.mark.parametrize(
    ("value", "notes"),
    [
        (PARTS, ("parts by key: train, validation, test",)),
        ({"test": RECORDS[16:], "valid": RECORDS[12:16], "Train": RECORDS[:12]}, None),
        ({k: [list(r.values()) for r in v] for k, v in PARTS.items()}, None),
        ({k: {c: [r[c] for r in v] for c in r0} for k, v in PARTS.items() for r0 in [v[0]]}, None),
        ({k: {r["text"]: r["label"] for r in v} for k, v in PARTS.items()}, None),
        ({"version": "1", "data": PARTS}, None),
        ({**PARTS, "about": {"license": "x"}}, None),
    ],
    ids=["records", "other names", "pairs", "columns", "labels by text", "below", "beside"],
)  # fmt: skip
def test_keys_as_parts(tmp_path: Path, value: Any, notes: tuple[str, ...] | None) -> None:
    parts = read_parts(written(tmp_path, value), AUTO)
    assert {part: len(table) for part, table in parts.items()} == {
        "train": 12, "validation": 4, "test": 4,
    }  # fmt: skip
    for part, table in parts.items():
        assert pairs_of(table) == {(r["text"], r["label"]) for r in PARTS[part]}
    assert notes is None or parts["train"].notes == notes


def test_keys_that_are_no_parts_are_named(tmp_path: Path) -> None:
    value = {"oos_val": PAIRS[:3], "val": PAIRS[12:], "train": PAIRS[:12], "test": []}
    parts = read_parts(written(tmp_path, value), AUTO)
    assert {part: len(table) for part, table in parts.items()} == {"train": 12, "validation": 8}
    assert parts["train"].notes[1] == (
        "left out, empty or not called as a part is: oos_val (3 rows), test (0 rows)"
    )


def test_the_first_part_decides_for_all(tmp_path: Path) -> None:
    """Of two pairs alone nothing can be seen; of the training rows it can."""
    value = {"train": [p[::-1] for p in PAIRS], "test": [["ham", "bye"], ["spam", "cash"]]}
    parts = read_parts(written(tmp_path, value), AUTO)
    assert parts["test"].columns.to_pydict() == {"label": ["ham", "spam"], "text": ["bye", "cash"]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [{"x": 1}], "b": [{"y": 2}]}, "more than one table: a, b"),
        ({"a": RECORDS, "b": {"c": RECORDS}}, "more than one table: a, b.c"),
        ({"validation": RECORDS, "test": RECORDS}, "more than one table: validation, test"),
        ({"version": "1.0", "name": "x"}, "column 'version' is a string"),
        ({"first": "a", "second": "b", "third": "a"}, "column 'first' is a string"),
        ("text", "received a string"),
        ([1, 2], "received an array of a number"),
    ],
)
def test_what_cannot_be_decided_is_said(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(written(tmp_path, value), AUTO)


@pytest.mark.parametrize(
    "value",
    [
        {"title": ["a b", "c d"], "body": ["e f", "g h"]},
        {"city": ["Paris", "Rome"], "country": ["France", "Italy"]},
        {"body_x": ["a", "b"], "tags": [["x"], ["y"]]},
        {"premise": ["a b", "c d"], "hypothesis": ["e f", "g h"]},
        {"phrase": {"0": "a b", "1": "c d"}, "kind": {"0": "x", "1": "y"}},
    ],
    ids=["titles", "words", "lists", "pairs of texts", "pandas"],
)
def test_columns_stay_columns(tmp_path: Path, value: dict[str, Any]) -> None:
    assert read_table(written(tmp_path, value), AUTO).column_names == list(value)


def test_a_column_that_is_named_decides(tmp_path: Path) -> None:
    value = {"spam": SPAM, "ham": HAM}
    table = read_table(written(tmp_path, value), DataConfig(text="ham"))
    assert table.column_names == ["spam", "ham"]


def test_an_array_of_another_length_is_set_aside(tmp_path: Path) -> None:
    rows = [["id", "text", "label"], [1, "a b", "x"], [2, "c"], {"text": "d"}, [3, "e f", "y"]]
    table = read_table(written(tmp_path, rows), AUTO)
    assert table.columns.to_pydict() == {
        "id": [1, 3], "text": ["a b", "e f"], "label": ["x", "y"],
    }  # fmt: skip
    assert [(row.row, row.reason) for row in table.set_aside] == [
        (2, "2 values where 3 are expected"),
        (3, "not a JSON array"),
    ]


# Lines, and objects one after another


def test_json_lines_of_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps(pair) for pair in PAIRS]
    path.write_text("\n".join([*lines[:3], '{"text": "a"}', "[oops", *lines[3:]]))
    table = read_table(path, AUTO)
    assert pairs_of(table) == {(t, x) for t, x in PAIRS}
    assert table.notes == ("JSON Lines of pairs of text and label, by what they hold",)
    assert [(row.row, row.reason) for row in table.set_aside] == [
        (4, "not a JSON array"),
        (5, "not valid JSON"),
    ]
    chunks = list(iter_tables(path, AUTO, rows_per_chunk=4))
    assert [row for chunk in chunks for row in chunk.rows.tolist()] == table.rows.tolist()


def test_a_header_below_what_is_broken(tmp_path: Path) -> None:
    value = [5, ["text", "label"], ["a b", "x"], ["c d", "y"]]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, value)))
    for path in (tmp_path / "a.jsonl", written(tmp_path, value)):
        table = read_table(path, AUTO)
        assert table.columns.to_pydict() == {"text": ["a b", "c d"], "label": ["x", "y"]}
        assert (table.rows.tolist(), table.set_aside[0].row) == ([2, 3], 1)


def test_json_lines_of_arrays_with_a_header(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.json", "a"):
        path = tmp_path / name
        path.write_text('["label", "text"]\n["x", "a b"]\n["y", "c d"]\n')
        table = read_table(path, AUTO)
        assert table.columns.to_pydict() == {"label": ["x", "y"], "text": ["a b", "c d"]}
        assert table.rows.tolist() == [1, 2]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a"])
@pytest.mark.parametrize("between", ["\n", "", "\n\n", " "])
def test_pretty_printed_objects_one_after_another(tmp_path: Path, name: str, between: str) -> None:
    path = tmp_path / name
    path.write_text(between.join(json.dumps(record, indent=4) for record in RECORDS))
    assert pairs_of(read_table(path, AUTO)) == {(t, x) for t, x in PAIRS}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("value", [RECORDS, PAIRS], ids=["records", "pairs"])
def test_an_array_that_is_called_json_lines(tmp_path: Path, value: Any, indent: int) -> None:
    path = written(tmp_path, value, "a.jsonl", indent)
    assert pairs_of(read_table(path, AUTO)) == {(t, x) for t, x in PAIRS}


def test_a_first_line_that_is_cut_short_is_one_broken_row(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = ['{"text": "a",', *(json.dumps(record) for record in RECORDS)]
    path.write_text("\n".join(lines))
    table = read_table(path, AUTO)
    assert (len(table), table.set_aside[0].row) == (20, 1)


def test_nan_and_infinity(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"text": "a", "label": NaN, "x": Infinity}, {"text": "b", "label": 1.0}]')
    table = read_table(path, AUTO)
    assert table.columns["label"].to_pylist() == [None, 1.0]


# What Python would let pass


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_key_twice_is_never_lost_in_silence(tmp_path: Path, name: str) -> None:
    good = '{"text": "a b", "label": "x"}'
    bad = ['{"text": "c", "text": "d", "label": "y"}', '{"text": "e", "meta": {"k": 1, "k": 2}}']
    path = tmp_path / name
    lines = [good, *bad, good]
    path.write_text("\n".join(lines) if name == "a.jsonl" else f"[{', '.join(lines)}]")
    table = read_table(path, AUTO)
    assert table.rows.tolist() == [1, 4]
    assert [(row.row, row.reason) for row in table.set_aside] == [
        (2, "two values for the key 'text'"),
        (3, "two values for the key 'k'"),
    ]


def test_a_key_twice_around_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'{{"train": {json.dumps(RECORDS)}, "train": {json.dumps(RECORDS[:3])}}}')
    with pytest.raises(DataError, match="two values for the key 'train'"):
        read_table(path, AUTO)


@pytest.mark.parametrize("deep", [60, 200, 900])
def test_deep_values_are_set_aside(tmp_path: Path, deep: int) -> None:
    inner = '{"a": ' * deep + "1" + "}" * deep
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"text": "one"}}\n{{"text": "two", "x": {inner}}}\n')
    table = read_table(path, AUTO)
    assert (len(table), table.set_aside[0].row) == (1, 2)
    below = tmp_path / "b.json"
    below.write_text('{"a": ' * deep + json.dumps(RECORDS) + "}" * deep)
    with pytest.raises(DataError):
        read_table(below, AUTO)


def test_keys_of_their_own_within_a_column_take_no_more_room(tmp_path: Path) -> None:
    """A struct of all keys would be rows times keys."""
    records = [{"text": f"a {i}", "meta": {f"k{i}": 1}} for i in range(4_000)]
    table = read_table(written(tmp_path, records), AUTO)
    assert table.columns.nbytes < 2_000_000
    assert table.columns["meta"].to_pylist()[3] == '{"k3": 1}'


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"role": "user", "content": "a"}]},
        {"text": "a", "entities": [{"start": 0}]},
        {"data": {"text": "a", "label": "b"}},
        {"text": "a", "label": ["x", "y"]},
    ],
)
def test_a_single_record_on_a_line_stays_one(tmp_path: Path, record: Any) -> None:
    for name in ("a.jsonl", "a"):
        table = read_table(written(tmp_path, record, name), AUTO)
        assert (len(table), table.column_names) == (1, list(record))
