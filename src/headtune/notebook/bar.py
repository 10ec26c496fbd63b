"""Progress below a notebook's cell: one output, drawn anew while the work goes on.

    Training  ▬▬▬▬▬▬▬────  1,944 of 3,600  0:34 left  49 examples/s  1,650 tokens/s  loss 0.31

When all is over it gives way to a still line, which unfolds to what every stage said:

    ▸ Done in 1 min 14 s. Training: 3,600 examples in 1:10: 51 examples/s, loss 0.21

Guarantees: needs no widgets and no scripts, so a saved notebook shows what was seen last; what is
shown is escaped; colours are those of the notebook, light or dark; text stands beside the HTML.
Costs: at most one drawing each ``SECONDS_BETWEEN_DRAWINGS``, besides the first of each stage.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from types import TracebackType
from typing import Self

from headtune.notebook.kernel import CellOutput, Output
from headtune.wording.numbers import duration
from headtune.wording.visible import visible
from headtune.wording.work import Work

__all__ = ["NotebookProgress"]

SECONDS_BETWEEN_DRAWINGS = 0.25

BAR_STYLE = "width: 14em; height: .8em; vertical-align: middle; accent-color: #2f86dc"
QUIET_STYLE = "opacity: .75; font-variant-numeric: tabular-nums"


@dataclass(slots=True)
class _Stage:
    """A stage that has begun, what it said, the summary of what it counted last, and whether that
    had figures beside the count."""

    name: str
    lines: list[str] = field(default_factory=list)
    summary: str = ""
    has_figures: bool = False


class NotebookProgress:
    """The ``Progress`` of a notebook; outside of one it shows nothing.

    As a context manager it ends in a still line, also on an exception. It may be used again.
    """

    def __init__(
        self, output: Output | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._output = output or CellOutput()
        self._clock = clock
        self._forget()

    def _forget(self) -> None:
        self._stages: list[_Stage] = []
        self._work: Work | None = None
        self._began: float | None = None
        self._drawn = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(stopped=kind is not None)

    def stage(self, name: str) -> None:
        """Shows the stage's name at once."""
        self._end_work()
        self._begin(name)
        self._draw()

    def say(self, message: str) -> None:
        """Kept for the end; shown beside the stage until something is counted."""
        if not self._stages:
            self._begin("")
        self._stages[-1].lines.append(message)
        self._draw_if_due()

    def start(self, total: int, unit: str, n_tokens: int = 0) -> None:
        """Shows a bar at once."""
        self._end_work()
        if not self._stages:
            self._begin("")
        self._work = Work(total, unit, self._clock, total_tokens=n_tokens)
        self._draw()

    def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
        """Moves the bar, if it has not just been drawn."""
        if self._work is not None:
            self._work.advance(n_examples, n_tokens, figures)
            self._draw_if_due()

    def finish(self) -> None:
        """The bar gives way to its summary."""
        self._end_work()
        self._draw()

    def close(self, *, stopped: bool = False) -> None:
        """All is over: one still line, and what was said folded below it."""
        self._end_work()
        if self._began is not None:
            took = duration(self._clock() - self._began)
            said = f"Stopped after {took}" if stopped else f"Done in {took}"
            self._output.show(*_still(said, self._stages, stopped=stopped))
        self._forget()

    def _begin(self, name: str) -> None:
        self._began = self._clock() if self._began is None else self._began
        self._stages.append(_Stage(name))

    def _end_work(self) -> None:
        if self._work is not None and self._work.done:
            stage, summary = self._stages[-1], self._work.summary()
            stage.summary, stage.has_figures = summary, bool(self._work.figures)
            stage.lines.append(summary)
        self._work = None

    def _draw_if_due(self) -> None:
        if self._clock() - self._drawn >= SECONDS_BETWEEN_DRAWINGS:
            self._draw()

    def _draw(self) -> None:
        if self._stages:
            self._drawn = self._clock()
            self._output.show(*_moving(self._stages[-1], self._work))


def _moving(stage: _Stage, work: Work | None) -> tuple[str, str]:
    """HTML and text of a stage at work."""
    status = work.status() if work is not None else (stage.lines or [""])[-1]
    bar = "" if work is None else _bar(stage.name, work)
    html = (
        f'<div class="headtune-progress"><b>{_safe(stage.name)}</b> {bar} '
        f'<span style="{QUIET_STYLE}">{_spaced(status)}</span></div>'
    )
    return html, f"{visible(stage.name)}  {visible(status)}".strip()


def _bar(name: str, work: Work) -> str:
    """An unknown total has no value: the browser shows that something moves."""
    value = f' max="1" value="{work.share:.4f}"' if work.total else ""
    return (
        f'<progress aria-label="{_safe(name or "Progress")}"{value} style="{BAR_STYLE}"></progress>'
    )


def _still(said: str, stages: list[_Stage], *, stopped: bool) -> tuple[str, str]:
    """HTML and text of work that is over."""
    line = f"{said}, while: {stages[-1].name}." if stopped and stages[-1].name else f"{said}."
    if counted := _most_telling(stages):
        line += f" {counted.name}: {counted.summary}"
    log = "".join(
        f"<div><b>{_safe(stage.name)}</b></div>"
        + "".join(f'<div style="margin-left: 1.2em">{_safe(text)}</div>' for text in stage.lines)
        for stage in stages
    )
    html = (
        f'<details class="headtune-progress"><summary style="cursor: pointer">{_safe(line)}'
        f'</summary><div style="{QUIET_STYLE}; margin: .3em 0 .3em 1.1em">{log}</div></details>'
    )
    return html, visible(line)


def _most_telling(stages: list[_Stage]) -> _Stage | None:
    """The last stage that had figures, as training has its loss; else the last that counted."""
    counted = [stage for stage in stages if stage.summary]
    return max(reversed(counted), key=lambda stage: stage.has_figures, default=None)


def _safe(text: str) -> str:
    return escape(visible(text))


def _spaced(status: str) -> str:
    """Two spaces part the figures of a status; HTML would make one of them."""
    return _safe(status).replace("  ", " &ensp;")
