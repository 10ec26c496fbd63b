"""Everything a report shows besides the figures of the parts, from what a run kept.

    Measured (data, probabilities, lengths)  ->  comparison, confusion, mistakes, lengths,
                                                 calibration, abstain, sets, thresholds

All of it is of one part: the test part, else the validation part; ``evidence_part`` says which.
Nothing here runs the model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from headtune.report.baselines import Baseline
from headtune.report.comparison import compare_with
from headtune.report.confidence import abstention, calibration_of, sets_of
from headtune.report.entries import Evidence
from headtune.report.mistakes import confusion_of, errors_by_length, surest_mistakes
from headtune.tasks import SINGLE_LABEL, Task
from headtune.tasks.settle import Settled
from headtune.types import PreparedData, known_label

__all__ = ["Measured", "collect_evidence", "evidence_part"]

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run knows about the rows it held back; parts without rows are left out.

    ``before`` and ``after`` are the model's probabilities, part -> ``(n, n_labels)``;
    ``uncalibrated`` those after training, but before the temperature; ``lengths`` the tokens of
    each text, ``chances`` what decides what is left to chance, part -> ``(n,)``.
    """

    data: PreparedData
    before: dict[str, Probabilities]
    uncalibrated: dict[str, Probabilities]
    after: dict[str, Probabilities]
    settled: Settled
    lengths: dict[str, list[int]]
    seed: int
    chances: Mapping[str, Probabilities] = field(default_factory=dict)
    task: Task = SINGLE_LABEL


def evidence_part(after: Mapping[str, Probabilities]) -> str | None:
    """The part that speaks: test, else validation; None where nothing was held back."""
    return next((part for part in ("test", "validation") if part in after), None)


def collect_evidence(measured: Measured, baselines: Mapping[str, Baseline]) -> Evidence:
    """The fields of ``Report`` by name; empty where nothing was held back."""
    part = evidence_part(measured.after)
    if part is None:
        return {}
    examples, labels, task = measured.data.parts[part], measured.data.labels, measured.task
    probabilities = measured.after[part]
    label_ids = task.targets(map(known_label, examples))
    others = {name: baseline.probabilities[part] for name, baseline in baselines.items()}
    if part in measured.before:
        others["before"] = measured.before[part]
    return {
        "comparison": compare_with(probabilities, others, label_ids, part, measured.seed, task),
        "confusion": confusion_of(probabilities, label_ids, labels, part, task),
        "mistakes": surest_mistakes(probabilities, examples, label_ids, labels, task),
        "calibration": calibration_of(
            measured.uncalibrated[part], probabilities, label_ids, measured.settled, part, task
        ),
        "abstain": abstention(probabilities, label_ids, labels, measured.settled.rule, task),
        "sets": sets_of(
            probabilities,
            label_ids,
            labels,
            measured.chances.get(part),
            measured.settled,
            part,
            task,
        ),
        "thresholds": measured.settled.rule.thresholds,
        "lengths": errors_by_length(probabilities, measured.lengths[part], label_ids, task),
    }
