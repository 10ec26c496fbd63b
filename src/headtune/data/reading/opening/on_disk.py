"""A table that has to lie in a file: archives, workbooks, databases, Parquet and Arrow files.

What comes through a pipe or out of a packing is written to a temporary file, which is gone when it
has been read. Guarantees: no more than ``most_bytes`` of it, and never the last 5 % of the disk.
"""

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from headtune.data.reading.opening.byte_source import ByteSource
from headtune.data.reading.opening.packing import check_unpacked
from headtune.errors import DataError
from headtune.wording.numbers import size

__all__ = ["LEAST_FREE", "lying", "on_disk"]

LEAST_FREE = 0.05
"""Share of the disk that is left free."""

LOOK_EVERY = 64 * 1024 * 1024


def on_disk(file: ByteSource, stack: ExitStack) -> Path:
    """Where the bytes of a table lie, as long as ``stack`` is open. Raises ``DataError``."""
    if file.path is not None and file.path.is_file():
        return file.path
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="headtune-")))
    path = folder / "table"
    n_bytes = 0
    try:
        with path.open("wb") as out:
            for block in file.blocks():
                if n_bytes // LOOK_EVERY != (n_bytes + len(block)) // LOOK_EVERY:
                    _check_room(folder, file.name)
                n_bytes += len(block)
                check_unpacked(file.name, n_bytes, file.most_bytes)
                out.write(block)
    except OSError as error:
        raise DataError(
            f"{file.name} has to be written to {folder.parent} to be read, which failed: "
            f"{error.strerror or error}.",
            way_out="Unpack it into a file first, or name another folder by TMPDIR.",
        ) from error
    return path


def _check_room(folder: Path, name: str) -> None:
    disk = shutil.disk_usage(folder)
    if disk.free < LEAST_FREE * disk.total:
        raise DataError(
            f"{name} does not fit on the disk of {folder.parent}: {size(disk.free)} are left.",
            way_out="Free some room, or name another folder by TMPDIR.",
        )


def lying(file: ByteSource, stack: ExitStack) -> ByteSource:
    """The same table, with a path."""
    return replace(file, path=on_disk(file, stack))
