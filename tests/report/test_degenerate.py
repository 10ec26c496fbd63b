"""report, page and pictures of runs whose figures lie at an edge: all are made, none says None."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from rich.console import Console

from headtune.report import Report, render_report
from headtune.report.baselines import baseline_figures, measure_baselines
from headtune.report.curves import draw_curves
from headtune.report.evidence import Measured, collect_evidence
from headtune.report.page import report_page
from headtune.report.reliability import draw_reliability
from headtune.tasks import SINGLE_LABEL
from headtune.tasks.decision import DecisionRule
from headtune.tasks.metrics import classification_metrics
from headtune.tasks.settle import Settled
from headtune.types import Example, LabelSet, PreparedData, known_label

MakeReport = Callable[..., Report]
Probabilities = npt.NDArray[np.float64]

LABELS = LabelSet(("ham", "spam"))
NO_FIGURE = re.compile(r"\b(nan|None|inf|infinity)\b")

SURE, CERTAIN = 0.9, 1.0
LOGGED = {"step": 10, "epoch": 1.0, "loss": 0.5}
EVALUATED = {"step": 10, "epoch": 1.0, "validation_loss": 0.0, "validation_accuracy": 1.0}


def rows(*label_ids: int) -> tuple[Example, ...]:
    return tuple(Example(f"word {n} here", label, n) for n, label in enumerate(label_ids, 1))


def targets_of(part: tuple[Example, ...]) -> npt.NDArray[np.int64]:
    ids: npt.NDArray[np.int64] = SINGLE_LABEL.targets(map(known_label, part))
    return ids


def said(part: tuple[Example, ...], sure: float, *, right: bool = True) -> Probabilities:
    """Every answer right, or every one wrong."""
    ids = targets_of(part)
    answers: Probabilities = (2 * sure - 1) * np.eye(2)[ids if right else 1 - ids] + (1 - sure)
    return answers


def run_of(
    make_report: MakeReport,
    *,
    rule: DecisionRule | None = None,
    sure: float = SURE,
    right: bool = True,
    history: tuple[dict[str, Any], ...] = (LOGGED, EVALUATED),
    **held_back: tuple[Example, ...],
) -> Report:
    """The report of a run that held back these rows, made as a run makes it."""
    parts: dict[str, tuple[Example, ...]] = {"validation": (), "test": (), **held_back}
    data = PreparedData(LABELS, rows(0, 1, 0, 1, 0, 0), parts["validation"], parts["test"])
    answers = {name: said(part, sure, right=right) for name, part in parts.items() if part}
    figures = {
        name: classification_metrics(p, targets_of(parts[name]), LABELS)
        for name, p in answers.items()
    }
    measured = Measured(
        data=data,
        before=answers,
        uncalibrated=answers,
        after=answers,
        settled=Settled(rule=rule or DecisionRule()),
        lengths={name: [3] * len(part) for name, part in parts.items()},
        seed=0,
    )
    baselines = measure_baselines(data, seed=0)
    return make_report(
        before=figures,
        after=figures,
        baselines=baseline_figures(baselines, data),
        history=history,
        data={},
        evidence=collect_evidence(measured, baselines),
    )


RUNS: dict[str, dict[str, Any]] = {
    "no answer is sure enough": {"test": rows(0, 1, 0), "rule": DecisionRule({}, 0.95)},
    "no label reaches its threshold": {
        "test": rows(0, 1, 0),
        "rule": DecisionRule({"ham": 0.95, "spam": 0.95}),
    },
    "a label is absent": {"test": rows(0, 0, 0), "validation": rows(1, 1)},
    "no validation": {"test": rows(0, 1), "history": (LOGGED,)},
    "no test": {"validation": rows(0, 1)},
    "nothing held back": {"history": (LOGGED,)},
    "one text, right": {"test": rows(1)},
    "one text, wrong": {"test": rows(1), "right": False},
    "all right, certainly": {"test": rows(0, 1, 0, 1), "sure": CERTAIN},
    "all wrong, certainly": {"test": rows(0, 1, 0, 1), "sure": CERTAIN, "right": False},
    "nothing logged": {"test": rows(0, 1), "history": ()},
    "the loss was no number": {
        "test": rows(0, 1),
        "history": ({"step": 1, "loss": float("nan")}, {"step": 1, "validation_loss": np.inf}),
    },
    "no validation accuracy": {
        "test": rows(0, 1),
        "history": ({"step": 1, "validation_loss": 0.0, "validation_accuracy": float("nan")},),
    },
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", RUNS)
def test_everything_is_made(make_report: MakeReport, tmp_path: Path, name: str) -> None:
    report = run_of(make_report, **RUNS[name])
    page = report_page(report.to_dict(), "runs/messages", {"headtune": "0.1.0"})
    shown = re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert NO_FIGURE.findall(shown) == []
    draw_curves(list(report.history), tmp_path / "curves.png", kept_step=10)
    if report.calibration:
        draw_reliability(report.calibration, tmp_path / "reliability.png")
    console = Console(width=80, record=True, quiet=True)
    render_report(report, console)
    assert NO_FIGURE.findall(console.export_text()) == []
