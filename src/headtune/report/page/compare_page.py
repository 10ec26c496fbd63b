"""``headtune compare --html``: several runs side by side, for people."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from headtune.report.page.charts import Standing, draw_standing
from headtune.report.page.pictures import picture
from headtune.report.page.render import render
from headtune.tasks import SINGLE_LABEL
from headtune.wording.numbers import percent

__all__ = ["comparison_page"]


def comparison_page(comparison: Mapping[str, Any]) -> str:
    """The page, of what ``headtune compare --json`` prints."""
    figure = SINGLE_LABEL.headline[0]
    best = min((run[figure.key] for run in comparison["runs"]), key=figure.rank)
    standings = [
        Standing(run["name"], run[figure.key], low, high, run[figure.key] == best)
        for run in comparison["runs"]
        for low, high in [run["interval"]]
    ]
    said = "; ".join(f"{s.name} {percent(s.accuracy)}" for s in standings)
    draw = partial(draw_standing, standings=standings)
    drawn = picture("standing", f"Accuracy: {said}.", draw, height=0.6 + 0.5 * len(standings))
    values = {
        "comparison": comparison,
        "best": best,
        "names": list(comparison["costs"]),
        "standing": drawn,
    }
    return render("compare.html", values)
