"""Weights that make up for labels of unequal number in the loss."""

import numpy as np
import numpy.typing as npt

__all__ = ["class_weights"]


def class_weights(label_ids: npt.NDArray[np.int64], n_labels: int) -> npt.NDArray[np.float64]:
    """Weights for the loss, ``(n_labels,)``: rows / (n_labels * rows of the label).

    They average 1 over the rows. A label without rows has weight 0.
    """
    counts = np.bincount(label_ids, minlength=n_labels)
    weights = np.zeros(n_labels)
    np.divide(len(label_ids), n_labels * counts, out=weights, where=counts > 0)
    return weights
