"""The pictures of the pages but for the curves: each function draws one on a panel of matplotlib.

    draw_standing      accuracies with their intervals, one line each
    draw_certainty     how often it is right against how sure it says it is
    draw_coverage      what answering only when sure does
    draw_lengths       share of mistakes by length

Colours are those of report/curves.py: blue for the tuned model, grey for everything else.
"""

from collections.abc import Sequence
from math import ceil, floor, sqrt
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from headtune.report.curves import BLUE, FRAME, GREY, GRID, VERMILION
from headtune.report.entries import LengthRange, Level
from headtune.tasks.figures import Bin
from headtune.wording.numbers import percent
from headtune.wording.visible import visible

__all__ = [
    "Standing",
    "draw_certainty",
    "draw_coverage",
    "draw_lengths",
    "draw_standing",
]

TICK_STEPS = [1, 2, 2.5, 5, 10]


class Standing(NamedTuple):
    """One line of ``draw_standing``: shares from 0 to 1; ``ours`` is the model of the run."""

    name: str
    accuracy: float
    low: float
    high: float
    ours: bool


def draw_standing(panel: Axes, standings: Sequence[Standing]) -> None:
    """Accuracy as a point, its 95 % interval as a bar, the name above; the first is on top."""
    left = floor(10 * max(0.0, min(s.low for s in standings) - 0.03)) / 10
    for height, standing in enumerate(reversed(standings)):
        color = BLUE if standing.ours else GREY
        weight = "bold" if standing.ours else "normal"
        bounds = (standing.low, standing.high)
        panel.plot(bounds, (height, height), color=color, linewidth=5, alpha=0.35)
        panel.plot(standing.accuracy, height, "o", color=color, markersize=8, clip_on=False)
        name, share = visible(standing.name), percent(standing.accuracy)
        for x, said, aligned in ((left, name, "left"), (1.01, share, "right")):
            panel.text(
                x, height + 0.2, said, parse_math=False,
                ha=aligned, va="bottom", color=color, fontsize=11, fontweight=weight,
            )  # fmt: skip
    panel.set_ylim(-0.5, len(standings) - 0.25)
    panel.set_xlim(left, 1.01)
    panel.set_yticks([])
    panel.spines["left"].set_visible(False)
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=TICK_STEPS))
    _shares(panel, "x")
    _dress(panel, "accuracy; bars: 95 % intervals", grid="x")


def draw_certainty(panel: Axes, before: Sequence[Bin], after: Sequence[Bin]) -> None:
    """Bins of ``calibration``, before and after; on the dashed line it is as good as it says.

    Nothing is drawn of an ``after`` without bins, as where no temperature was fitted.
    """
    panel.plot((0, 1), (0, 1), color=FRAME, linewidth=1, linestyle=(0, (4, 3)))
    most = max((bin_["n"] for bin_ in [*before, *after]), default=1)
    for bins, color, name in ((before, GREY, "as trained"), (after, BLUE, "calibrated")):
        filled = [bin_ for bin_ in bins if bin_["n"]]
        if not filled:
            continue
        x = [bin_["confidence"] for bin_ in filled]
        y = [bin_["accuracy"] for bin_ in filled]
        sizes = [20 + 160 * sqrt(bin_["n"] / most) for bin_ in filled]
        ours = color == BLUE
        panel.plot(x, y, color=color, linewidth=1.2, alpha=0.7)
        panel.scatter(
            x,
            y,
            s=sizes,
            color=color if ours else "none",
            edgecolors=color,
            alpha=0.8,
            label=name,
            clip_on=False,
            zorder=3,
        )
    shares = [s for b in [*before, *after] if b["n"] for s in (b["confidence"], b["accuracy"])]
    lowest = min(shares, default=0)
    left = floor(10 * max(0.0, lowest - 0.02)) / 10
    panel.set_xlim(left, 1)
    panel.set_ylim(left, 1)
    for axis in ("x", "y"):
        _shares(panel, axis)
    legend = panel.legend(loc="upper left", frameon=False, fontsize=10, labelcolor="linecolor")
    for handle in legend.legend_handles:
        handle.set_sizes([60])  # type: ignore[union-attr]
    panel.set_title("How often it is right", loc="left", fontsize=11)
    _dress(panel, "how sure it says it is", grid="both")


