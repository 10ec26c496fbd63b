"""Where headtune keeps what it can make again: converted models, kept states, locks, notes."""

import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["cache_folder", "remove_abandoned"]

ABANDONED_SECONDS = 3600.0
"""Writing takes seconds to minutes; what lies unfinished for so long has lost its process."""


def cache_folder() -> Path:
    """``HEADTUNE_CACHE``, else ``headtune`` below ``XDG_CACHE_HOME`` or ``~/.cache``."""
    if given := os.environ.get("HEADTUNE_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headtune"


def remove_abandoned(unfinished: Iterable[Path]) -> None:
    """Remove those files and folders whose writer was killed: they are an hour old.

    What cannot be removed stays: another process may be removing it, or it is someone else's.
    """
    oldest = time.time() - ABANDONED_SECONDS
    for path in unfinished:
        with suppress(OSError):
            if path.stat().st_mtime >= oldest:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
