"""Where headtune keeps what it can make again: converted models, kept states, locks, notes."""

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """``HEADTUNE_CACHE``, else ``headtune`` below ``XDG_CACHE_HOME`` or ``~/.cache``."""
    if given := os.environ.get("HEADTUNE_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headtune"
