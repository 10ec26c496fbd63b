"""Parquet and Arrow made wrong, by the hundred: each is read rightly, or ends in one line."""

import math
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crafted_parquet import (
    LABELS,
    TEXTS,
    arrays,
    broken_files,
    described,
    metadata,
    parquet_bytes,
    shapes,
    strings_of,
    tables_of,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtune.data import find_columns, iter_tables, prepare, read_table, usable_rows
from headtune.data.parts.times import read_times
from headtune.data.reading.arrow.types import plain_types
from headtune.data.reading.arrow.values import python_values
from headtune.errors import DataError, HeadtuneError
from headtune.inspection import inspect_table
from headtune.options import DataConfig
from headtune.predict.writers import open_writer
from headtune.progress import SilentProgress

ARRAYS = arrays()
CONFIG = DataConfig(split="100/0/0")
USUAL = tables_of(ARRAYS["large-string"])["text"]


def rewrite(source: object, out: Path) -> None:
    """What ``predict`` does with the columns of a table."""
    with open_writer(out, SilentProgress()) as writer:
        for table in iter_tables(source, CONFIG):
            usable_rows(table, find_columns(table, CONFIG), CONFIG)
            writer.write(table.columns)


def outcome(step: Callable[[], object]) -> str:
    """The line that a step ended in, if it did; any error but ours fails the test."""
    try:
        step()
    except HeadtuneError as error:
        return str(error)
    return ""


def use(source: object, folder: Path) -> None:
    """Everything that reads a table; each step may end in an error of ours, and no other."""
    for step in (
        lambda: prepare(source, CONFIG),
        lambda: inspect_table(source, CONFIG),
        *(lambda kind=kind: rewrite(source, folder / f"out.{kind}") for kind in KINDS),
    ):
        assert "\n" not in outcome(step)


KINDS = ("csv", "jsonl", "parquet")


def as_file(table: pa.Table, path: Path) -> Path | None:
    """The table as Parquet, None where Parquet cannot hold it."""
    try:
        path.write_bytes(parquet_bytes(table))
    except (pa.ArrowException, OSError):
        return None
    return path


@pytest.mark.parametrize("name", ARRAYS)
def test_every_type_is_read_or_said(name: str, tmp_path: Path) -> None:
    for table in tables_of(ARRAYS[name]).values():
        use(table, tmp_path)
        if path := as_file(table, tmp_path / "a.parquet"):
            use(path, tmp_path)


@pytest.mark.parametrize("name", metadata())
def test_hugging_face_metadata_of_any_kind(name: str, tmp_path: Path) -> None:
    table = described(metadata()[name])
    use(table, tmp_path)
    assert len(read_table(table, CONFIG)) == len(table)
    if path := as_file(table, tmp_path / "a.parquet"):
        use(path, tmp_path)


@pytest.mark.parametrize("name", shapes())
def test_tables_of_any_shape(name: str, tmp_path: Path) -> None:
    use(shapes()[name], tmp_path)
    if path := as_file(shapes()[name], tmp_path / "a.parquet"):
        use(path, tmp_path)


@pytest.mark.parametrize("name", broken_files())
def test_files_that_are_cut_or_wrong(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(broken_files()[name])
    use(path, tmp_path)


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float) and math.isnan(theirs):
        return math.isnan(ours)
    if isinstance(theirs, uuid.UUID):
        return bool(ours == str(theirs))
    return bool(ours == theirs)


@pytest.mark.parametrize("name", ARRAYS)
def test_values_are_those_of_pyarrow_where_it_has_any(name: str) -> None:
    table = pa.table({"a": ARRAYS[name]})
    try:
        theirs = ARRAYS[name].to_pylist()
    except (pa.ArrowException, ValueError, ArithmeticError):
        return
    if name.startswith(("union", "list-view", "interval", "deep")):
        return  # these become JSON, or are refused
    columns, _ = plain_types(table, "a")
    ours = python_values(columns["a"])
    assert all(map(same, ours, theirs)), (ours, theirs)


@pytest.mark.parametrize("name", [n for n in ARRAYS if n not in ("deep",)])
def test_missing_values_stay_missing_and_others_do_not(name: str) -> None:
    columns, _ = plain_types(pa.table({"a": ARRAYS[name]}), "a")
    assert columns["a"].is_null().to_pylist() == [
        scalar is None or not scalar.is_valid for scalar in decoded(ARRAYS[name])
    ]


def decoded(array: pa.Array) -> Any:
    return array.dictionary_decode() if isinstance(array, pa.DictionaryArray) else array


SEEDS = [
    parquet_bytes(tables_of(ARRAYS[name])["other"], **options)
    for name in (
        "large-string",
        "dictionary-ints",
        "list-ints",
        "date32",
        "map-ints",
    )
    for options in ({"compression": "none"}, {"data_page_version": "2.0", "compression": "zstd"})
]


@settings(
    max_examples=300, deadline=2_000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
    kept=st.floats(0.3, 1) | st.just(1.0),
)
def test_changed_bytes_end_in_our_error_or_a_table(
    seed: bytes, changes: list[tuple[float, int]], kept: float, tmp_path: Path
) -> None:
    data = bytearray(seed)
    for place, value in changes:
        data[min(int(place * len(data)), len(data) - 1)] = value
    path = tmp_path / "a.parquet"
    path.write_bytes(data[: int(kept * len(data))])
    assert "\n" not in outcome(lambda: read_whole(path))


def read_whole(path: Path) -> None:
    table = read_table(path, CONFIG)
    assert all(len(python_values(column)) == len(table) for column in table.columns.columns)


def test_a_text_that_is_not_utf8_is_set_aside(tmp_path: Path) -> None:
    texts = strings_of(b"a good text", b"caf\xe9 du coin", b"another one", None)
    table = pa.table({"text": texts, "label": ["a", "b", "a", "b"]})
    read = read_table(table, CONFIG)
    usable = usable_rows(read, find_columns(read, CONFIG), CONFIG)
    assert usable.texts == ["a good text", "another one"]
    broken = usable.set_aside[0]
    assert (broken.row, broken.reason) == (2, "the text holds bytes that are not UTF-8")
    assert r"caf\\xe9 du coin" in broken.content


def test_rows_that_are_not_utf8_are_numbered_over_chunks(tmp_path: Path) -> None:
    texts = strings_of(*[b"a good text"] * 5, b"caf\xe9 du coin", b"one more text")
    path = as_file(pa.table({"text": texts, "label": list("abababa")}), tmp_path / "a.parquet")
    for rows_per_chunk in (2, 4, 100):
        set_aside = [
            row
            for table in iter_tables(path, CONFIG, rows_per_chunk)
            for row in usable_rows(
                table, find_columns(table, DataConfig(label="label")), CONFIG
            ).set_aside
        ]
        assert [row.row for row in set_aside] == [6]


def test_a_label_that_is_not_utf8_is_set_aside_and_bytes_are_names() -> None:
    labels = strings_of(b"ham", b"sp\xe9m", b"spam", b"ham", b"spam", b"ham")
    read = read_table(pa.table({"text": TEXTS, "label": labels}), CONFIG)
    usable = usable_rows(read, find_columns(read, CONFIG), CONFIG)
    assert [row.reason for row in usable.set_aside] == ["the label holds bytes that are not UTF-8"]
    table = pa.table({"text": TEXTS, "label": LABELS.cast(pa.binary())})
    assert prepare(table, CONFIG).labels.names == ("ham", "spam")


def test_rare_types_of_labels_have_names() -> None:
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1, 5, 0, 1, 0], pa.int8()))
    table = pa.table({"text": TEXTS, "label": flags})
    assert prepare(table, CONFIG).labels.names == ("false", "true")


