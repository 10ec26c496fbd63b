"""A picture of how training went: loss on the left, validation accuracy on the right.

The loss of every logged step is a thin line, with its moving average over it; each evaluation is a
point. The evaluation whose weights were kept has a ring. Lines are named where they end, in
colours that stay apart for colour-blind eyes (Okabe and Ito's).

``draw_losses`` and ``draw_accuracies`` draw one panel each, for this picture and for report.html.

Guarantees: draws on a figure of its own, so matplotlib's global state and backend stay as they
are; the same history gives the same bytes; the file appears in one piece; a history of no or one
row is drawn too.
Costs: the import of matplotlib, which is why nothing else here imports this module.
"""

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, PercentFormatter

from headtune.files.whole_file import write_whole
from headtune.report.history import HistoryColumn, evaluations, logged_steps
from headtune.types import HistoryRow
from headtune.wording.numbers import percent
from headtune.wording.visible import visible

__all__ = ["draw_accuracies", "draw_curves", "draw_losses"]

Rows = Sequence[HistoryRow]

WIDTH_INCHES, HEIGHT_INCHES, DPI = 10.0, 4.2, 150

TITLE_CHARACTERS = 90  # in a line

TICK_STEPS = [1, 2, 5, 10]

BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#5F6368"
GRID, FRAME = "#E0E0E0", "#B0B0B0"

SMOOTHED_SHARE = 10
"""The moving average remembers about one in so many of the logged steps, at least 1."""

LEAST_GAP = 0.07
"""Between the names of two lines that end close together, as a share of the panel's height."""


def draw_curves(
    history: Rows, path: Path, *, title: str = "", kept_step: int | None = None
) -> None:
    """Writes the picture of a history as PNG.

    ``title`` names data and model; ``kept_step`` is the step of the evaluation whose weights were
    kept, None when none was chosen.
    """
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)  # inches
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), dpi=DPI, layout=layout)
    canvas = FigureCanvasAgg(figure)
    loss_panel, accuracy_panel = figure.subplots(1, 2)
    if title:
        lines = textwrap.fill(visible(title), TITLE_CHARACTERS)
        figure.suptitle(lines, fontsize=12, fontweight="bold", x=0.01, ha="left", parse_math=False)
    draw_losses(loss_panel, history, kept_step)
    draw_accuracies(accuracy_panel, history, kept_step)
    png = io.BytesIO()
    canvas.print_png(png, metadata={"Software": None})  # type: ignore[no-untyped-call]
    write_whole(path, png.getvalue())


def draw_losses(panel: Axes, history: Rows, kept_step: int | None) -> None:
    """Training loss of each logged step, its moving average, and validation loss."""
    steps, evaluated = logged_steps(history), evaluations(history)
    _dress(panel, [*steps, *evaluated])
    panel.set_title("Loss (thin: each logged step)" if steps else "Loss", loc="left", fontsize=11)
    ends = []  # (name, color, height) of each line
    if steps:
        x, y = _column(steps, "step"), _column(steps, "loss")
        smoothed = smooth(y, max(1, round(len(y) / SMOOTHED_SHARE)))
        panel.plot(x, y, color=BLUE, linewidth=0.8, alpha=0.35)
        marker = "o" if len(steps) == 1 else None
        panel.plot(x, smoothed, color=BLUE, linewidth=2, marker=marker, clip_on=False)
        ends.append((f"training {smoothed[-1]:.3f}", BLUE, float(smoothed[-1])))
    if evaluated:
        losses = _draw_evaluations(panel, evaluated, "validation_loss", VERMILION, kept_step)
        ends.append((f"validation {losses[-1]:.3f}", VERMILION, float(losses[-1])))
    if not ends:
        _say_empty(panel, "No step was logged.")
        return
    highest = max(_column(steps, "loss") + _column(evaluated, "validation_loss"))
    panel.set_ylim(0, 1.08 * highest or 1)
    panel.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=TICK_STEPS))
    _name_lines(panel, ends, _last_step([*steps, *evaluated]))


