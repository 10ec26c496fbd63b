"""Arrow data to ``Table``: Parquet row group by row group, ``datasets``, pandas and polars.

All of it goes through one door, ``arrow_table``: types that the stages can work with
(types.py), labels by their names (class_labels.py), rows numbered.

Guarantees: what pyarrow raises at a file that is cut short or made wrong becomes one line
(``DataError``). A file that claims more rows than its size can hold is refused before it is read
whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headtune.data.reading.arrow.class_labels import RangeOf, name_class_labels, range_in
from headtune.data.reading.arrow.types import plain_types
from headtune.data.reading.arrow.values import UNREADABLE
from headtune.data.reading.opening.sources import ByteSource
from headtune.data.reading.table import Table
from headtune.errors import DataError, HeadtuneError

__all__ = ["arrow_table", "check_rows", "parquet_tables", "said_in_one_line"]

MOST_ROWS = 20_000_000
MOST_ROWS_PER_BYTE = 100
"""A file of more rows than either allows is made of one value repeated: no table of texts."""


def arrow_table(
    table: pa.Table,
    name: str,
    *,
    first_row: int = 1,
    notes: tuple[str, ...] = (),
    range_of: RangeOf | None = None,
) -> Table:
    """An Arrow table, whatever its types, numbered from ``first_row`` on. Raises ``DataError``.

    ``range_of``: see ``name_class_labels``; for a chunk of a table.
    """
    columns, not_utf8 = plain_types(table, name)
    columns, said = name_class_labels(columns, table.schema.metadata, range_of)
    return Table(
        columns,
        name,
        np.arange(first_row, first_row + columns.num_rows),
        notes=(*notes, *said),
        not_utf8={
            column: frozenset(position + first_row for position in positions)
            for column, positions in not_utf8.items()
        },
    )


def parquet_tables(file: ByteSource, rows_per_chunk: int | None) -> Iterator[Table]:
    """A Parquet file on disk by so many rows, or as one table. Raises ``DataError``."""
    assert file.path is not None
    with said_in_one_line(file.name, "as Parquet"):
        parquet = pq.ParquetFile(file.path)
        n_rows = parquet.metadata.num_rows
        if rows_per_chunk is None:
            check_rows(n_rows, file.path.stat().st_size, file.name)
        start, range_of = 1, cache(partial(_range_in_file, parquet))
        for batch in parquet.iter_batches(rows_per_chunk or max(n_rows, 1)):
            table = pa.Table.from_batches([batch])
            notes = ("Parquet",)
            yield arrow_table(table, file.name, first_row=start, notes=notes, range_of=range_of)
            start += batch.num_rows


def _range_in_file(parquet: pq.ParquetFile, column: str) -> tuple[int, int] | None:
    """Asked for where a column may have lost its name, which is rare: it is read once more."""
    batches = (pa.Table.from_batches([b]) for b in parquet.iter_batches(columns=[column]))
    ends = [range_in(batch, column) for batch in batches]
    found = [end for end in ends if end is not None]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def check_rows(n_rows: int, n_bytes: int, name: str) -> None:
    """Raises ``DataError`` at more rows than so many bytes can hold."""
    if n_rows > max(MOST_ROWS, MOST_ROWS_PER_BYTE * n_bytes):
        raise DataError(
            f"{name} claims {n_rows:,} rows in {n_bytes:,} bytes, which no table of texts needs.",
            way_out="Check the program that wrote it.",
        )


@contextmanager
def said_in_one_line(name: str, as_what: str) -> Iterator[None]:
    """What pyarrow raises, as ``DataError``."""
    try:
        yield
    except HeadtuneError:
        raise
    except (*UNREADABLE, MemoryError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{name} cannot be read {as_what}; it may be cut short ({reason}).",
            way_out="Write or download it again.",
        ) from error
