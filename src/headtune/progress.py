"""How a long job says what it is doing, without knowing who listens.

Every stage that takes long receives a ``Progress`` and reports to it; the command line passes one
that draws bars (``cli/progress.py``), a library caller passes nothing and gets
``SilentProgress``. The order of calls is

    stage("Training")  say("…")  start(3600, "examples")  advance(32, 1150, loss=0.31) …  finish()

``stage`` may be called again without ``finish``; ``advance`` outside ``start`` counts for nothing.

Leaf module: no headtune, no third party. A call costs a microsecond where nobody listens, so
``advance`` may be called for every batch.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["OnlySays", "Progress", "SilentProgress", "Stopwatch"]


class Progress(Protocol):
    """What a stage tells about itself; every method returns at once and never raises."""

    def stage(self, name: str) -> None:
        """A stage begins: "Reading", "Tokenizing", "Loading the model", "Training", …"""

    def say(self, message: str) -> None:
        """One line worth reading: the columns that were found, a dtype and the reason for it."""

    def start(self, total: int, unit: str, n_tokens: int = 0) -> None:
        """The stage's work can be counted: ``total`` of ``unit`` (examples, rows, steps).

        A total of 0 is unknown: a table that is read as it goes.

        ``n_tokens``, where it is known, tells the time left better: long texts go first.
        """

    def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
        """So much more is done; ``figures`` are shown beside it, such as ``loss=0.31``."""

    def finish(self) -> None:
        """The counted work is over."""


class SilentProgress:
    """A ``Progress`` nobody watches: the default of every library function."""

    def stage(self, name: str) -> None:
        """Says nothing."""

    def say(self, message: str) -> None:
        """Says nothing."""

    def start(self, total: int, unit: str, n_tokens: int = 0) -> None:
        """Says nothing."""

    def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
        """Says nothing."""

    def finish(self) -> None:
        """Says nothing."""


class OnlySays(SilentProgress):
    """Passes on what is said, and nothing else: for work within other work."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def say(self, message: str) -> None:
        self.progress.say(message)


class Stopwatch:
    """Wall time by stage, in seconds; also tells the progress which stage has begun."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, said: str) -> Iterator[None]:
        """Time one stage; ``said`` is its name for people."""
        self.progress.stage(said)
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
