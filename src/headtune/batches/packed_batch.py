"""One micro-batch: sequences one after the other, without padding.

``cu_seqlens`` says where each sequence begins and the last one ends, as the variable-length
attention kernels call it (Dao, "FlashAttention", 2022). Linear layers see real tokens only.
"""

from dataclasses import dataclass
from typing import Self

import torch

from headtune.types import TokenizedExample

__all__ = ["KeptExample", "PackedBatch"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class KeptExample(TokenizedExample):
    """A tokenized example with what the frozen layers of a model made of it.

    ``states`` has shape ``(n_tokens, hidden_size)``, or ``(1, hidden_size)`` if it is pooled.
    """

    states: torch.Tensor

    @classmethod
    def of(cls, example: TokenizedExample, states: torch.Tensor) -> Self:
        """The example with its states."""
        return cls(
            input_ids=example.input_ids,
            label=example.label,
            row=example.row,
            n_truncated=example.n_truncated,
            truncated_more=example.truncated_more,
            weight=example.weight,
            states=states,
        )


@dataclass(frozen=True, slots=True, eq=False)
class PackedBatch:
    """Concatenated sequences, checked once when made; raises ``ValueError`` if inconsistent.

    Shapes:
        input_ids: ``(n_tokens,)`` int64.
        position_ids: ``(n_tokens,)`` int64, from 0 again at each sequence.
        cu_seqlens: ``(n_sequences + 1,)`` int32, first 0, last ``n_tokens``.
        labels: ``(n_sequences,)`` int64, or None where unknown.
        rows: the 1-based data row of each sequence.
        weights: ``(n_sequences,)`` float32, or None where each counts as one.
        kept: what the frozen layers made of the batch, ``(n_tokens, hidden_size)``, or
            ``(n_sequences, hidden_size)`` if it is pooled; None where they have not run.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    cu_seqlens: torch.Tensor
    lengths: tuple[int, ...]
    labels: torch.Tensor | None
    rows: tuple[int, ...]
    kept: torch.Tensor | None = None
    weights: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if self.input_ids.ndim != 1 or self.position_ids.shape != self.input_ids.shape:
            raise ValueError("input_ids and position_ids must both have shape (n_tokens,).")
        if sum(self.lengths) != len(self.input_ids) or min(self.lengths, default=0) < 1:
            raise ValueError("lengths must be at least 1 and add up to n_tokens.")
        if len(self.cu_seqlens) != len(self.lengths) + 1 or len(self.rows) != len(self.lengths):
            raise ValueError("cu_seqlens, lengths and rows must speak of the same sequences.")
        if self.labels is not None and len(self.labels) != len(self.lengths):
            raise ValueError("labels must have shape (n_sequences,).")
        if self.weights is not None and len(self.weights) != len(self.lengths):
            raise ValueError("weights must have shape (n_sequences,).")

    @property
    def n_tokens(self) -> int:
        return len(self.input_ids)

    @property
    def n_sequences(self) -> int:
        return len(self.lengths)

    @property
    def max_seqlen(self) -> int:
        return max(self.lengths)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "PackedBatch":
        """The same batch on another device."""

        def move(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.to(device, non_blocking=non_blocking)

        return PackedBatch(
            input_ids=move(self.input_ids),
            position_ids=move(self.position_ids),
            cu_seqlens=move(self.cu_seqlens),
            lengths=self.lengths,
            labels=None if self.labels is None else move(self.labels),
            rows=self.rows,
            kept=None if self.kept is None else move(self.kept),
            weights=None if self.weights is None else move(self.weights),
        )