def test_moments_beyond_python_are_readable(tmp_path: Path) -> None:
    seconds = pa.array([0, 2**63 - 1, 400_000_000_000, 1, 2, 3], pa.int64())
    for zone in (None, "Mars/Base"):
        moments = seconds.cast(pa.timestamp("s", zone))
        table = pa.table({"text": TEXTS, "label": LABELS, "at": moments})
        values = python_values(read_table(table, CONFIG).columns["at"])
        assert str(values[0]).startswith("1970-01-01 00:00:00")
        assert str(values[1]).startswith("9223372036854775807")
        assert values[2].startswith("14645-06-30 15:06:40")
        rewrite(table, tmp_path / "out.csv")
        assert "14645-06-30 15:06:40" in (tmp_path / "out.csv").read_text()


def test_columns_keep_their_values_in_a_parquet_result(tmp_path: Path) -> None:
    seconds = pa.array([0, 2**62, 400_000_000_000, 1, 2, 3], pa.int64()).cast(
        pa.timestamp("us", "Mars/Base")
    )
    table = pa.table({"text": TEXTS, "label": LABELS, "at": seconds, "bytes": ARRAYS["binary"]})
    rewrite(table, tmp_path / "out.parquet")
    written = pq.read_table(tmp_path / "out.parquet")
    assert written["at"].cast(pa.int64()).to_pylist() == seconds.cast(pa.int64()).to_pylist()
    assert written["bytes"].to_pylist() == ARRAYS["binary"].to_pylist()