def draw_coverage(panel: Axes, curve: Sequence[Level], chosen: Level | None) -> None:
    """Accuracy on the texts that are answered against their share; ``chosen`` has a ring.

    A level that answers no text has no accuracy, and no place.
    """
    ranked = sorted(curve, key=lambda row: float(row["coverage"]))
    points = [(r["coverage"], r["accuracy"]) for r in ranked if r["accuracy"] is not None]
    x = [coverage for coverage, _ in points]
    y = [accuracy for _, accuracy in points]
    panel.plot(x, y, color=BLUE, linewidth=1.5, marker="o", markersize=4, clip_on=False)
    if chosen is not None and chosen["accuracy"] is not None:
        panel.plot(
            chosen["coverage"],
            chosen["accuracy"],
            "o",
            markersize=13,
            color=VERMILION,
            fillstyle="none",
            clip_on=False,
        )
    low = min(y, default=0.0)
    panel.set_ylim(max(0.0, low - max(0.01, 0.1 * (1 - low))), 1.0)
    panel.set_xlim(min(0.9, floor(10 * min(x, default=0.0)) / 10), 1)
    for axis in ("x", "y"):
        _shares(panel, axis)
    panel.set_title("Right among those answered", loc="left", fontsize=11)
    _dress(panel, "texts that are answered", grid="y")


def draw_lengths(panel: Axes, lengths: Sequence[LengthRange]) -> None:
    """Share of mistakes in each bin of lengths; the number of texts stands above the bar."""
    filled = [row for row in lengths if row["n"]]
    shares = [row["errors"] / row["n"] for row in filled]
    places = range(len(filled))
    panel.bar(places, shares, color=BLUE, width=0.7, alpha=0.8)
    top = max([*shares, 0.01])
    for place, row, share in zip(places, filled, shares, strict=True):
        panel.text(place, share + 0.02 * top, f"{row['n']:,}", ha="center", color=GREY, fontsize=9)
    panel.set_ylim(0, min(1.0, 1.15 * top) if top < 0.9 else 1.1)
    panel.set_xticks(list(places), [_range(row) for row in filled])
    _shares(panel, "y")
    panel.set_title("Share of mistakes (above: texts)", loc="left", fontsize=11)
    _dress(panel, "tokens in the text", grid="y")


def _range(row: LengthRange) -> str:
    low, high = ceil(row["low"]), floor(row["high"])
    return f"{low:,}" if low >= high else f"{low:,}–{high:,}"


def _shares(panel: Axes, axis: str) -> None:
    """Whole percents along an axis."""
    of = panel.xaxis if axis == "x" else panel.yaxis
    low, high = panel.get_xlim() if axis == "x" else panel.get_ylim()
    ticks = MaxNLocator(nbins=6, steps=TICK_STEPS).tick_values(low, min(high, 1.0))
    of.set_ticks([tick for tick in ticks if low - 1e-9 <= tick <= min(high, 1.0) + 1e-9])
    digits = 0 if high - low > 0.06 else 1
    of.set_major_formatter(PercentFormatter(1, decimals=digits, symbol=" %"))


def _dress(panel: Axes, below: str, *, grid: str) -> None:
    """Quiet axes: no box, light lines, grey letters."""
    panel.set_xlabel(below, fontsize=10, color=GREY)
    panel.tick_params(labelsize=9, color=GREY, labelcolor=GREY)
    panel.grid(axis=grid, color=GRID, linewidth=0.8)  # type: ignore[arg-type]
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(FRAME)
