"""Pooled states of the model before tuning, and what linear models make of them.

    linear_probe     logistic regression on the states of training rows: how far the model's own
                     representation goes when nothing in it is tuned (Alain and Bengio,
                     "Understanding intermediate layers using linear classifier probes", 2016)
    suspect_labels   see suspects.py

States are scaled to mean 0 and variance 1 of the training rows. The strength of the penalty is
chosen as tfidf.py chooses it: on validation, else by three folds of the training rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler

from headtune.report.baselines import Baseline
from headtune.report.tfidf import Rows, choose_penalty
from headtune.tasks import SINGLE_LABEL, Task
from headtune.types import Example, PreparedData, known_label, row_weights

__all__ = ["FrozenStates", "States", "measure_linear_probe"]

States: TypeAlias = npt.NDArray[np.float32]

C_GRID = (0.0001, 0.001, 0.01, 0.1, 1.0)
"""Inverse strengths of the penalty, the strongest penalty first."""


@dataclass(frozen=True, slots=True)
class FrozenStates:
    """Part -> states ``(n, hidden_size)``, and part -> which of its rows these are, ``(n,)``."""

    states: dict[str, States]
    rows: dict[str, npt.NDArray[np.int64]]


def measure_linear_probe(
    frozen: FrozenStates, data: PreparedData, seed: int, task: Task = SINGLE_LABEL
) -> Baseline:
    """The probe on validation and test, with its ``C`` and ``train_rows``."""
    seen = [data.train[row] for row in frozen.rows["train"]]
    scaler = StandardScaler().fit(frozen.states["train"], sample_weight=row_weights(seen))
    scaled = {part: scaler.transform(states) for part, states in frozen.states.items()}
    train = _rows(scaled["train"], seen, task)
    held_back = None
    if "validation" in scaled:
        held_back = _rows(scaled["validation"], data.validation, task)
    c = choose_penalty(C_GRID, train, held_back, data.labels, seed, task)
    model = task.fit_linear(train.features, train.ids, c, train.weights)
    return Baseline(
        {
            part: task.linear_probabilities(model, scaled[part], data.labels)
            for part in scaled
            if part != "train"
        },
        {"C": c, "train_rows": len(train.ids)},
    )


def _rows(states: States, examples: Sequence[Example], task: Task) -> Rows:
    return Rows(states, task.targets(map(known_label, examples)), row_weights(examples))