def test_times_out_of_range_are_no_times() -> None:
    days = pa.chunked_array([pa.array([0, 2**31 - 1, 19_000], pa.int32()).view(pa.date32())])
    times = read_times(days, "day")
    np.testing.assert_array_equal(times, [0.0, np.nan, 19_000 * 86_400.0])
    nanoseconds = pa.chunked_array([pa.array([1_500, 2_500], pa.int64()).cast(pa.timestamp("ns"))])
    assert read_times(nanoseconds, "at").tolist() == [1e-6, 2e-6]


def test_numbers_without_a_name_are_kept_and_said() -> None:
    table = read_table(described(metadata()["few-names"]), CONFIG)
    assert table.columns["label"].to_pylist() == ["a", "1", "2", None, "a", "1"]
    assert table.notes == ("numbers of 'label' without a name are kept as they are",)
    table = read_table(described(metadata()["no-json"]), CONFIG)
    assert table.notes == ("its Hugging Face metadata cannot be read and is left out",)


def test_a_claim_of_too_many_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    nulls = pa.table({"text": pa.nulls(4_000_000, pa.string())})
    with pq.ParquetWriter(path, nulls.schema) as writer:
        for _ in range(6):
            writer.write_table(nulls, row_group_size=4_000_000)
    start = time.perf_counter()
    with pytest.raises(DataError, match=r"claims 24,000,000 rows in [\d,]+ bytes"):
        read_table(path, CONFIG)
    assert time.perf_counter() - start < 2


def test_nesting_without_end_is_one_line() -> None:
    with pytest.raises(DataError, match="nested more than 50 deep"):
        read_table(tables_of(ARRAYS["deep"])["other"], CONFIG)


def test_records_with_keys_of_their_own_end_in_one_line(tmp_path: Path) -> None:
    records = [{"text": f"text {i}", "label": i % 2, f"key {i}": i} for i in range(30_000)]
    start = time.perf_counter()
    with pytest.raises(DataError, match=r"30,002 keys .* look like values"):
        read_table(records, CONFIG)
    assert time.perf_counter() - start < 5


def test_wide_records_with_the_same_keys_are_read() -> None:
    keys = [f"key {i}" for i in range(1_500)]
    records = [{"text": f"text {i}"} | dict.fromkeys(keys, i) for i in range(3)]
    assert len(read_table(records, CONFIG).column_names) == 1_501


def test_a_header_of_one_name_takes_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text," + ",".join(["a"] * 20_000) + "\n" + "some text," * 20_000 + "x\n")
    start = time.perf_counter()
    assert read_table(path, CONFIG).column_names[-1] == "a_20000"
    assert time.perf_counter() - start < 10
