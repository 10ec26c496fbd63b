"""What a report says first, on its page and in a notebook: sentence, warnings, figures of the part
that speaks (the test part; without one, the validation part), and how training went.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypedDict

from markupsafe import Markup

from headtune.report.curves import draw_accuracies, draw_losses
from headtune.report.entries import ReportValues
from headtune.report.facts import MOST_LABELS
from headtune.report.history import evaluations, logged_steps
from headtune.report.leaks import leak_sentence
from headtune.report.page.pictures import picture
from headtune.report.sentence import BASELINE_NAMES, standing
from headtune.tasks.figures import HELD_BACK, HeldBack, LabelFigures, Metrics
from headtune.tasks.metrics import accuracy_interval, count_correct
from headtune.wording.numbers import percent

__all__ = ["Headline", "Measured", "curve_pictures", "headline"]

OPTIONAL: ReportValues = {
    "abstain": {},
    "calibration": {},
    "comparison": [],
    "lengths": [],
    "mistakes": [],
    "sentence": "",
    "sets": {},
    "suspect_labels": [],
    "thresholds": {},
}
"""Keys that a report may lack; the page then has no such section."""


class Measured(NamedTuple):
    """One classifier on the part that speaks; ``ours`` is the tuned one."""

    name: str
    metrics: Metrics
    interval: tuple[float, float]
    ours: bool


class NamedLabel(LabelFigures):
    """The figures of one label, with its name."""

    name: str


class Headline(TypedDict):
    """Values of the templates; ``report`` has every key that it may lack, and ``part`` is None
    where nothing was held back."""

    report: ReportValues
    sentence: str
    leaked: str
    warnings: list[str]
    part: HeldBack | None
    after: Metrics | None
    measured: list[Measured]
    labels: list[NamedLabel]
    most_labels: int


def headline(report: ReportValues) -> Headline:
    """Of what ``Report.to_dict`` gives, or what ``report.json`` holds."""
    report = {**OPTIONAL, **report}
    part = next((part for part in reversed(HELD_BACK) if report["after"][part]), None)
    after = report["after"][part] if part else None
    leaked = leak_sentence(report["data"])
    return {
        "report": report,
        "sentence": report["sentence"]
        or standing(report["after"], report["baselines"], report["comparison"]),
        "leaked": leaked,
        "warnings": [warning for warning in report["warnings"] if warning != leaked],
        "part": part,
        "after": after,
        "measured": list(_measured(report, part)) if part else [],
        "labels": _labels(report["labels"], after),
        "most_labels": MOST_LABELS,
    }


def curve_pictures(report: ReportValues, prefix: str = "") -> Iterator[tuple[str, Markup]]:
    """Names and SVG of the curves there are; ``prefix`` begins the ids in them."""
    history = report["history"]
    validated = report["after"]["validation"] is not None
    kept = report["model"].get("best_step") if validated else None
    steps, evaluated = logged_steps(history), evaluations(history)
    if steps or evaluated:
        draw = partial(draw_losses, history=history, kept_step=kept)
        losses = [row["loss"] for row in steps]
        said = f"Training loss from {losses[0]:.3f} to {losses[-1]:.3f}." if losses else "Loss."
        yield "loss", picture(f"{prefix}loss", said, draw)
    if evaluated:
        draw = partial(draw_accuracies, history=history, kept_step=kept)
        shares = [row.get("validation_accuracy") for row in evaluated]
        said = ", ".join(percent(share) for share in shares if share is not None)
        yield "accuracy", picture(f"{prefix}accuracy", f"Validation accuracy: {said}.", draw)


def _measured(report: ReportValues, part: HeldBack) -> Iterator[Measured]:
    """What was measured on a part: before, the baselines, and after tuning last."""
    after = report["after"][part]
    sources = {"Before tuning": report["before"][part]}
    for name, figures in report["baselines"].items():
        sources[_capital(BASELINE_NAMES.get(name, name.replace("_", " ")))] = figures[part]
    sources["After tuning"] = after
    for name, metrics in sources.items():
        if metrics:
            bounds = accuracy_interval(count_correct(metrics), metrics["n"])
            yield Measured(name, metrics, bounds, ours=metrics is after)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _labels(names: Sequence[str], after: Metrics | None) -> list[NamedLabel]:
    """Figures of each label: in their order, or of many, the weakest first."""
    if after is None:
        return []
    rows: list[NamedLabel] = [{"name": name, **after["per_label"][name]} for name in names]
    return rows if len(rows) <= MOST_LABELS else sorted(rows, key=lambda row: row["f1"])
