"""Class-weighted cross-entropy, divided so that packing cannot be told from the outside.

``torch.nn.CrossEntropyLoss`` divides by the weights of what it happens to see. A step that is
taken in several micro-batches must divide by the weights of the whole step instead; so the loss
of a micro-batch is left as a sum here, and the trainer divides it.
"""

import torch
from torch.nn.functional import cross_entropy

__all__ = ["class_weighted_sum", "total_weight"]


def class_weighted_sum(
    logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None
) -> torch.Tensor:
    """Sum over a micro-batch of each example's cross-entropy times the weight of its class.

    Args:
        logits: Shape ``(n_sequences, n_labels)``, float32.
        labels: Shape ``(n_sequences,)``.
        class_weights: Shape ``(n_labels,)``, or None for all ones.

    Returns:
        A scalar.
    """
    return cross_entropy(logits, labels, weight=class_weights, reduction="sum")


def total_weight(labels: torch.Tensor, class_weights: torch.Tensor | None) -> torch.Tensor:
    """What the sums over a step's micro-batches are divided by: a scalar, float32."""
    if class_weights is None:
        return torch.tensor(float(len(labels)), device=labels.device)
    return class_weights[labels].sum()
