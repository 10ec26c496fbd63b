"""Stage 3, token ids to packed batches: what goes into a step, and into one forward pass."""

from headtune.batches.collate import StepCollator, collate
from headtune.batches.packed_batch import KeptExample, PackedBatch
from headtune.batches.packing import pack, share_out
from headtune.batches.sampler import StepSampler

__all__ = [
    "KeptExample",
    "PackedBatch",
    "StepCollator",
    "StepSampler",
    "collate",
    "pack",
    "share_out",
]
