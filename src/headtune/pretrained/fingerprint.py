"""By what hash a model is known: one sha256 over its configuration and weight files.

The hash of each file is remembered in the cache; see ``hashes.py``. Costs: 0.6 s for a gigabyte,
once; some microseconds a file from then on.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from headtune.files.cache_folder import cache_folder
from headtune.files.hashes import remembered_sha256

__all__ = ["remembered", "weights_sha256"]


def weights_sha256(folder: Path) -> str:
    """One sha256 over the names and bytes of a folder's config and safetensors files."""
    total = hashlib.sha256()
    for path in _weight_files(folder):
        total.update(f"{path.name}\0{remembered(path)}\n".encode())
    return total.hexdigest()


def remembered(path: Path) -> str:
    """The sha256 of a file, computed once."""
    return remembered_sha256(path, cache_folder() / "sha256")


def _weight_files(folder: Path) -> Iterator[Path]:
    yield folder / "config.json"
    yield from sorted(path for path in folder.glob("*.safetensors") if path.is_file())
