"""A picture of calibration: how often the classifier is right against how sure it is.

Two panels, before and after the temperature. A bar stands for the rows whose predicted label had
such a probability; its height is the share that was right, the dot on it the mean probability. On
the diagonal, "90 % sure" is right nine times out of ten. Below it a classifier is too sure. Below
the panels, thin bars count the rows, since a bar of three rows proves nothing.

Guarantees and costs as ``curves.py``: the same figures give the same bytes, in one piece.
"""

import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, PercentFormatter

from headtune.files.whole_file import write_whole
from headtune.report.entries import Calibration
from headtune.tasks.figures import Reliability

__all__ = ["draw_reliability"]

WIDTH_INCHES, HEIGHT_INCHES, DPI = 10.0, 5.2, 150
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#5F6368"


def draw_reliability(calibration: Calibration, path: Path) -> None:
    """Writes the picture of ``report.json``'s ``calibration`` as PNG."""
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.05)  # inches
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), dpi=DPI, layout=layout)
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(2, 2, height_ratios=(4, 1), sharex=True)
    titles = ("Before calibration", f"After, temperature {calibration['temperature']:.2f}")
    both = (calibration["before"], calibration["after"])
    for column, (measured, title) in enumerate(zip(both, titles, strict=True)):
        _draw_bins(panels[0, column], measured, title)
        _draw_counts(panels[1, column], measured, str(calibration["measured_on"]))
    panels[0, 0].set_ylabel("share that is right", fontsize=10, color=GREY)
    png = io.BytesIO()
    canvas.print_png(png, metadata={"Software": None})  # type: ignore[no-untyped-call]
    write_whole(path, png.getvalue())


def _draw_bins(panel: Axes, measured: Reliability, title: str) -> None:
    bins = measured["bins"]
    panel.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", zorder=3)
    panel.bar(
        [row["low"] for row in bins],
        [row["accuracy"] for row in bins],
        width=[row["high"] - row["low"] for row in bins],
        align="edge",
        color=BLUE,
        edgecolor="white",
    )
    panel.plot(
        [row["confidence"] for row in bins],
        [row["accuracy"] for row in bins],
        "o",
        color=VERMILION,
        zorder=4,
        clip_on=False,
    )
    panel.set_title(
        f"{title}\nexpected calibration error {100 * measured['ece']:.1f} %",
        loc="left",
        fontsize=11,
    )
    panel.set_xlim(0, 1)
    panel.set_ylim(0, 1)
    _dress(panel)
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def _draw_counts(panel: Axes, measured: Reliability, part: str) -> None:
    bins = measured["bins"]
    panel.bar(
        [row["low"] for row in bins],
        [row["n"] for row in bins],
        width=[row["high"] - row["low"] for row in bins],
        align="edge",
        color=GREY,
        edgecolor="white",
    )
    panel.set_xlabel("probability of the predicted label", fontsize=10, color=GREY)
    panel.set_ylabel(f"{part} texts", fontsize=9, color=GREY)
    _dress(panel)
    panel.yaxis.set_major_locator(MaxNLocator(nbins=2, integer=True))
    panel.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def _dress(panel: Axes) -> None:
    panel.tick_params(labelsize=9, color=GREY, labelcolor=GREY)
    panel.grid(axis="y", color="#E0E0E0", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color("#B0B0B0")
