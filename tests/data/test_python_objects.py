"""Objects of Python: each kind is read as the same table, or refused by its name."""

from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from headtune.data import iter_tables, prepare_texts, read_table
from headtune.data.reading.readers import read_parts
from headtune.errors import DataError
from headtune.options import DataConfig
from headtune.types import known_label

AUTO = DataConfig()
TEXTS = [f"see you at number {i}" for i in range(20)]
LABELS = ["ham" if i % 2 else "spam" for i in range(20)]
COLUMNS = {"text": TEXTS, "label": LABELS}
RECORDS = [{"text": t, "label": x} for t, x in zip(TEXTS, LABELS, strict=True)]
PAIRS = list(zip(TEXTS, LABELS, strict=True))

Pair = namedtuple("Pair", ["text", "label"])


@dataclass
class Message:
    text: str
    label: str


ARROW = pa.table(COLUMNS)

OBJECTS: dict[str, Any] = {
    "tuples": lambda: PAIRS,
    "lists": lambda: [list(pair) for pair in PAIRS],
    "a tuple of dicts": lambda: tuple(RECORDS),
    "named tuples": lambda: [Pair(*pair) for pair in PAIRS],
    "dataclasses": lambda: [Message(*pair) for pair in PAIRS],
    "columns": lambda: COLUMNS,
    "columns of arrays": lambda: {"text": np.array(TEXTS), "label": pd.Series(LABELS)},
    "columns of arrow": lambda: {"text": pa.array(TEXTS), "label": pl.Series(LABELS)},
    "labels by text": lambda: dict(PAIRS),
    "generator": lambda: (record for record in RECORDS),
    "generator of pairs": lambda: iter(PAIRS),
    "streamed data set": lambda: datasets.Dataset.from_dict(COLUMNS).to_iterable_dataset(),
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "pandas, nullable": lambda: pd.DataFrame(COLUMNS).convert_dtypes(),
    "pandas, categories": lambda: pd.DataFrame(COLUMNS).astype("category"),
    "pandas, arrow": lambda: pd.DataFrame(COLUMNS).convert_dtypes(dtype_backend="pyarrow"),
    "pandas, text as index": lambda: pd.DataFrame(COLUMNS).set_index("text"),
    "pandas, two levels": lambda: pd.DataFrame(COLUMNS).set_index(["text", "label"]),
    "pandas, filtered": lambda: pd.DataFrame({**COLUMNS, "x": 1}).query("x == 1"),
    "polars": lambda: pl.DataFrame(COLUMNS),
    "polars, categories": lambda: pl.DataFrame(COLUMNS).cast({"label": pl.Categorical}),
    "polars, lazy": lambda: pl.DataFrame(COLUMNS).lazy(),
    "arrow table": lambda: ARROW,
    "arrow batch": lambda: ARROW.to_batches()[0],
    "arrow reader": lambda: ARROW.to_reader(max_chunksize=6),
    "arrow data set": lambda: ds.dataset(ARROW),
    "arrow structs": lambda: pa.array(RECORDS),
    "numpy, structured": lambda: np.array(PAIRS, dtype=[("text", "U40"), ("label", "U8")]),
    "numpy, two dimensions": lambda: np.array(PAIRS),
    "numpy, objects": lambda: np.array(PAIRS, dtype=object),
}


@pytest.mark.parametrize("rows_per_chunk", [None, 4])
@pytest.mark.parametrize("make", OBJECTS.values(), ids=OBJECTS)
def test_an_object_is_read(make: Any, rows_per_chunk: int | None) -> None:
    if rows_per_chunk is None:
        tables = [read_table(make(), AUTO)]
    else:
        tables = list(iter_tables(make(), AUTO, rows_per_chunk=rows_per_chunk))
        assert all(len(table) <= rows_per_chunk for table in tables)
    found = pa.concat_tables([table.columns for table in tables], promote_options="permissive")
    columns = found.to_pydict()
    assert (columns["text"], columns["label"]) == (TEXTS, LABELS)
    assert [row for table in tables for row in table.rows.tolist()] == list(range(1, 21))


def test_generators_are_not_read_ahead() -> None:
    given: list[int] = []

    def records() -> Iterator[dict[str, Any]]:
        for i in range(100_000):
            given.append(i)
            yield {"text": f"a {i}", "label": i % 2}

    next(iter_tables(records(), AUTO, rows_per_chunk=10))
    assert len(given) <= 1_011


