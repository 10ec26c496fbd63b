"""A picture of a sweep: what each trial reached by its settings, and how it got there.

On the left every trial's best validation figure over its learning rate (or its number, where one
learning rate was given), a colour and a mark for each depth, hollow where it was stopped. On the
right the validation figure over the epochs. The winner has a ring, and a thick line.
"""

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from headtune.files.whole_file import write_whole
from headtune.report.history import validation_figures
from headtune.sweep.trial import TrialRecord
from headtune.wording.visible import visible

__all__ = ["draw_sweep"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, which stay apart for colour-blind eyes."""

MARKS = ("o", "s", "^", "D", "v", "P")
GREY = "#5F6368"


def draw_sweep(
    trials: Sequence[TrialRecord],
    winner: TrialRecord,
    metric: str,
    path: Path,
    *,
    title: str = "",
) -> None:
    """Writes the picture as PNG."""
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)  # inches
    figure = Figure(figsize=(10.0, 4.4), dpi=150, layout=layout)
    canvas = FigureCanvasAgg(figure)
    by_setting, by_epoch = figure.subplots(1, 2)
    if title:
        text = textwrap.fill(f"{visible(title)}: {len(trials):,} trials", 90)
        figure.suptitle(text, fontsize=12, fontweight="bold", x=0.01, ha="left", parse_math=False)
    measured = [trial for trial in trials if trial.metrics is not None]
    _draw_settings(by_setting, measured, winner, metric)
    _draw_courses(by_epoch, measured, winner, metric)
    for panel in (by_setting, by_epoch):
        _dress(panel)
    png = io.BytesIO()
    canvas.print_png(png, metadata={"Software": None})  # type: ignore[no-untyped-call]
    write_whole(path, png.getvalue())


def _draw_settings(
    panel: Axes, trials: Sequence[TrialRecord], winner: TrialRecord, metric: str
) -> None:
    name = metric.replace("_", " ")
    panel.set_title(f"Best validation {name} of each trial", loc="left", fontsize=11)
    has_rates = "learning_rate" in winner.settings
    for tune, (colour, mark) in _styles(trials).items():
        for trial in (trial for trial in trials if trial.settings["tune"] == tune):
            x = trial.settings["learning_rate"] if has_rates else trial.number
            panel.plot(
                x, _value(trial, metric), mark, color=colour, markersize=7,
                fillstyle="full" if trial.counts else "none",
            )  # fmt: skip
        panel.plot([], [], mark, color=colour, label=tune)
    x = winner.settings["learning_rate"] if has_rates else winner.number
    panel.plot(x, _value(winner, metric), "o", markersize=15, color="black", fillstyle="none")
    if any(not trial.counts for trial in trials):
        panel.plot([], [], "o", color=GREY, fillstyle="none", label="stopped early")
    panel.plot([], [], "o", markersize=11, color="black", fillstyle="none", label="best")
    if has_rates:
        panel.set_xscale("log")
    panel.set_xlabel("learning rate" if has_rates else "trial", fontsize=10, color=GREY)
    panel.legend(fontsize=9, frameon=False)


def _draw_courses(
    panel: Axes, trials: Sequence[TrialRecord], winner: TrialRecord, metric: str
) -> None:
    panel.set_title(f"Validation {metric.replace('_', ' ')}", loc="left", fontsize=11)
    styles = _styles(trials)
    for trial in [*(t for t in trials if t is not winner), winner]:
        course = validation_figures(trial.history, metric)
        colour, mark = styles[trial.settings["tune"]]
        panel.plot(
            [row["epoch"] for row, _ in course],
            [figure for _, figure in course],
            color=colour,
            marker=mark,
            markersize=5 if trial is winner else 3,
            linewidth=2.5 if trial is winner else 0.9,
            alpha=1.0 if trial is winner else 0.5,
        )
    panel.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    panel.set_xlabel("epoch (thick: the best trial)", fontsize=10, color=GREY)


def _styles(trials: Sequence[TrialRecord]) -> dict[str, tuple[str, str]]:
    """Colour and mark of each depth, the same in both panels."""
    tunes = sorted({str(trial.settings["tune"]) for trial in trials})
    return {
        tune: (COLOURS[place % len(COLOURS)], MARKS[place % len(MARKS)])
        for place, tune in enumerate(tunes)
    }


def _value(trial: TrialRecord, metric: str) -> Any:
    return (trial.metrics or {})[metric]


def _dress(panel: Axes) -> None:
    panel.tick_params(labelsize=9, color=GREY, labelcolor=GREY)
    panel.grid(axis="y", color="#E0E0E0", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color("#B0B0B0")
