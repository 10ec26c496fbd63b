"""What report and history files are made of: plain JSON values, written in one piece.

``plain`` turns what stages hand over (NumPy scalars and arrays, paths, tuples) into what JSON
has, so that a file read back equals what was written. JSON has no NaN or infinity: such a figure
becomes null, "not known".

``write_atomically`` writes a temporary file beside the target, which then takes its name in one
step: a reader finds the old file or the new one, never half of one.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["plain", "write_atomically"]


def plain(value: Any) -> Any:
    """The value in dictionaries with string keys, lists, strings, numbers, booleans and None.

    Raises ``TypeError`` on anything else: a report must not hold what nobody can read back.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"A report holds plain values only; received a {type(value).__name__}.")


def write_atomically(path: Path, content: bytes) -> None:
    """Makes ``path`` hold ``content``; its folder must exist. Nothing is left of a failure."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
