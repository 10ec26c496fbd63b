"""How far the probabilities of a classifier can be trusted, and what abstaining would buy.

calibration   temperature, fitted_on, n (rows it was fitted on), measured_on, and ``before`` and
              ``after`` the temperature: ece and bins, as ``calibration.reliability`` gives them
abstain       below, coverage, accuracy: of the answers as they are given; and a curve of the
              same figures at several levels
thresholds    label -> the probability from which it is the answer
sets          of labels: fitted_on, rows, part, and figures as the task has them; empty where no
              coverage was asked for
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from headtune.report.entries import Abstention, Calibration, Level, Sets
from headtune.tasks import SINGLE_LABEL, Task
from headtune.tasks.decision import DecisionRule
from headtune.tasks.settle import Settled
from headtune.types import LabelSet

__all__ = ["abstention", "calibration_of", "sets_of"]

Probabilities = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

LEVELS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)


def calibration_of(
    uncalibrated: Probabilities,
    calibrated: Probabilities,
    label_ids: Ids,
    settled: Settled,
    part: str,
    task: Task = SINGLE_LABEL,
) -> Calibration:
    """Calibration on one part, before and after the temperature."""
    return {
        "temperature": settled.temperature,
        "fitted_on": "validation" if settled.n_rows else None,
        "n": settled.n_rows,
        "measured_on": part,
        "before": task.reliability(uncalibrated, label_ids),
        "after": task.reliability(calibrated, label_ids),
    }


def abstention(
    probabilities: Probabilities,
    label_ids: Ids,
    labels: LabelSet,
    rule: DecisionRule,
    task: Task = SINGLE_LABEL,
) -> Abstention:
    """Coverage and accuracy of the answers, and what they would be at other levels."""

    def at(below: float | None) -> Level:
        other = replace(rule, abstain_below=below)
        found = task.answer_metrics(other, probabilities, label_ids, labels)
        return {"below": below, "coverage": found["coverage"], "accuracy": found["accuracy"]}

    return {**at(rule.abstain_below), "curve": [at(level) for level in LEVELS]}


def sets_of(
    probabilities: Probabilities,
    label_ids: Ids,
    labels: LabelSet,
    chances: Probabilities | None,
    settled: Settled,
    part: str,
    task: Task = SINGLE_LABEL,
) -> Sets:
    """How often the sets of a part hold the truth, how large they are; ``chances``: ``(n,)``."""
    if settled.sets is None or chances is None:
        return {}
    found = task.sets(settled.sets, probabilities, chances)
    return {
        "fitted_on": "validation",
        "rows": settled.n_set_rows,
        "part": part,
        "figures": task.set_figures(settled.sets, found, label_ids, labels),
    }
