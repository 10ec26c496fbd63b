"""log(p / (1 - p)) of one label among labels of which one holds, from logits.

It is not made of probabilities, since from 99.99 % on these no longer move.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

__all__ = ["log_odds", "log_odds_of_tensor"]


def log_odds(logits: npt.ArrayLike, label: int) -> npt.NDArray[np.float64]:
    """Shapes: ``(n, n_labels)`` in, ``(n,)`` out."""
    rows = np.asarray(logits, dtype=np.float64)
    others = np.delete(rows, label, axis=1)
    most = others.max(axis=1)
    together = most + np.log(np.exp(others - most[:, None]).sum(axis=1))  # logsumexp, (n,)
    odds: npt.NDArray[np.float64] = rows[:, label] - together
    return odds


def log_odds_of_tensor(logits: "torch.Tensor", label: int) -> "torch.Tensor":
    """The same of a tensor, with gradients."""
    others = [index for index in range(logits.shape[1]) if index != label]
    odds: torch.Tensor = logits[:, label] - logits[:, others].logsumexp(dim=1)
    return odds
