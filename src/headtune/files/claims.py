"""One process at a time works on a folder: what two write there is a mixture, or lost.

A claim is a lock on a file in the cache folder, named by where the target really is, which the
system lets go when the process ends, however it ends.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from headtune.errors import ConfigError
from headtune.files.cache_folder import cache_folder

__all__ = ["claimed"]


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Within, no other process with this cache folder works on ``out``, whatever leads to it.

    Raises ``ConfigError`` where one does. Where the cache folder cannot be written, nobody is kept
    out.
    """
    lock = _lock(out)
    if lock is None:
        yield
        return
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise ConfigError(
            f"Another process is working on {out} at this moment. Wait for it, or choose another "
            "folder with --out."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _lock(out: Path) -> BaseFileLock | None:
    locks = cache_folder() / "locks"
    name = hashlib.sha256(str(out.resolve()).encode()).hexdigest()
    try:
        locks.mkdir(parents=True, exist_ok=True)
        path = locks / f"{name}.lock"
        path.touch()
    except OSError:
        return None
    return FileLock(path)
