"""Rows whose label looks wrong, by confident learning (Northcutt, Jiang and Chuang, "Confident
Learning: Estimating Uncertainty in Dataset Labels", 2021), as the library cleanlab does it.

    1. Logistic regression on the states of the model before tuning says how probable each label of
       a row is, fitted on the other four fifths of the rows. A text and its repeats are in one
       fifth, since a repeat would answer for its twin.
    2. cleanlab counts how often rows of a label look like another with the confidence that is usual
       there, and from that which rows to suspect.
    3. The rows suspected are listed, the least probable given label first.

``suspects_checked`` has ``rows``, how many had states and were judged, ``of`` all, and how many of
them are ``suspected``. With 5 % of 1,494 spam messages' labels turned round, 80 to 88 % of the 5 %
most doubtful rows were such (three seeds, SmolLM2-135M).

Guarantees: no row is judged by a model that saw it; the same rows give the same list.
Costs: five fits, and the import of cleanlab.
"""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from headtune.report.entries import Suspect, Suspects
from headtune.report.frozen_states import FrozenStates
from headtune.report.mistakes import MOST_LISTED
from headtune.tasks import SINGLE_LABEL, Task
from headtune.types import Example, LabelSet, PreparedData, known_label

__all__ = ["doubt_order", "find_suspects", "out_of_fold"]

FOLDS = 5
C = 0.001
"""A strong penalty: a head that could learn single wrong labels by heart would not doubt them."""

LEAST_ROWS = 20  # below which nothing is learned that could be turned against a label

Probabilities = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


def find_suspects(frozen: FrozenStates, data: PreparedData, task: Task = SINGLE_LABEL) -> Suspects:
    """The fields ``suspect_labels`` and ``suspects_checked`` of a report."""
    found = [
        (part, data.parts[part][place])
        for part in data.parts
        if part in frozen.rows
        for place in frozen.rows[part].tolist()
    ]
    states = np.concatenate([frozen.states[part] for part in data.parts if part in frozen.rows])
    examples = [example for _, example in found]
    ids = task.targets(map(known_label, examples))
    suspected: list[int] = []
    texts = [example.text for example in examples]
    if _can_be_judged(ids, texts):
        probabilities = out_of_fold(states, ids, texts, data.labels, task)
        order, is_suspect = doubt_order(probabilities, ids)
        suspected = [index for index in order.tolist() if is_suspect[index]]
    return {
        "suspect_labels": [
            _entry(*found[index], probabilities[[index]], ids[[index]], data.labels, task)
            for index in suspected[:MOST_LISTED]
        ],
        "suspects_checked": {
            "rows": len(ids),
            "of": sum(map(len, data.parts.values())),
            "suspected": len(suspected),
        },
    }


def _can_be_judged(ids: Ids, texts: list[str]) -> bool:
    """Whether there are rows enough, and more than one label and one text to tell apart."""
    different = len({text.casefold() for text in texts})
    return len(ids) >= LEAST_ROWS and len(np.unique(ids)) > 1 and different > 1


def out_of_fold(
    states: Any, ids: Ids, texts: list[str], labels: LabelSet, task: Task = SINGLE_LABEL
) -> Probabilities:
    """What a model of the other rows says of each row, shape ``(n, n_labels)``.

    Shapes: ``states`` ``(n, hidden_size)``, ``ids`` ``(n,)``.
    """
    _, groups = np.unique([text.casefold() for text in texts], return_inverse=True)
    n_folds = min(FOLDS, int(groups.max()) + 1)
    probabilities = np.zeros((len(ids), len(labels)))
    for fit, judge in GroupKFold(n_folds, shuffle=True, random_state=0).split(ids, groups=groups):
        scaler = StandardScaler().fit(states[fit])
        model = task.fit_linear(scaler.transform(states[fit]), ids[fit], C)
        judged = scaler.transform(states[judge])
        probabilities[judge] = task.linear_probabilities(model, judged, labels)
    return probabilities


def doubt_order(probabilities: Probabilities, ids: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
    """All rows, the most doubtful label first, and whether each is suspected. Shapes: ``(n,)``."""
    with warnings.catch_warnings():  # importing cleanlab silences those of the whole process
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores

    present, known = np.unique(ids, return_inverse=True)  # cleanlab wants rows of every label
    shown = probabilities[:, present] + 1e-9
    shown /= shown.sum(axis=1, keepdims=True)
    quality = get_label_quality_scores(known, shown, method="self_confidence")
    is_suspect = find_label_issues(known, shown, n_jobs=1)
    return np.argsort(quality, kind="stable"), np.asarray(is_suspect, dtype=bool)


def _entry(
    part: str,
    example: Example,
    probabilities: Probabilities,
    target: Ids,
    labels: LabelSet,
    task: Task,
) -> Suspect:
    """Shapes: ``probabilities`` ``(1, n_labels)``, ``target`` ``(1,)``."""
    return {
        "row": example.row,
        "part": part,
        "text": example.text,
        "label": task.named(target, labels)[0],
        "suggested": task.named(task.runner_up(probabilities, target), labels)[0],
        "probability": float(task.truth_probability(probabilities, target)[0]),
    }