def draw_accuracies(panel: Axes, history: Rows, kept_step: int | None) -> None:
    """Validation accuracy of each evaluation."""
    evaluated = evaluations(history)
    _dress(panel, [*logged_steps(history), *evaluated])
    panel.set_title("Validation accuracy", loc="left", fontsize=11)
    measured = [row for row in evaluated if row.get("validation_accuracy") is not None]
    if not measured:
        _say_empty(panel, "No validation part was scored.")
        return
    shares = _draw_evaluations(panel, measured, "validation_accuracy", GREEN, kept_step)
    _fit_shares(panel, shares)
    kept_last = "\nweights kept" if measured[-1]["step"] == kept_step else ""
    _name_lines(panel, [(percent(shares[-1]) + kept_last, GREEN, shares[-1])], _last_step(measured))
    first = measured[0]
    if first["step"] == 0 and len(measured) > 1:
        _note(panel, first, f"before tuning {percent(shares[0])}", (8, -4))
    for row in measured[:-1]:
        if row["step"] == kept_step:
            remark = f"weights kept, {percent(row['validation_accuracy'])}"
            _note(panel, row, remark, (-8, 10))


def _draw_evaluations(
    panel: Axes, evaluated: Rows, key: HistoryColumn, color: str, kept_step: int | None
) -> list[float]:
    """Points and a line, a ring around the kept one; the heights of the points."""
    x, y = _column(evaluated, "step"), _column(evaluated, key)
    panel.plot(x, y, color=color, linewidth=1.5, marker="o", markersize=5, clip_on=False, zorder=3)
    for step, height in zip(x, y, strict=True):
        if step == kept_step:
            panel.plot(
                step, height, "o", markersize=12, color=color, fillstyle="none", clip_on=False
            )
    return y


def _fit_shares(panel: Axes, shares: Sequence[float]) -> None:
    """Room above and below the points; ticks of whole percents, none beyond 100."""
    room = max(0.03, 0.15 * (max(shares) - min(shares)))
    panel.set_ylim(max(0.0, min(shares) - room), max(shares) + room)
    low, high = panel.get_ylim()
    ticks = MaxNLocator(nbins=6, steps=TICK_STEPS).tick_values(low, high)
    panel.set_yticks([tick for tick in ticks if low <= tick <= min(high, 1)])
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def _name_lines(panel: Axes, ends: list[tuple[str, str, float]], x: float) -> None:
    """Each line's name to the right of its end, in its colour, never over another name."""
    low, high = panel.get_ylim()
    least = LEAST_GAP * (high - low)
    height = float("-inf")
    for name, color, end in sorted(ends, key=lambda end: end[2]):
        height = max(end, height + least)
        panel.annotate(
            name,
            (x, height),
            xytext=(10, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontsize=10,
            fontweight="bold",
            annotation_clip=False,
        )


def _note(panel: Axes, row: HistoryRow, text: str, offset: tuple[int, int]) -> None:
    """A remark beside an evaluation of the accuracy panel."""
    panel.annotate(
        text,
        (row["step"], row["validation_accuracy"]),
        xytext=offset,
        textcoords="offset points",
        ha="left",
        va="bottom" if offset[1] > 0 else "top",
        color=GREY,
        fontsize=9,
        annotation_clip=False,
    )


def _dress(panel: Axes, rows: Rows) -> None:
    """What both panels share: steps below, light horizontal lines, no box."""
    epochs = max((row.get("epoch") or 0 for row in rows), default=0)
    covered = f" ({round(epochs, 2):,g} epoch{'' if epochs == 1 else 's'})" if epochs else ""
    panel.set_xlabel(f"optimizer step{covered}", fontsize=10, color=GREY)
    panel.set_xlim(0, max(1, _last_step(rows)))
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=TICK_STEPS, integer=True))
    panel.tick_params(labelsize=9, color=GREY, labelcolor=GREY)
    panel.grid(axis="y", color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(FRAME)


def _say_empty(panel: Axes, text: str) -> None:
    panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", color=GREY, fontsize=10)
    panel.set_axis_off()


def _column(rows: Rows, key: HistoryColumn) -> list[float]:
    return [float(row[key]) for row in rows]


def _last_step(rows: Rows) -> float:
    return max((float(row["step"]) for row in rows), default=0.0)


def smooth(values: Sequence[float], span: int) -> npt.NDArray[np.float64]:
    """Exponential moving average over about ``span`` values, unbiased from the first one on.

    Shape: ``(n,)`` in and out.
    """
    keep = 1 - 2 / (span + 1)
    total, weight = 0.0, 0.0
    smoothed = np.empty(len(values))
    for index, value in enumerate(values):
        total = keep * total + value
        weight = keep * weight + 1
        smoothed[index] = total / weight
    return smoothed
