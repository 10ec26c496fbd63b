"""Weights that make up for labels of unequal number in the loss."""

import numpy as np
import numpy.typing as npt

__all__ = ["class_weights"]


def class_weights(
    label_ids: npt.NDArray[np.int64],
    n_labels: int,
    row_weights: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Weights for the loss, ``(n_labels,)``: rows / (n_labels * rows of the label).

    They average 1 over the rows. A label without rows has weight 0. With ``row_weights``, ``(n,)``,
    a row counts for as many as it weighs.
    """
    counts = np.bincount(label_ids, weights=row_weights, minlength=n_labels)
    weights = np.zeros(n_labels)
    np.divide(counts.sum(), n_labels * counts, out=weights, where=counts > 0)
    return weights
