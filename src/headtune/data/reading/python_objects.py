"""Objects of Python to tables: records, pairs, columns, frames, Arrow data, and parts of these.

    list of dicts, of tuples, of lists    as the same in a JSON file (json/)
    dict                                  columns, parts ({"train": …, "test": …}), or what an
                                          object of JSON may be
    generator, streamed data set          so many records at a time
    pandas DataFrame                      with the names of its index, if it has any, as columns
    polars DataFrame, LazyFrame           a LazyFrame is collected
    Series of pandas or polars            one column
    pyarrow                               Table, RecordBatch, RecordBatchReader, Dataset, arrays
    numpy                                 structured arrays, and those of two dimensions

Anything else that hands out Arrow data (``__arrow_c_stream__``) is a table, too. No library is
imported here for an object of it: where there is one, it is imported already.

Guarantees: what cannot be read is refused by its type. Missing values of pandas (``pd.NA``,
``NaT``, ``NaN``) are missing. Costs: generators, readers and data sets of Arrow are streamed.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
import pyarrow as pa

from headtune.data.reading.arrow.tables import arrow_table
from headtune.data.reading.json.tables import record_tables, tables_of_value
from headtune.data.reading.part_names import PART_NAMES
from headtune.data.reading.table import Parts, Table, table_from_records
from headtune.errors import DataError
from headtune.options import DataConfig

__all__ = ["object_parts"]

NAME = "the data"


def object_parts(source: object, config: DataConfig, rows_per_chunk: int | None) -> Parts:
    """The parts of an object, ``train`` alone where it has none. Raises ``DataError``."""
    if (table := _framed(source)) is not None:
        return {"train": table.chunks(rows_per_chunk)}
    if (tables := _streamed(source, rows_per_chunk)) is not None:
        return {"train": tables}
    if isinstance(source, Mapping) and _are_parts(source):
        return {
            PART_NAMES[str(key).lower()]: object_parts(value, config, rows_per_chunk)["train"]
            for key, value in source.items()
        }
    if (plain := _plain(source)) is not None:
        found = tables_of_value(plain, NAME, config)
        return {part: table.chunks(rows_per_chunk) for part, table in found.items()}
    if isinstance(source, Iterable) and not isinstance(source, str | bytes | set | frozenset):
        return {"train": _records(iter(source), config, rows_per_chunk)}
    raise _refused(type(source).__name__)


def _refused(received: str) -> DataError:
    return DataError(
        f"Expected a path, a hub id, a list of dicts or pairs, a dict of columns, a DataFrame of "
        f"pandas or polars, a datasets.Dataset or Arrow data; received {received}.",
        way_out='A table is, for one, [{"text": …, "label": …}, …].',
    )


def _framed(source: Any) -> Table | None:
    """A table that is in memory already, column by column."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(source, pandas.Series):
        source = source.to_frame(source.name if source.name is not None else "text")
    if pandas is not None and isinstance(source, pandas.DataFrame):
        return _pandas_table(source)
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(source, polars.LazyFrame):
        source = source.collect()
    if polars is not None and isinstance(source, polars.Series):
        source = source.to_frame(source.name or "text")
    if isinstance(source, pa.Array | pa.ChunkedArray) and not pa.types.is_struct(source.type):
        source = pa.table({"text": source})
    if isinstance(source, pa.Table):
        return arrow_table(source, NAME)
    if isinstance(source, pa.RecordBatchReader) or not _hands_out_arrow(source):
        return None
    return arrow_table(_as_arrow(source), NAME)


def _hands_out_arrow(source: object) -> bool:
    return hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")


def _as_arrow(source: Any) -> pa.Table:
    try:
        if isinstance(source, pa.StructArray | pa.ChunkedArray):
            chunks = source.chunks if isinstance(source, pa.ChunkedArray) else [source]
            return pa.Table.from_batches([pa.RecordBatch.from_struct_array(c) for c in chunks])
        return pa.table(source)
    except (pa.ArrowException, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{NAME} hands out no table: {reason}.") from error


def _pandas_table(frame: Any) -> Table:
    if any(name is not None for name in frame.index.names):
        taken = set(map(str, frame.columns))
        named = [name for name in frame.index.names if name is not None and str(name) not in taken]
        frame = frame.reset_index(level=named) if named else frame
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(
            f"{NAME} has two columns named {twice!r}.", column=str(twice), way_out="Rename one."
        )
    try:
        return arrow_table(pa.Table.from_pandas(frame, preserve_index=False), NAME)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError):
        rows = np.arange(1, len(frame) + 1)  # a column of mixed types
        return table_from_records(frame.to_dict("records"), rows, NAME)


def _streamed(source: Any, rows_per_chunk: int | None) -> Iterator[Table] | None:
    """Arrow data that comes batch by batch."""
    arrow = sys.modules.get("pyarrow.dataset")
    if arrow is not None and isinstance(source, arrow.Dataset):
        source = source.scanner().to_reader()
    return _batches(source, rows_per_chunk) if isinstance(source, pa.RecordBatchReader) else None


def _batches(reader: pa.RecordBatchReader, rows_per_chunk: int | None) -> Iterator[Table]:
    first_row = 1
    batches: Iterable[pa.Table] = (pa.Table.from_batches([batch]) for batch in reader)
    for batch in [reader.read_all()] if rows_per_chunk is None else batches:
        table = arrow_table(batch, NAME, first_row=first_row)
        first_row += len(table)
        yield from table.chunks(rows_per_chunk)


def _are_parts(source: Mapping[Any, object]) -> bool:
    """Whether all keys are parts, ``train`` among them, of objects that are no JSON."""
    parts = [PART_NAMES.get(str(key).lower()) for key in source]
    return (
        "train" in parts
        and None not in parts
        and len(set(parts)) == len(parts)
        and not any(isinstance(value, list | tuple | Mapping) for value in source.values())
    )


def _plain(source: Any) -> Any:
    """What a JSON file could hold, from lists, dicts and arrays; None for anything else."""
    if isinstance(source, np.ndarray):
        if source.dtype.names:
            return {name: source[name].tolist() for name in source.dtype.names}
        return source.tolist() if source.ndim == 2 else None
    if isinstance(source, Mapping):
        return {str(key): _listed(value) for key, value in source.items()}
    if isinstance(source, list | tuple):
        records = [_record(item) for item in source]
        if records and not any(isinstance(item, Mapping | list | tuple) for item in records):
            raise _refused(f"a {type(source).__name__} of {type(source[0]).__name__}")
        return records
    return None


def _listed(values: Any) -> Any:
    """A column as a list, whatever holds it."""
    for name in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, name):
            return getattr(values, name)()
    return values


def _record(item: Any) -> Any:
    """A row as a dict or list, where it is an object that has one."""
    if hasattr(item, "_asdict"):
        return item._asdict()
    if is_dataclass(item) and not isinstance(item, type):
        return asdict(item)
    if isinstance(item, Mapping) and not isinstance(item, dict):
        return dict(item)
    return item.tolist() if isinstance(item, np.ndarray) else item


def _records(
    items: Iterator[Any], config: DataConfig, rows_per_chunk: int | None
) -> Iterator[Table]:
    """A generator of records or of pairs."""
    first = list(islice(items, 1))
    if first and not isinstance(_record(first[0]), Mapping | list | tuple):
        raise _refused(f"something that gives {type(first[0]).__name__}")
    records = map(_record, chain(first, items))
    yield from record_tables(records, NAME, config, rows_per_chunk)
