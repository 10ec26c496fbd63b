"""``report.html``: a run's report for people, from what ``report.json`` holds.

Every section stands only if the report has what it shows, so a report of an older version, of a
run without a test part, or with parts of it turned off makes a shorter page.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from markupsafe import Markup

from headtune.report.entries import Opponent, ReportValues
from headtune.report.page.asked import command, in_words
from headtune.report.page.charts import (
    Standing,
    draw_certainty,
    draw_coverage,
    draw_lengths,
    draw_standing,
)
from headtune.report.page.confusion import MOST_COLUMNS, Cell, Mistake, frequent_mistakes, matrix
from headtune.report.page.headline import Measured, curve_pictures, headline
from headtune.report.page.pictures import picture
from headtune.report.page.render import render
from headtune.report.sentence import BASELINE_NAMES
from headtune.tasks.figures import Metrics
from headtune.tasks.metrics import accuracy_interval, count_correct
from headtune.wording.commands import ways
from headtune.wording.numbers import percent

__all__ = ["report_page"]

STAGES = {
    "read": "reading and splitting the table",
    "tokenize": "tokens",
    "load": "loading the model",
    "trunk": "running the frozen layers, once",
    "evaluate": "scoring before and after",
    "train": "training",
    "baselines": "baselines",
    "suspects": "looking for doubtful labels",
    "save": "saving, until this report was written",
}
"""Stage of the stopwatch -> its name for people; another one is shown as it is."""


class NamedOpponent(Opponent):
    """An entry of ``comparison`` with its name for people."""

    name: str


class ShownConfusion(NamedTuple):
    """The matrix, None where it has too many labels to be read, and its frequent mistakes."""

    matrix: list[list[Cell]] | None
    mistakes: list[Mistake]
    right: int


class Stage(NamedTuple):
    """A stage of the run; ``share`` is that of the longest."""

    name: str
    seconds: float
    share: float


def report_page(report: ReportValues, run: str, made_with: Mapping[str, str]) -> str:
    """The page.

    Args:
        report: What ``Report.to_dict`` gives, or what ``report.json`` holds.
        run: Where the run folder is, as its user would type it.
        made_with: Library -> version.
    """
    values = headline(report)
    report, part, after = values["report"], values["part"], values["after"]
    more = {
        "run": run.rstrip("/"),
        "name": run.rstrip("/").rpartition("/")[2],
        "date": datetime.fromisoformat(report["created_at"]),
        "copies": leaks["examples"] if (leaks := report["data"].get("leaks")) else (),
        "right": count_correct(after) if after else 0,
        "interval": accuracy_interval(count_correct(after), after["n"]) if after else None,
        "comparison": _comparison(report),
        "confusion": _confusion(report, after),
        "command": command(report["config"]) if "source" in report["config"] else None,
        "asked": in_words(report),
        "stages": _stages(report["speed"]["wall_seconds"]),
        "ways": ways(run.rstrip("/"), report["labels"][0], _template(report)),
        "made_with": made_with,
        "pictures": _pictures(report, values["measured"], part),
    }
    return render("report.html", {**values, **more})


def _template(report: ReportValues) -> str | None:
    """What joined the columns of the table; None for texts given in Python, too."""
    columns = report["data"].get("columns")
    return columns["template"] if columns else None


def _comparison(report: ReportValues) -> list[NamedOpponent]:
    """The paired tests, with names for people."""
    names = {**BASELINE_NAMES, "before": "the model before tuning"}
    return [
        {**entry, "name": names.get(entry["baseline"], entry["baseline"].replace("_", " "))}
        for entry in report["comparison"]
    ]


def _confusion(report: ReportValues, after: Metrics | None) -> ShownConfusion | None:
    """The matrix with its labels, where it can be read, and its most frequent mistakes."""
    if after is None:
        return None
    names, counts = report["labels"], after["confusion"]
    return ShownConfusion(
        matrix=matrix(counts) if len(names) <= MOST_COLUMNS else None,
        mistakes=frequent_mistakes(names, counts),
        right=count_correct(after),
    )


def _stages(seconds: Mapping[str, float]) -> list[Stage]:
    longest = max(seconds.values(), default=0) or 1
    return [
        Stage(STAGES.get(stage, stage.replace("_", " ")), s, s / longest)
        for stage, s in seconds.items()
    ]


def _pictures(
    report: ReportValues, rows: Sequence[Measured], part: str | None
) -> dict[str, Markup]:
    """Name -> SVG of every picture there is something to draw for."""
    return dict(
        [
            *_standing_picture(rows, part),
            *curve_pictures(report),
            *_certainty_pictures(report),
            *_length_picture(report),
        ]
    )


def _standing_picture(rows: Sequence[Measured], part: str | None) -> Iterator[tuple[str, Markup]]:
    if not rows:
        return
    standings = [
        Standing(row.name, row.metrics["accuracy"], *row.interval, row.ours) for row in rows
    ]
    said = "; ".join(f"{s.name} {percent(s.accuracy)}" for s in standings)
    draw = partial(draw_standing, standings=standings)
    height = 0.6 + 0.5 * len(standings)
    yield "standing", picture("standing", f"Accuracy on {part}: {said}.", draw, height=height)


def _certainty_pictures(report: ReportValues) -> Iterator[tuple[str, Markup]]:
    if calibration := report["calibration"]:
        before, after = calibration["before"], calibration["after"]
        fitted = calibration["fitted_on"] is not None
        bins = after["bins"] if fitted else ()
        draw = partial(draw_certainty, before=before["bins"], after=bins)
        said = (
            "How often the model is right against how sure it says it is. Expected calibration "
            f"error {before['ece']:.3f} as trained"
            + (f", {after['ece']:.3f} calibrated." if fitted else ".")
        )
        yield "reliability", picture("reliability", said, draw, height=3.8)
    if (abstain := report["abstain"]) and abstain.get("curve"):
        chosen = abstain if abstain.get("below") else None
        draw = partial(draw_coverage, curve=abstain["curve"], chosen=chosen)
        said = "Accuracy on the texts that are answered, by the share of texts that are."
        yield "coverage", picture("coverage", said, draw, height=3.8)


def _length_picture(report: ReportValues) -> Iterator[tuple[str, Markup]]:
    if lengths := report["lengths"]:
        said = "; ".join(
            f"{row['low']} to {row['high']} tokens {row['errors']} of {row['n']}"
            for row in lengths
            if row["n"]
        )
        draw = partial(draw_lengths, lengths=lengths)
        yield "lengths", picture("lengths", f"Mistakes by length: {said}.", draw, height=2.8)
