"""What stages hand over, as values that JSON has: a file read back equals what was written.

NumPy's scalars and arrays, paths and tuples become plain values. JSON has no NaN or infinity: such
a figure becomes null, "not known".
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["plain"]


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
