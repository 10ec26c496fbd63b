"""safetensors files, their headers checked before a byte of weights is read.

A file begins with the length of its header (eight bytes, little-endian), then the header, JSON of
tensor name to dtype, shape and the place of its bytes, then the bytes
(https://github.com/huggingface/safetensors#format). Read here by the safetensors library once our
own check has passed: header within bounds, names once, known dtypes, shapes that are counts, places
that follow each other without gap or overlap to the end of the file.

Guarantees: a file that passes holds what its header says; whatever does not raises
``ArtifactFormatError`` naming the file. Costs: the header is read twice, some kilobytes.
"""

import math
import struct
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from headtune.errors import ArtifactFormatError
from headtune.files.strict_json import MAX_BYTES, parse_strict_json

__all__ = ["check_tensor_file", "read_tensors"]

DTYPE_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1}
DTYPE_BYTES |= {"U8": 1, "BOOL": 1}
"""The dtypes that headtune writes or could be handed."""


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """All tensors by name. Raises ``ArtifactFormatError``."""
    check_tensor_file(path)
    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ArtifactFormatError(f"{path} cannot be read: {error}") from error
    return tensors


def check_tensor_file(path: Path) -> None:
    """Raise ``ArtifactFormatError`` unless the header describes the file."""
    try:
        header, n_data = _header(path)
        _check(header, n_data)
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactFormatError(f"{path} cannot be read: {error}.") from error


def _header(path: Path) -> tuple[Any, int]:
    """The header's JSON, and how many bytes follow it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8:
            raise ValueError("it is cut short: no header")
        (length,) = struct.unpack("<Q", start)
        if length > min(MAX_BYTES, size - 8):
            raise ValueError(f"it is cut short, or no safetensors: a header of {length:,} bytes")
        text = file.read(length).decode("utf-8")
    return parse_strict_json(text), size - 8 - length


def _check(header: Any, n_data: int) -> None:
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("its metadata are no strings")
    places = sorted(_place(name, entry) for name, entry in header.items())
    reached = 0
    for begin, end, name in places:
        if begin != reached:
            raise ValueError(f"tensor {name[:80]!r} leaves a gap, or overlaps another")
        reached = end
    if reached != n_data:
        raise ValueError(f"it is cut short: {n_data:,} bytes of weights, expected {reached:,}")


def _place(name: str, entry: Any) -> tuple[int, int, str]:
    """Where a tensor's bytes begin and end."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name[:80]!r} lacks dtype, shape or data_offsets")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not isinstance(entry["dtype"], str) or entry["dtype"] not in DTYPE_BYTES:
        raise ValueError(f"tensor {name[:80]!r} has the unknown dtype {str(entry['dtype'])[:40]}")
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise ValueError(f"tensor {name[:80]!r} has a shape or place that is no list of counts")
    if offsets[1] - offsets[0] != math.prod(shape) * DTYPE_BYTES[entry["dtype"]]:
        raise ValueError(f"tensor {name[:80]!r} has another number of bytes than its shape")
    return offsets[0], offsets[1], name


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 2**48 for v in values)
