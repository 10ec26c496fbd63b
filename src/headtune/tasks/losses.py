"""Losses of one label a text, divided so that packing cannot be told from the outside.

    cross-entropy   -log p of the true label; with ``smoothing`` a share of it is the mean of -log p
                    over all labels (Szegedy et al., "Rethinking the Inception Architecture", 2016)
    focal           -(1 - p)^gamma log p of the true label: what is answered well already counts
                    little (Lin et al., "Focal Loss for Dense Object Detection", 2017)

``torch.nn.CrossEntropyLoss`` divides by the weights of what it happens to see. A step that is
taken in several micro-batches must divide by the weights of the whole step instead; so the loss
of a micro-batch is left as a sum here, and the trainer divides it.
"""

import torch
from torch.nn.functional import cross_entropy, log_softmax

__all__ = ["focal_sum", "total_weight", "weighted_sum"]

SMALLEST = 1e-12
"""What 1 - p is taken for where it is 0: its power would have no gradient there."""


def weighted_sum(
    logits: torch.Tensor,
    labels: torch.Tensor,
    class_weights: torch.Tensor | None,
    row_weights: torch.Tensor | None = None,
    smoothing: float = 0.0,
) -> torch.Tensor:
    """Sum over a micro-batch of each example's cross-entropy times its and its class's weight.

    Args:
        logits: Shape ``(n_sequences, n_labels)``, float32.
        labels: Shape ``(n_sequences,)``.
        class_weights: Shape ``(n_labels,)``, or None for all ones.
        row_weights: Shape ``(n_sequences,)``, or None for all ones.
        smoothing: Share of each label that is spread over all.

    Returns:
        A scalar.
    """
    reduction = "sum" if row_weights is None else "none"
    losses = cross_entropy(
        logits, labels, weight=class_weights, reduction=reduction, label_smoothing=smoothing
    )
    return losses if row_weights is None else (losses * row_weights).sum()


def focal_sum(
    logits: torch.Tensor,
    labels: torch.Tensor,
    class_weights: torch.Tensor | None,
    row_weights: torch.Tensor | None = None,
    gamma: float = 2.0,
) -> torch.Tensor:
    """The same of focal losses; 0 as ``gamma`` is cross-entropy. A scalar."""
    log_p = log_softmax(logits, dim=1).gather(1, labels[:, None])[:, 0]  # (n_sequences,)
    losses = -((-torch.expm1(log_p)).clamp(min=SMALLEST) ** gamma) * log_p
    if class_weights is not None:
        losses = losses * class_weights[labels]
    return losses.sum() if row_weights is None else (losses * row_weights).sum()


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
