"""Which examples make up each optimizer step: random, seeded, the same on every machine.

An epoch is one permutation of all examples, drawn from (seed, epoch) alone, so that a resumed
run sees the very batches that the interrupted one would have seen. No sorting by length: packing
happens inside a step, where it cannot bias the order.
"""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

__all__ = ["StepSampler"]


class StepSampler(Sampler[list[int]]):
    """Yields the example indices of one optimizer step after the other.

    A step has ``batch_size`` examples; the last one of an epoch has what remains.
    """

    def __init__(self, n_examples: int, batch_size: int, seed: int) -> None:
        self.n_examples = n_examples
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the permutation; transformers' Trainer calls it before every epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.n_examples // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.n_examples)
        for start in range(0, self.n_examples, self.batch_size):
            yield order[start : start + self.batch_size].tolist()
