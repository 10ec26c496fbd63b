"""The classifier as one graph from padded token ids to logits, for tools that want rectangles.

headtune itself packs. A graph format wants ``input_ids`` and ``attention_mask`` of shape
``(batch, length)``, so here is the same computation on padded batches: positions count the real
tokens, an attention function of its own lets real tokens alone be seen (in both directions, within
sliding windows, with soft caps), and pooling goes by the mask, never by a token id. Padding may
stand on either side. Architectures that do not pack go through transformers' own attention, padded
on the right.

Guarantees: the logits of the packed model, to rounding. Costs: scores of ``length`` squared a head.
"""

from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface

from headtune.model import SequenceClassifier

__all__ = ["PaddedClassifier"]

PADDED_ATTENTION = "headtune_padded"


class PaddedClassifier(nn.Module):
    """``(input_ids, attention_mask)``, both ``(batch, length)`` int64, to ``(batch, n_labels)``."""

    def __init__(self, classifier: SequenceClassifier) -> None:
        super().__init__()
        self.backbone = classifier.backbone
        self.score = classifier.score
        self.pooling = classifier.pooling
        self.causal = classifier.attention == "causal"
        self.packs = classifier.packs
        self.position_offset = classifier.architecture.position_offset
        self.backbone.set_attn_implementation(PADDED_ATTENTION if self.packs else "eager")

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits in float32."""
        positions = (attention_mask.cumsum(dim=1) - 1).clamp(min=0)
        if self.packs:
            found = self.backbone(
                input_ids=input_ids,
                attention_mask=None,
                use_cache=False,
                visible=self._visible(attention_mask),
                position_ids=positions + self.position_offset,
            )
        else:
            found = self.backbone(
                input_ids=input_ids, attention_mask=attention_mask, use_cache=False
            )
        states = found.last_hidden_state  # (batch, length, hidden_size)
        logits: torch.Tensor = self.score(self._pool(states.float(), attention_mask, positions))
        return logits

    def _visible(self, mask: torch.Tensor) -> torch.Tensor:
        """Which keys a query may look at, shape ``(batch, 1, length, length)`` bool."""
        keys = mask.bool()[:, None, None, :]
        steps = torch.arange(mask.shape[1], device=mask.device)
        return keys & ((steps[:, None] >= steps) | (not self.causal))

    def _pool(
        self, states: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor
    ) -> torch.Tensor:
        """Shape ``(batch, hidden_size)``."""
        if self.pooling == "mean":
            real = mask[:, :, None].to(states.dtype)
            return (states * real).sum(dim=1) / real.sum(dim=1)
        wanted = mask.sum(dim=1, keepdim=True) - 1 if self.pooling == "last" else 0
        chosen = (positions == wanted) & mask.bool()  # one token a text
        return (states * chosen[:, :, None].to(states.dtype)).sum(dim=1)


def padded_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    visible: torch.Tensor,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of one layer, as transformers' attention interface calls it.

    Args:
        query: Shape ``(batch, n_heads, length, head_dim)``.
        key: Shape ``(batch, n_key_value_heads, length, head_dim)``.
        value: Shape ``(batch, n_key_value_heads, length, value_dim)``.
        visible: Shape ``(batch, 1, length, length)`` bool; causal where the run is.

    Returns:
        The attended values, shape ``(batch, length, n_heads, value_dim)``, and None for the
        weights.
    """
    repeats = query.shape[1] // key.shape[1]
    key = key.repeat_interleave(repeats, dim=1)
    value = value.repeat_interleave(repeats, dim=1)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = query @ key.transpose(2, 3) * scale  # (batch, n_heads, length, length)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    if sliding_window is not None:
        visible = visible & _within(sliding_window, query.shape[2], visible)
    # The lowest finite number, not -inf: a padding query that sees nothing must not become NaN.
    scores = scores.masked_fill(~visible, torch.finfo(scores.dtype).min)
    attended = scores.softmax(dim=-1) @ value
    return attended.transpose(1, 2), None


def _within(window: int, length: int, visible: torch.Tensor) -> torch.Tensor:
    """Keys less than a window from their query, to both sides: shape ``(length, length)`` bool.

    Padding lies before or behind all real tokens, so places differ as positions do. In a causal run
    ``visible`` hides the keys after a query.
    """
    steps = torch.arange(length, device=visible.device)
    return (steps[:, None] - steps).abs() < window


AttentionInterface.register(PADDED_ATTENTION, padded_attention)
