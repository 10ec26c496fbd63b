"""Arrow IPC files and streams, and Feather, to ``Table``, record batch by record batch.

    ARROW1          a file of Arrow IPC, which Feather 2 is too: read from disk
    FEA1            Feather 1, as old versions of pandas wrote it
    0xFFFFFFFF      a stream of Arrow IPC, as ``datasets`` keeps its tables

Guarantees: every batch is validated in full before it is used, since a wrong offset would read
memory that is not the table's; only text that is not UTF-8 is left to the stages. A file that
claims more rows than its size can hold is refused. Costs: memory for one batch.
"""

import warnings
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.feather

from headtune.data.reading.arrow.tables import arrow_table, check_rows, said_in_one_line
from headtune.data.reading.opening.byte_source import ByteSource, Joined
from headtune.data.reading.table import Table

__all__ = ["arrow_file_tables"]

IN_FILES = b"ARROW1"
FEATHER_1 = b"FEA1"


def arrow_file_tables(file: ByteSource, rows_per_chunk: int | None) -> Iterator[Table]:
    """A file on disk, or a stream, by so many rows or as one table. Raises ``DataError``."""
    with said_in_one_line(file.name, "as an Arrow file"):
        if rows_per_chunk is None:
            tables = list(_checked(file))
            yield arrow_table(pa.concat_tables(tables), file.name, notes=("Arrow",))
            return
        start = 1
        for table in _checked(file):
            for place in range(0, table.num_rows, rows_per_chunk):
                part = table.slice(place, rows_per_chunk)
                yield arrow_table(part, file.name, first_row=start, notes=("Arrow",))
                start += part.num_rows
        if start == 1:  # nothing but columns, whose file is to be named
            yield arrow_table(table, file.name, notes=("Arrow",))


def _checked(file: ByteSource) -> Iterator[pa.Table]:
    """Every batch; a table without one gives its columns and no rows."""
    n_rows, stream = 0, file.whole()
    for table in _batches(file, stream):
        _validate(table)
        n_rows += table.num_rows
        n_bytes = stream.n_read if file.path is None else file.path.stat().st_size
        check_rows(n_rows, n_bytes, file.name)
        yield table


def _batches(file: ByteSource, stream: Joined) -> Iterator[pa.Table]:
    if file.head.startswith(IN_FILES):
        with pa.OSFile(str(file.path)) as source:
            reader = pa.ipc.open_file(source)
            yield reader.schema.empty_table()
            for i in range(reader.num_record_batches):
                yield pa.Table.from_batches([reader.get_batch(i)])
    elif file.head.startswith(FEATHER_1):
        with warnings.catch_warnings():  # that it is old is what this branch is for
            warnings.simplefilter("ignore", DeprecationWarning)
            yield pyarrow.feather.read_table(file.path, memory_map=False)
    else:
        reader = pa.ipc.open_stream(pa.PythonFile(stream, "r"))
        yield reader.schema.empty_table()
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _validate(table: pa.Table) -> None:
    """Raises ``pyarrow.ArrowInvalid`` where a value is outside what there is."""
    for column in table.columns:
        for chunk in column.chunks:
            _bytes_for_text(chunk).validate(full=True)


def _bytes_for_text(chunk: pa.Array) -> pa.Array:
    """The same buffers, their text as bytes: what is not UTF-8 is for the stages to say."""
    kinds = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
    return chunk.view(kinds[chunk.type]) if chunk.type in kinds else chunk
