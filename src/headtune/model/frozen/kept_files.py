"""Kept outputs of frozen layers on disk: which files there are, and how they stay bounded.

    <cache folder>/trunks/<key of a trunk>/<random name>.safetensors

A trunk is the frozen part of one model down to one depth; a file holds the states of some texts,
and its header says of which model. ``kept_states.py`` writes and reads what is inside.

How it works: a file is written under a hidden name, brought to the disk (fsync) and renamed, and
never changed after. Its time of change says when it was last used. When all files together pass
the limit, those not used for longest go first.

Guarantees: a reader sees whole files only, whoever writes or is killed meanwhile; a file that is
removed stays readable for a process that has it mapped. No locks: two processes that clear or
evict at the same time remove the same files. Costs: one ``stat`` a file.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from headtune.files.cache_folder import cache_folder
from headtune.files.whole_file import written_aside

__all__ = [
    "CachedTrunk",
    "KeptFile",
    "cached_trunks",
    "clear_cache",
    "kept_files",
    "make_room",
    "mark_used",
    "publish",
    "trunks_folder",
    "unfinished_files",
]

ENDING = ".safetensors"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file of kept states: its size, and when it was last used, in seconds since 1970."""

    path: Path
    n_bytes: int
    last_used: float


@dataclass(frozen=True, slots=True)
class CachedTrunk:
    """What is kept of one trunk: one line of ``headtune cache``."""

    model: str
    depth: str
    n_texts: int
    n_bytes: int
    last_used: float


def trunks_folder() -> Path:
    """Where kept states lie; it need not exist."""
    return cache_folder() / "trunks"


def kept_files(folder: Path | None = None) -> list[KeptFile]:
    """The finished files of one trunk's folder, or of all, least recently used first."""
    found = []
    for path in (folder or trunks_folder()).rglob(f"[!.]*{ENDING}"):
        with suppress(FileNotFoundError):  # another process may be evicting
            stat = path.stat()
            found.append(KeptFile(path, stat.st_size, stat.st_mtime))
    return sorted(found, key=lambda file: (file.last_used, file.path))


def mark_used(path: Path) -> None:
    """Make the file the last to go; nothing happens if it has gone, belongs to someone else or lies
    where nothing can be written."""
    with suppress(OSError):
        os.utime(path)


def unfinished_files() -> Iterator[Path]:
    """What is being written at this moment, or was when its writer was killed."""
    return trunks_folder().rglob(".writing-*")


def make_room(n_bytes: int, limit: int) -> None:
    """Remove the files not used for longest until ``n_bytes`` more stay within ``limit``."""
    files = kept_files()
    total = sum(file.n_bytes for file in files)
    for file in files:
        if total + n_bytes <= limit:
            break
        file.path.unlink(missing_ok=True)
        total -= file.n_bytes


def publish(folder: Path, write: Callable[[Path], None]) -> Path:
    """The file that ``write`` makes at the path it is given, once it is whole and on the disk.

    Nothing is left of a failure. Raises what ``write`` raises, and ``OSError``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (uuid.uuid4().hex + ENDING)
    with written_aside(path) as work:
        write(work)
    return path


def cached_trunks() -> list[CachedTrunk]:
    """What is kept, trunk by trunk, the last used first."""
    folders = (path for path in trunks_folder().glob("*") if path.is_dir())
    found = (_cached_trunk(folder) for folder in folders)
    return sorted((t for t in found if t is not None), key=lambda trunk: -trunk.last_used)


def _cached_trunk(folder: Path) -> CachedTrunk | None:
    files = kept_files(folder)
    headers = [header for file in files for header in _header(file.path)]
    if not headers:
        return None
    return CachedTrunk(
        model=headers[-1]["model"],
        depth=headers[-1]["depth"],
        n_texts=sum(int(header["n_texts"]) for header in headers),
        n_bytes=sum(file.n_bytes for file in files),
        last_used=files[-1].last_used,
    )


def _header(path: Path) -> Iterator[dict[str, str]]:
    """What a file says about itself; nothing if it has gone or is broken."""
    from safetensors import SafetensorError, safe_open

    with suppress(OSError, SafetensorError), safe_open(path, framework="np") as file:
        header = file.metadata() or {}
        if {"model", "depth", "n_texts"} <= header.keys():
            yield header


def clear_cache() -> int:
    """Remove all kept states; the bytes that were freed."""
    n_bytes = 0
    for path in trunks_folder().rglob("*"):
        with suppress(FileNotFoundError):  # another process may be clearing or evicting
            if path.is_file():
                n_bytes += path.stat().st_size
                path.unlink()
    shutil.rmtree(trunks_folder(), ignore_errors=True)
    return n_bytes
