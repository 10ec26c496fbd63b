"""Columns that say a value by its number: polars' Categorical and Enum, pandas' categoricals.

polars is not needed for it: what it hands out and writes are Arrow dictionaries of views (``u32``
numbers for Categorical, the smallest unsigned type for Enum, which is ordered).
"""

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headtune.data import labelled_examples, read_table
from headtune.data.reading.arrow.types import plain_types
from headtune.options import DataConfig
from headtune.types import LabelSet

TEXTS = ["a text of one", None, "another text", "a text of one"]
TOPICS = ["ham", "spam", None, "ham"]


def of_numbers(values: list[str | None], numbers: pa.DataType, kind: pa.DataType) -> pa.Array:
    names = sorted({value for value in values if value is not None})
    places = [None if value is None else names.index(value) for value in values]
    return pa.DictionaryArray.from_arrays(
        pa.array(places, numbers), pa.array(names, kind), ordered=numbers == pa.uint8()
    )


class Stream:
    """A data frame of another library: all that is known of it is that it hands out Arrow data."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("kind", [pa.string_view(), pa.large_string(), pa.string()], ids=str)
@pytest.mark.parametrize("numbers", [pa.uint32(), pa.uint8(), pa.int64()], ids=str)
def test_categories_are_read_as_their_names(
    numbers: pa.DataType, kind: pa.DataType, tmp_path: Any
) -> None:
    columns = {
        name: pa.chunked_array(
            [of_numbers(part, numbers, kind) for part in (values[:3], values[3:])]
        )
        for name, values in (("text", TEXTS), ("topic", TOPICS))
    }
    table = pa.table(columns)
    sources: list[Any] = [table, Stream(table), table.slice(1)]
    if kind != pa.string_view():
        pq.write_table(table, tmp_path / "rows.parquet")
        sources.append(str(tmp_path / "rows.parquet"))
    for source in sources:
        read = read_table(source, DataConfig()).columns
        assert read.schema.types == [pa.large_string()] * 2
        first = 4 - len(read)
        assert read.to_pydict() == {"text": TEXTS[first:], "topic": TOPICS[first:]}
        examples, set_aside = labelled_examples(
            source, DataConfig(), LabelSet(("ham", "spam")), "text", "topic"
        )
        assert [(e.text, e.label) for e in examples] == [("a text of one", 0)] * (2 - first)
        assert len(set_aside) == 2


def test_pandas_categoricals() -> None:
    frame = pd.DataFrame({"text": TEXTS, "topic": TOPICS}).astype("category")
    assert read_table(frame, DataConfig()).columns.to_pydict() == {"text": TEXTS, "topic": TOPICS}


@pytest.mark.parametrize("kind", [pa.string_view(), pa.binary_view(), pa.large_string()], ids=str)
def test_views_in_runs_and_numbers(kind: pa.DataType) -> None:
    values = pa.array(["b", None, "a"]).cast(pa.binary()).cast(pa.large_binary())
    values = pa.array(values.to_pylist() if kind == pa.binary_view() else ["b", None, "a"], kind)
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3, 5], pa.int32()), values)
    looked_up = pa.DictionaryArray.from_arrays(pa.array([0, 0, 1, 2, 2], pa.uint32()), values)
    expected = [values[i].as_py() for i in (0, 0, 1, 2, 2)]
    for column in (runs, looked_up):
        for start in (0, 1, 3):
            table = pa.table({"x": column}).slice(start)
            plain, not_utf8 = plain_types(table, "the data")
            assert plain["x"].to_pylist() == expected[start:]
            assert not not_utf8
