"""Tokenized examples to packed batches: the only place that makes tensors of token ids."""

from collections.abc import Sequence

import numpy as np
import torch

from headtune.batches.packed_batch import KeptExample, PackedBatch
from headtune.batches.packing import pack
from headtune.types import TokenizedExample, row_weights

__all__ = ["StepCollator", "collate"]


def collate(examples: Sequence[TokenizedExample]) -> PackedBatch:
    """Concatenate examples, in the order given, into one batch.

    Labels are kept when every example has one, and so are the states of frozen layers.
    """
    lengths = [len(example) for example in examples]
    ends = np.cumsum(lengths, dtype=np.int32)
    starts = ends - lengths
    labels = [example.label for example in examples]
    known = [label for label in labels if label is not None]
    weights = row_weights(examples)
    states = [example.states for example in examples if isinstance(example, KeptExample)]
    return PackedBatch(
        input_ids=torch.from_numpy(
            np.concatenate([example.input_ids for example in examples]).astype(np.int64)
        ),
        position_ids=torch.from_numpy(np.arange(ends[-1]) - np.repeat(starts, lengths)),
        cu_seqlens=torch.from_numpy(np.concatenate([[0], ends]).astype(np.int32)),
        lengths=tuple(lengths),
        labels=torch.tensor(known) if len(known) == len(labels) else None,
        rows=tuple(example.row for example in examples),
        kept=torch.cat(states) if len(states) == len(examples) else None,
        weights=None if weights is None else torch.from_numpy(weights).float(),
    )


class StepCollator:
    """The examples of one optimizer step as packed micro-batches under a token budget."""

    def __init__(self, max_tokens_per_batch: int, min_micro_batches: int = 1) -> None:
        self.max_tokens_per_batch = max_tokens_per_batch
        self.min_micro_batches = min_micro_batches

    def __call__(self, examples: Sequence[TokenizedExample]) -> list[PackedBatch]:
        lengths = [len(example) for example in examples]
        bins = pack(lengths, self.max_tokens_per_batch, self.min_micro_batches)
        return [collate([examples[index] for index in indices]) for indices in bins]
