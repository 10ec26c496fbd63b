"""From text lengths to micro-batches under a token budget, and to shares of several processes.

Pure: no torch, no texts.

How it works: sort by length, longest first (equal lengths keep their order), then fill one bin
after the other until the next text would exceed the budget (next-fit decreasing). Neighbours in
a bin are then of like length, which is what the attention kernels want, and the bin that needs
most memory comes first, so that a budget too large fails at once and not after an hour.

Guarantees: every index occurs in exactly one bin; no bin exceeds the budget, except a bin of a
single text that is longer than it; the same lengths give the same bins. Costs: O(n log n).
"""

from collections.abc import Sequence

import numpy as np

__all__ = ["pack", "share_out"]


def pack(lengths: Sequence[int], max_tokens: int, min_bins: int = 1) -> list[list[int]]:
    """Indices into ``lengths``, grouped into bins of at most ``max_tokens`` tokens.

    ``min_bins`` asks for at least that many bins (or one a text, where there are fewer texts), by
    bounding the texts of each. Raises ``ValueError`` on a budget or a length below 1.
    """
    if max_tokens < 1 or any(length < 1 for length in lengths):
        raise ValueError("max_tokens and every length must be at least 1.")
    max_texts = max(1, len(lengths) // max(1, min_bins))
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    bins: list[list[int]] = []
    room = 0
    for index in order.tolist():
        if not bins or lengths[index] > room or len(bins[-1]) == max_texts:
            bins.append([])
            room = max_tokens
        bins[-1].append(index)
        room -= lengths[index]
    return bins


def share_out(lengths: Sequence[int], n_shares: int) -> list[list[int]]:
    """Indices into ``lengths``, dealt out like cards, longest first: shares of like work.

    Every index occurs in exactly one share; a share is empty where there are fewer texts than
    shares.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable").tolist()
    return [order[n::n_shares] for n in range(n_shares)]
