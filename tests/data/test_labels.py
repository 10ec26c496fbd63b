"""Labels of every kind become names, in one order; columns that hold no labels are refused."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from headtune.data import label_name, label_set, prepare
from headtune.data.labels import label_names
from headtune.errors import LabelError
from headtune.inspection import inspect_table
from headtune.options import DataConfig


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("ham", "ham"),
        ("  ham \n", "ham"),
        (1, "1"),
        (1.0, "1"),
        ("1.0", "1"),
        ("-3.00", "-3"),
        (2.5, "2.5"),
        (True, "true"),
        (np.bool_(False), "false"),
        ("TRUE", "true"),
        (" False", "false"),
        ("Truely", "Truely"),
        (np.int64(3), "3"),
        (np.float32(4.0), "4"),
        (np.str_("ham"), "ham"),
        (pa.scalar(5), "5"),
        (pa.scalar("spam"), "spam"),
        (datetime.date(2020, 1, 2), "2020-01-02"),
        (10**25, "1" + "0" * 25),
    ],
)
def test_names(value: object, name: str) -> None:
    assert label_name(value) == name


@pytest.mark.parametrize(
    "value",
    [None, float("nan"), np.nan, np.float32("nan"), "", " \t", pd.NA, pd.NaT, pa.scalar(None)],
    ids=repr,
)
def test_missing(value: object) -> None:
    assert label_name(value) is None


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, np.array([1, 2])], ids=repr)
def test_several_labels_in_one_are_refused(value: object) -> None:
    with pytest.raises(LabelError, match="A label must be one value"):
        label_name(value)


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1.0, float("nan"), 2.0, None]),
        pa.chunked_array([[1, None], [2, None]]),
        pa.array(["1", " ", "2 ", None]),
    ],
    ids=["float", "int", "string"],
)
def test_columns(array: Any) -> None:
    names = label_names(array)
    assert [name for name in names if name] == ["1", "2"]
    assert names.count(None) == 2


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["spam", "ham", "spam"], ("ham", "spam")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["true", "false"], ("false", "true")),
        (["b", "A", "a", "C"], ("A", "a", "b", "C")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["1.2.3", "1.10.0"], ("1.10.0", "1.2.3")),
        (["nan", "inf"], ("inf", "nan")),
    ],
)
def test_order(names: list[str], order: tuple[str, ...]) -> None:
    assert label_set(names).names == order


def prepared_labels(values: Sequence[object], **options: Any) -> dict[str, int]:
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(len(values))], "label": values})
    counts = prepare(frame, DataConfig(**options)).summary["labels"]
    assert isinstance(counts, dict)
    return counts


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([True, False] * 10, {"false": 10, "true": 10}),
        ([1.0, 0.0, None, 1.0] * 5, {"0": 5, "1": 10}),
        ([2, 10, 1] * 10, {"1": 10, "2": 10, "10": 10}),
        (["b ", "a", " b"] * 10, {"a": 10, "b": 20}),
        ([1, "1", "one"] * 10, {"1": 20, "one": 10}),
        (["TRUE", "False", True] * 10, {"false": 10, "true": 20}),
        (["Ham", "ham"] * 10, {"Ham": 10, "ham": 10}),
    ],
)
def test_labels_of_every_kind_are_prepared(values: list[object], counts: dict[str, int]) -> None:
    found = prepared_labels(values)
    assert found == counts
    assert list(found) == list(counts)


def test_one_label_only() -> None:
    with pytest.raises(LabelError, match="at least two labels; the data has one label, 'ham'"):
        prepared_labels(["ham"] * 10)


def test_a_label_with_a_single_row_is_named_with_its_row() -> None:
    with pytest.raises(LabelError) as raised:
        prepared_labels(["ham", "spam"] * 10 + ["odd"])
    assert "Label 'odd' has a single row (row 21)" in str(raised.value)
    assert 'split="100/0/0"' in str(raised.value)
    assert prepared_labels(["ham", "spam"] * 10 + ["odd"], split="100/0/0")["odd"] == 1


@pytest.mark.parametrize("n_rows", [1_000, 5_000])
def test_a_thousand_labels_are_no_labels(n_rows: int) -> None:
    with pytest.raises(LabelError) as raised:
        prepared_labels([f"name {i % 1_000}" for i in range(n_rows)])
    assert f"Column 'label' of the data has 1,000 distinct values in {n_rows:,} rows" in (
        str(raised.value)
    )
    assert "('name 0', 'name 1', 'name 2', …)" in str(raised.value)
    assert "label=" in str(raised.value)


@pytest.mark.parametrize("command", [prepare, inspect_table], ids=["train", "inspect"])
def test_the_file_whose_labels_are_none_is_named(
    tmp_path: Path, command: Callable[[Path, DataConfig], object]
) -> None:
    path = tmp_path / "messages.csv"
    path.write_text("text,label\n" + "".join(f"text {i},name {i}\n" for i in range(60)))
    with pytest.raises(LabelError, match=r"Column 'label' of messages\.csv has 60 distinct values"):
        command(path, DataConfig())


def test_many_labels_of_many_rows_are_labels() -> None:
    assert len(prepared_labels([f"intent {i % 77}" for i in range(77 * 10)])) == 77


@pytest.mark.parametrize("values", [[0.5, 1.0, 2.0], ["0.5", "1.25", "2"]], ids=["float", "string"])
def test_fractions_are_no_labels(values: list[object]) -> None:
    with pytest.raises(LabelError, match="holds numbers with fractions"):
        prepared_labels(values * 10)
