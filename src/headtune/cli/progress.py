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
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
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

__all__ = ["ConsoleProgress", "Work"]

BAR_WIDTH = 12
SECONDS_BETWEEN_LINES = 30.0
WINDOW = 60.0
MARKS_PER_WINDOW = 30


@dataclass(frozen=True, slots=True)
class _Mark:
    """How much was done at a moment."""

    time: float
    done: int
    n_tokens: int


class Work:
    """How far a counted piece of work is; knows no console, so it is tested alone.

    While it goes on, rates and the time left are those of the last ``WINDOW`` seconds, so that a
    machine that was busy or asleep for a while is soon forgotten; the summary is about all of it.
    """

    def __init__(
        self,
        total: int,
        unit: str,
        clock: Callable[[], float] = time.monotonic,
        total_tokens: int = 0,
    ) -> None:
        self.total = total
        self.total_tokens = total_tokens
        self.unit = unit
        self.done = 0
        self.n_tokens = 0
        self.figures: dict[str, float] = {}
        self._clock = clock
        self._started = clock()
        self._marks = deque([_Mark(self._started, 0, 0)])

    @property
    def seconds(self) -> float:
        """Since the start; never 0, so that rates can be taken."""
        return max(self._clock() - self._started, 1e-9)

    def advance(self, n_examples: int, n_tokens: int, figures: dict[str, float]) -> None:
        """So much more is done; figures replace those of the same name."""
        self.done += n_examples
        self.n_tokens += n_tokens
        self.figures.update(figures)
        now = self._clock()
        if now - self._marks[-1].time >= WINDOW / MARKS_PER_WINDOW:
            self._marks.append(_Mark(now, self.done, self.n_tokens))
        while len(self._marks) > 2 and now - self._marks[1].time >= WINDOW:
            self._marks.popleft()

    @property
    def share(self) -> float:
        """How much is done, 0 to 1: by tokens if their total is known, else by count."""
        return self._share(self.done, self.n_tokens)

    def status(self) -> str:
        """The line beside a bar."""
        since = self._marks[0] if self.done > self._marks[0].done else _Mark(self._started, 0, 0)
        seconds = max(self._clock() - since.time, 1e-9)
        parts = [f"{self.done:,} of {self.total:,}" if self.total else f"{self.done:,} {self.unit}"]
        gained = self.share - self._share(since.done, since.n_tokens)
        if gained and self.done < self.total:
            parts.append(f"{_clock_time(seconds / gained * (1 - self.share))} left")
        rates = self._rates(self.done - since.done, self.n_tokens - since.n_tokens, seconds)
        return "  ".join([*parts, *rates, *self._figures()])

    def summary(self) -> str:
        """The line that stays when the work is over."""
        done = f"{self.done:,} {self.unit} in {_duration(self.seconds)}"
        rates = self._rates(self.done, self.n_tokens, self.seconds)
        return f"{done}: {', '.join([*rates, *self._figures()])}"

    def _share(self, done: int, n_tokens: int) -> float:
        if self.total_tokens:
            return min(1.0, n_tokens / self.total_tokens)
        return done / self.total if self.total else 0.0

    def _rates(self, done: int, n_tokens: int, seconds: float) -> list[str]:
        rates = [f"{_short(done / seconds)} {self.unit}/s"]
        if n_tokens:
            rates.append(f"{_short(n_tokens / seconds)} tokens/s")
        return rates

    def _figures(self) -> list[str]:
        return [f"{name} {value:.4g}" for name, value in self.figures.items()]


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


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else _clock_time(seconds)


def _clock_time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
