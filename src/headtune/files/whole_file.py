"""A file in one piece: whoever looks finds the old one or the new one, never half of one.

What is written goes under a hidden name beside the target, is brought to the disk (fsync) and takes
the target's name in one step. Folders have ``publish.py``.

Guarantees: nothing is left of a failure; several processes may write the same file, the last one
stays.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["write_whole", "written_aside"]


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A hidden name beside ``path`` to write to, which becomes ``path`` at the end of the block.

    The folder must exist. Raises ``OSError``; whatever ends the block, the hidden file goes.
    """
    work = path.with_name(f".writing-{os.getpid()}-{path.name}")
    try:
        yield work
        with work.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(work, path)
    finally:
        work.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Make ``path`` hold ``content``. Raises ``OSError``."""
    with written_aside(path) as work:
        work.write_bytes(content)
