"""Who hears a long job: whom the caller names, else a bar in a notebook, else nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

from headtune.errors import ConfigError
from headtune.notebook.bar import NotebookProgress
from headtune.notebook.kernel import in_notebook
from headtune.progress import Progress, SilentProgress

__all__ = ["Listener", "listening"]

Listener: TypeAlias = Progress | Literal[False] | None
"""What a caller may give: a ``Progress``; None for a bar in a notebook; False for silence."""


@contextmanager
def listening(listener: Listener) -> Iterator[Progress]:
    """Within, the ``Progress`` to report to; a notebook's bar is still when the block ends.

    Raises ``ConfigError`` on anything else, True for one.
    """
    heard = _heard(listener)
    if isinstance(heard, NotebookProgress):
        with heard:
            yield heard
    else:
        yield heard


def _heard(listener: Listener) -> Progress:
    if listener is None:
        return NotebookProgress() if in_notebook() else SilentProgress()
    if listener is False:
        return SilentProgress()
    if not hasattr(listener, "advance"):
        raise ConfigError(
            f"progress must be a headtune.progress.Progress, None or False, not {listener!r}.",
            option="progress",
            way_out="None shows a bar in a notebook.",
        )
    return listener