PARTS = {
    "frames": {"train": pd.DataFrame(COLUMNS), "test": pd.DataFrame(COLUMNS)},
    "polars": {"train": pl.DataFrame(COLUMNS), "dev": pl.DataFrame(COLUMNS)},
    "lists": {"train": RECORDS, "test": RECORDS},
    "pairs": {"train": PAIRS, "validation": PAIRS},
}


@pytest.mark.parametrize("source", PARTS.values(), ids=PARTS)
def test_a_dict_of_parts(source: Any) -> None:
    parts = read_parts(source, AUTO)
    assert [len(table) for table in parts.values()] == [20, 20]
    assert next(iter(parts)) == "train"


def test_missing_values_of_pandas() -> None:
    frame = pd.DataFrame({
        "text": pd.array(["a", None, "c"], dtype="string"),
        "label": pd.array([1, None, 2], dtype="Int64"),
        "mixed": [pd.NA, 1, "x"],
        "when": [pd.NaT, pd.Timestamp("2024-01-01"), pd.NaT],
    })  # fmt: skip
    for table in (read_table(frame, AUTO), read_table(frame.drop(columns="mixed"), AUTO)):
        columns = table.columns.to_pydict()
        assert (columns["text"], columns["label"]) == (["a", None, "c"], [1, None, 2])
        assert columns["when"][0] is None
    assert read_table(frame, AUTO).columns["mixed"].to_pylist() == [None, "1", "x"]


@pytest.mark.parametrize(
    "series", [pd.Series(["a", "b"]), pd.Series(["a", "b"], name="text"), pl.Series(["a", "b"]),
               pl.Series("text", ["a", "b"]), pa.array(["a", "b"]), pa.chunked_array([["a", "b"]])],
)  # fmt: skip
def test_a_series_is_one_column(series: Any) -> None:
    assert read_table(series, AUTO).columns.to_pydict() == {"text": ["a", "b"]}


@pytest.mark.parametrize(
    ("source", "received"),
    [
        (["a", "b"], "a list of str"),
        ([1, 2], "a list of int"),
        (iter("ab"), "something that gives str"),
        (np.array([1, 2]), "something that gives int64"),
        ({"a", "b"}, "set"),
        (b"text", "bytes"),
        (None, "NoneType"),
        (3, "int"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_objects_are_refused_by_name(source: Any, received: str) -> None:
    with pytest.raises(DataError, match=f"Expected a path, a hub id.*received {received}"):
        read_table(source, AUTO)


SERIES: dict[str, tuple[Any, Any]] = {
    "polars": (pl.Series(TEXTS), pl.Series(LABELS)),
    "polars, categories": (pl.Series(TEXTS), pl.Series(LABELS, dtype=pl.Categorical)),
    "pandas": (pd.Series(TEXTS), pd.Series(LABELS, index=range(7, 27))),
    "pandas, string": (pd.Series(TEXTS, dtype="string"), pd.Series(LABELS, dtype="category")),
    "pandas, arrow": (pd.Series(TEXTS, dtype="string[pyarrow]"), pd.Index(LABELS)),
    "numpy": (np.array(TEXTS), np.array(LABELS, dtype=object)),
    "arrow": (pa.array(TEXTS), pa.array(LABELS).dictionary_encode()),
    "generators": ((t for t in TEXTS), iter(LABELS)),
}


@pytest.mark.parametrize(("texts", "labels"), SERIES.values(), ids=SERIES)
def test_texts_and_labels_of_a_classifier(texts: Any, labels: Any) -> None:
    known, examples = prepare_texts(texts, labels)
    assert known.names == ("ham", "spam")
    assert [(e.text, known.names[known_label(e)]) for e in examples] == PAIRS


@pytest.mark.parametrize(
    ("texts", "received"),
    [
        (pl.DataFrame({"text": TEXTS}), "a DataFrame"),
        (pl.DataFrame({"text": TEXTS}).lazy(), "a LazyFrame"),
        (pd.DataFrame({"text": TEXTS}), "a DataFrame"),
        (ARROW, "a Table"),
        ({"text": TEXTS}, "a dict"),
    ],
    ids=["polars", "lazy", "pandas", "arrow", "dict"],
)
def test_tables_are_no_texts(texts: Any, received: str) -> None:
    with pytest.raises(DataError, match=f"Expected a list of texts, received {received}"):
        prepare_texts(texts, LABELS)


@pytest.mark.parametrize("missing", [pd.NA, None, float("nan")])
def test_a_missing_text_is_said_by_its_place(missing: Any) -> None:
    with pytest.raises(DataError, match=r"Text 1 \(counted from 0\) is"):
        prepare_texts(pd.Series(["a", missing], dtype=object), ["x", "y"])
