"""Whether "90 % sure" is right nine times out of ten, and what makes it so: one temperature.

A tuned network is often too sure of itself. Temperature scaling (Guo et al., "On Calibration of
Modern Neural Networks", 2017) divides its logits by one number, fitted on rows that training did
not see, before they become probabilities. The order of the labels stays, so no prediction changes.

``fit_temperature`` minimises the log loss of the logits over the temperature. Where few rows are
all answered rightly, the least loss would be at temperature 0, certainty; so log(temperature) has a
normal prior around 0 of standard deviation 1, which weighs as little as one row does.

``reliability`` cuts the rows into 15 bins of equal width by the probability of the predicted label,
and compares in each bin the mean probability with the share that is right. Their mean absolute
difference, weighed by rows, is the expected calibration error (Naeini et al., 2015).

Guarantees: a temperature is within 0.05 and 100, and the same rows give the same one; without rows
it is 1. The first call imports scipy's optimizer. Leaf module.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from headtune.errors import PredictionError
from headtune.tasks.figures import Bin, Reliability

__all__ = ["N_BINS", "fit_temperature", "reliability"]

N_BINS = 15
LEAST, MOST = 0.05, 100.0
PRIOR_DEVIATION = 1.0  # of log(temperature)


def fit_temperature(
    logits: npt.ArrayLike, label_ids: npt.ArrayLike, row_weights: npt.ArrayLike | None = None
) -> float:
    """The temperature that makes ``softmax(logits / temperature)`` fit the labels best.

    Shapes: ``logits`` ``(n, n_labels)``, ``label_ids`` ``(n,)``, and ``row_weights``, how many rows
    each counts for; None for one. 1 where ``n`` is 0.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    rows, ids = np.asarray(logits, dtype=np.float64), np.asarray(label_ids)
    if len(ids) == 0:
        return 1.0
    weights = np.ones(len(ids)) if row_weights is None else np.asarray(row_weights)  # (n,)
    true = np.take_along_axis(rows, ids[:, None], axis=1)[:, 0]  # (n,)

    def loss(log_temperature: float) -> float:
        temperature = np.exp(log_temperature)
        log_likelihood = true / temperature - logsumexp(rows / temperature, axis=1)
        prior = (log_temperature / PRIOR_DEVIATION) ** 2 / 2
        return float(prior - (weights * log_likelihood).sum())

    bounds = (np.log(LEAST), np.log(MOST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def reliability(probabilities: npt.ArrayLike, label_ids: npt.ArrayLike) -> Reliability:
    """``ece``, and ``bins`` with rows: ``low``, ``high``, ``n``, mean ``confidence``, ``accuracy``.

    Shapes: ``probabilities`` ``(n, n_labels)``, ``label_ids`` ``(n,)``. A probability on an edge
    belongs to the bin below it. Raises ``PredictionError`` without rows.
    """
    rows, ids = np.asarray(probabilities, dtype=np.float64), np.asarray(label_ids)
    if len(ids) == 0:
        raise PredictionError("Calibration needs at least one labelled text; received none.")
    confidence, right = rows.max(axis=1), rows.argmax(axis=1) == ids  # (n,), (n,)
    edges = np.linspace(0, 1, N_BINS + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, N_BINS - 1)
    bins: list[Bin] = []
    for index, (low, high) in enumerate(pairwise(edges.tolist())):
        if (within := place == index).any():
            bins.append(
                {
                    "low": low,
                    "high": high,
                    "n": int(within.sum()),
                    "confidence": float(confidence[within].mean()),
                    "accuracy": float(right[within].mean()),
                }
            )
    gaps = (row["n"] * abs(row["confidence"] - row["accuracy"]) for row in bins)
    return {"ece": sum(gaps) / len(ids), "bins": bins}
