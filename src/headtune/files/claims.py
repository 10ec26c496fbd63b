"""One process at a time works on a folder: what two write there is a mixture, or lost.

A claim is a lock on a hidden file beside the folder, ``.NAME.lock``, which the system lets go when
the process ends, however it ends. It lies beside its target, and not in a cache, so that it holds
for everybody who can reach the folder, whatever his cache. At the end the file goes, and the
folders that were made for it, if nothing came to lie in them.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from headtune.errors import ConfigError, option

__all__ = ["claimed"]


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Within, no other process works on ``out``, whatever path leads to it.

    Raises ``ConfigError`` where one does. Where nothing can be written beside ``out``, nobody is
    kept out: whoever writes there will hear of it.
    """
    path = _lock_file(out)
    made = [parent for parent in path.parents if not parent.exists()]  # the innermost first
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _acquired(path)
    except Timeout:
        raise ConfigError(
            f"Another process is working on {out} at this moment.",
            option="out",
            way_out=f"Wait for it, or choose another folder with {option('out')}.",
        ) from None
    except OSError:
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: who waits for this file looks again
        lock.release()
        with suppress(OSError):  # one that holds something stays
            for folder in made:
                folder.rmdir()


def _lock_file(out: Path) -> Path:
    target = out.resolve()
    return target.parent / f".{target.name}.lock"


def _acquired(path: Path) -> BaseFileLock:
    """The lock on the file that lies there now, and not on one that its last owner has removed."""
    while True:
        path.touch()
        there = path.stat().st_ino
        lock = FileLock(path)
        lock.acquire(blocking=False)
        if path.exists() and path.stat().st_ino == there:
            return lock
        lock.release()
