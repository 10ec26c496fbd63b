"""Progress on stderr: what each stage does, with a bar where the work can be counted.

    Tokenizing
      5,171 examples in 0.9 s: 5,700 examples/s, 205,000 tokens/s
    Training
      frozen weights in bfloat16: this machine multiplies it 4.4 times faster
      ━━━━━━━━━━━━  1,944 of 3,600  0:34 left  49 examples/s  1,650 tokens/s  loss 0.31

On a terminal the last line is a bar that moves and gives way to a summary. Elsewhere (a file, a
pipe, CI) there is no bar but a plain line every ``SECONDS_BETWEEN_LINES``, so a log stays short.

Guarantees: nothing is ever written to stdout. Leaving the ``with`` block takes the bar down, also
on an exception, so that the line of the error stands alone.
Costs: a bar is drawn four times a second by a thread of rich's.
"""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from headtune.cli.console import VisibleConsole
from headtune.wording.work import Work

__all__ = ["ConsoleProgress"]

BAR_WIDTH = 12
SECONDS_BETWEEN_LINES = 30.0


class ConsoleProgress:
    """The ``Progress`` of the command line. A context manager, so that a bar is always put away."""

    def __init__(self, console: VisibleConsole | None = None) -> None:
        self._console = console or VisibleConsole(file=sys.stderr)
        self._live: Live | None = None
        self._work: Work | None = None
        self._spinner = Spinner("line", style="dim")
        self._last_line = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self._take_down()

    def stage(self, name: str) -> None:
        """A heading, and below it a sign of life until something can be counted."""
        self.finish()
        self._print(Text(name, style="bold"))
        self._show()

    def say(self, message: str) -> None:
        """One line, indented under the heading of the stage."""
        self._print(Text(f"  {message}"))

    def start(self, total: int, unit: str, n_tokens: int = 0) -> None:
        """A bar."""
        self.finish()
        self._work = Work(total, unit, total_tokens=n_tokens)
        self._last_line = time.monotonic()
        self._show()

    def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
        """Moves the bar."""
        if self._work is None:
            return
        self._work.advance(n_examples, n_tokens, figures)
        if not self._console.is_terminal and self._line_is_due():
            self.say(self._work.status())

    def finish(self) -> None:
        """The bar gives way to a summary."""
        self._take_down()
        if self._work is not None and self._work.done:
            self.say(self._work.summary())
        self._work = None

    def _line_is_due(self) -> bool:
        now = time.monotonic()
        due = now - self._last_line >= SECONDS_BETWEEN_LINES
        if due:
            self._last_line = now
        return due

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _show(self) -> None:
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._line,
                console=self._console,
                transient=True,
                redirect_stdout=False,  # results are not ours to touch
                redirect_stderr=False,
            )
            self._live.start()

    def _take_down(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _line(self) -> RenderableType:
        if self._work is None:
            return Padding(self._spinner, (0, 2))
        line = Table.grid(padding=(0, 2))
        bar = ProgressBar(1.0 if self._work.total else None, self._work.share, width=BAR_WIDTH)
        line.add_row("", bar, Text(self._work.status(), no_wrap=True, overflow="ellipsis"))
        return line
