"""How far a counted piece of work is, in figures that a person reads: rates, time left, summary.

Knows neither console nor notebook, which show what it says. Leaf module.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Work"]

WINDOW = 60.0
MARKS_PER_WINDOW = 30


@dataclass(frozen=True, slots=True)
class _Mark:
    """How much was done at a moment."""

    time: float
    done: int
    n_tokens: int


class Work:
    """How far a counted piece of work is.

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


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else _clock_time(seconds)


def _clock_time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
