"""How good a classifier's probabilities are: pure functions from arrays to plain numbers.

``classification_metrics`` takes the most probable label of each row as the prediction and gives,
in one dictionary of JSON values, what ``report.json`` shows for a part of the data:

    n           rows
    accuracy    share of rows whose prediction is right
    macro_f1    mean F1 of the labels that occur, as a true label or as a prediction
    log_loss    mean of -log(probability of the true label), in nats
    per_label   name -> precision, recall, f1, support (rows that truly have the label)
    confusion   rows: true label, columns: predicted label, in the order of the labels

A label that does not occur in a part has figures of 0 and a support of 0, raises no warning, and
is left out of ``macro_f1``, as scikit-learn does when it is given no list of labels.

With weights of rows, accuracy, precision, recall, F1 and log loss are weighted; ``n``, ``support``
and ``confusion`` still count rows.

``accuracy_interval`` says how far an accuracy measured on n rows can be trusted: Wilson's 95 %
score interval, which holds for few rows and for accuracies of 0 and 1. Two classifiers on the same
rows are compared in ``paired.py``.

Guarantees: float64 throughout; every number is finite; wrong arrays raise ``PredictionError``.
Costs: the first call imports scikit-learn's metrics.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from headtune.errors import PredictionError
from headtune.tasks.figures import Metrics
from headtune.types import LabelSet

__all__ = [
    "Metrics",
    "accuracy_interval",
    "classification_metrics",
    "count_correct",
    "softmax",
]

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)  # 1.96

SUM_TOLERANCE = 0.01
"""How far from 1 the probabilities of a row may add up to; bfloat16 rounds by up to 0.004."""


def softmax(logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Logits to probabilities over the last axis, in float64, without overflow.

    Shape: ``(..., n_labels)`` in and out.
    """
    array = np.asarray(logits, dtype=np.float64)
    exponentials: npt.NDArray[np.float64] = np.exp(array - array.max(axis=-1, keepdims=True))
    exponentials /= exponentials.sum(axis=-1, keepdims=True)
    return exponentials


def classification_metrics(
    probabilities: npt.ArrayLike,
    label_ids: Sequence[int] | npt.ArrayLike,
    labels: LabelSet,
    row_weights: npt.NDArray[np.float64] | None = None,
) -> Metrics:
    """The figures of one part of the data; see the top of this file for the keys.

    Shapes: ``probabilities`` is ``(n, n_labels)`` and each row adds up to 1; ``label_ids``, the
    true labels, and ``row_weights``, above 0 or None, are ``(n,)``. Raises ``PredictionError`` when
    there is no row (skip empty parts), or when the arrays are not probabilities of these labels.
    """
    # Two seconds to import, which softmax (all that a prediction needs of this file) goes without.
    from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

    probabilities, label_ids = _checked(probabilities, label_ids, labels)
    every_label = np.arange(len(labels))
    predicted_ids = probabilities.argmax(axis=1)  # (n,)
    precision, recall, f1, _ = precision_recall_fscore_support(
        label_ids, predicted_ids, labels=every_label, zero_division=0, sample_weight=row_weights
    )
    support = np.bincount(label_ids, minlength=len(labels))
    occurs = np.isin(every_label, np.concatenate([label_ids, predicted_ids]))
    return {
        "n": len(label_ids),
        "accuracy": float(np.average(predicted_ids == label_ids, weights=row_weights)),
        "macro_f1": float(np.mean(f1[occurs])),
        "log_loss": float(
            log_loss(label_ids, probabilities, labels=every_label, sample_weight=row_weights)
        ),
        "per_label": {
            name: {
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "support": int(support[index]),
            }
            for index, name in enumerate(labels.names)
        },
        "confusion": confusion_matrix(label_ids, predicted_ids, labels=every_label).tolist(),
    }


def count_correct(metrics: Metrics) -> int:
    """Rows whose prediction is right: the diagonal of the confusion matrix."""
    return sum(int(row[index]) for index, row in enumerate(metrics["confusion"]))


def accuracy_interval(n_correct: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval ``(low, high)`` of the accuracy, both within 0 and 1."""
    if not 0 <= n_correct <= n or n == 0:
        raise PredictionError(f"An accuracy needs 0 <= correct <= n and n > 0: {n_correct} of {n}.")
    share = n_correct / n
    scale = 1 + Z**2 / n
    centre = (share + Z**2 / (2 * n)) / scale
    reach = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / scale
    # Rounding must not leave the ends beside 0 and 1, where they belong when none or all are right.
    low = 0.0 if n_correct == 0 else centre - reach
    high = 1.0 if n_correct == n else centre + reach
    return low, high


def _checked(
    probabilities: npt.ArrayLike, label_ids: npt.ArrayLike, labels: LabelSet
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The two arrays, with rows that add up to 1 exactly; else ``PredictionError``."""
    rows = np.asarray(probabilities, dtype=np.float64)
    ids = np.asarray(label_ids)
    if ids.size == 0:
        raise PredictionError("Metrics need at least one labelled text; received none.")
    if rows.shape != (len(ids), len(labels)) or ids.ndim != 1:
        raise PredictionError(
            f"Expected probabilities of shape (n, {len(labels)}) and label ids of shape (n,); "
            f"received {rows.shape} and {ids.shape}."
        )
    if not np.issubdtype(ids.dtype, np.integer) or ids.min() < 0 or ids.max() >= len(labels):
        raise PredictionError(
            f"Label ids must be whole numbers from 0 to {len(labels) - 1}; "
            f"received {ids.min()} to {ids.max()} of type {ids.dtype}."
        )
    sums = rows.sum(axis=1, keepdims=True)  # (n, 1)
    # Written so that NaN fails too.
    if not (rows.min() >= 0 and np.all(np.abs(sums - 1) <= SUM_TOLERANCE)):
        raise PredictionError(
            "Each row of probabilities must be finite, at least 0 and add up to 1; "
            f"received sums from {sums.min():g} to {sums.max():g}.",
            way_out="Logits go through softmax first.",
        )
    return rows / sums, ids.astype(np.int64)
