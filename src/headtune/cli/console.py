"""All that the command line prints, for people and for machines.

Results go to stdout, everything else to stderr, so ``headtune … > file`` keeps the results and
``headtune … --json | jq`` sees JSON only.

Guarantees: no label, text or file name reaches a terminal as an escape sequence or turns the words
around it: what cannot be seen is written out (wording/visible.py), and ``[red]`` in it stays
``[red]``. To keep it so, nothing in headtune calls ``print`` or makes a ``Console`` but this file
and those that tests/cli/test_escapes.py names.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOBase
from typing import IO, Any, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from headtune.cli.interrupts import heeding_ctrl_c
from headtune.wording.visible import visible
from headtune.wording.visible_text import visible_text

__all__ = ["VisibleConsole", "complain", "print_json", "results", "say", "show", "waiting"]


class VisibleConsole(Console):
    """rich's console, for words that others wrote: see the top of this file.

    Texts are cleaned before they are laid out, so that lines break where they should; and once more
    when they leave, whatever they were part of. Escape sequences of rich's own are no texts to it.
    (Five characters, the bell and backspace among them, rich's ``Text`` has left out by then.)
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"highlight": False, "markup": False, "emoji": False} | settings)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Segments to print, as rich's, with visible texts only."""
        if isinstance(renderable, str):
            renderable = self.render_str(renderable)
        if isinstance(renderable, Text):
            renderable = visible_text(renderable)
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


def results() -> Console:
    """Stdout. In a pipe or a file lines may be long (nothing is cut off at 80 columns), and none
    ends in the spaces that fill up a column."""
    if sys.stdout.isatty():
        return VisibleConsole()
    return VisibleConsole(width=160, file=cast(IO[str], _Unfilled()))


class _Unfilled(TextIOBase):
    """Stdout, for rich, which writes whole lines: without the spaces at their ends."""

    def write(self, lines: str) -> int:
        return sys.stdout.write(re.sub(r" +$", "", lines, flags=re.MULTILINE))

    def flush(self) -> None:
        sys.stdout.flush()


def show(text: str) -> None:
    """A result in plain letters, on stdout."""
    print(visible(text))


def say(message: str) -> None:
    """A closing line for people, on stderr."""
    sys.stdout.flush()
    print(visible(message), file=sys.stderr)


def complain(message: str) -> None:
    """Why it ended, on stderr; stdout is left alone, since it may be what failed."""
    print(visible(message), file=sys.stderr)


def print_json(values: Any, *, indent: int | None = None) -> None:
    """JSON on stdout; see ``plain_json.py``, which leaves nothing unseen in it."""
    from headtune.files.plain_json import to_json

    print(to_json(values, indent=indent))


@contextmanager
def waiting(message: str) -> Iterator[None]:
    """A sign of life on stderr that leaves nothing behind; nothing at all outside a terminal.

    For the time when libraries are imported, where Ctrl-C would be lost at times.
    """
    with heeding_ctrl_c(), VisibleConsole(file=sys.stderr).status(message, spinner="line"):
        yield
