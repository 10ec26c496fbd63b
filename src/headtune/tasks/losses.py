"""Weighted cross-entropy, divided so that packing cannot be told from the outside.

``torch.nn.CrossEntropyLoss`` divides by the weights of what it happens to see. A step that is
taken in several micro-batches must divide by the weights of the whole step instead; so the loss
of a micro-batch is left as a sum here, and the trainer divides it.
"""

import torch
from torch.nn.functional import cross_entropy

__all__ = ["total_weight", "weighted_sum"]


def weighted_sum(
    logits: torch.Tensor,
    labels: torch.Tensor,
    class_weights: torch.Tensor | None,
    row_weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sum over a micro-batch of each example's cross-entropy times its and its class's weight.

    Args:
        logits: Shape ``(n_sequences, n_labels)``, float32.
        labels: Shape ``(n_sequences,)``.
        class_weights: Shape ``(n_labels,)``, or None for all ones.
        row_weights: Shape ``(n_sequences,)``, or None for all ones.

    Returns:
        A scalar.
    """
    if row_weights is None:
        return cross_entropy(logits, labels, weight=class_weights, reduction="sum")
    losses = cross_entropy(logits, labels, weight=class_weights, reduction="none")
    return (losses * row_weights).sum()


def total_weight(
    labels: torch.Tensor,
    class_weights: torch.Tensor | None,
    row_weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """What so many examples weigh together: a scalar, float32. Shapes as in ``weighted_sum``."""
    if class_weights is None and row_weights is None:
        return torch.tensor(float(len(labels)), device=labels.device)
    of_rows = torch.ones(len(labels), device=labels.device) if row_weights is None else row_weights
    return (of_rows if class_weights is None else class_weights[labels] * of_rows).sum()
