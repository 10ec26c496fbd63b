"""The tuned model against everything else that was measured, by paired tests on the same rows.

Each entry of ``report.json``'s ``comparison`` is one opponent: a baseline, or the model before
tuning. What the figures mean is in ``paired.py``.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from headtune.report.entries import Opponent
from headtune.tasks import SINGLE_LABEL, Task

__all__ = ["compare_with"]

Probabilities = npt.NDArray[np.float64]


def compare_with(
    tuned: Probabilities,
    others: Mapping[str, Probabilities],
    label_ids: npt.NDArray[np.int64],
    part: str,
    seed: int,
    task: Task = SINGLE_LABEL,
) -> list[Opponent]:
    """One entry for each opponent, in their order.

    Shapes: all probabilities ``(n, n_labels)``, of the same rows; ``label_ids`` ``(n,)``.
    """
    entries: list[Opponent] = []
    for name, probabilities in others.items():
        test = task.compare(tuned, probabilities, label_ids, seed)
        entries.append(
            {
                "baseline": name,
                "part": part,
                "n": test.n,
                "difference": test.difference,
                "interval": list(test.interval),
                "p_value": test.p_value,
                "only_model_right": test.only_first,
                "only_baseline_right": test.only_second,
            }
        )
    return entries
