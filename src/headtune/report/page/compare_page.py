"""``headtune compare --html``: several runs side by side, for people."""

from functools import partial

from headtune.report.entries import ComparedRuns
from headtune.report.page.charts import Standing, draw_standing
from headtune.report.page.pictures import picture
from headtune.report.page.render import render
from headtune.tasks import SINGLE_LABEL
from headtune.wording.numbers import percent

__all__ = ["comparison_page"]


def comparison_page(comparison: ComparedRuns) -> str:
    """The page, of what ``headtune compare --json`` prints."""
    figure = SINGLE_LABEL.headline[0]
    best = min((figure.of(run) for run in comparison["runs"]), key=figure.rank)
    standings = [
        Standing(run["name"], figure.of(run), low, high, figure.of(run) == best)
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
