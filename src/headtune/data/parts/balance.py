"""Labels of unequal number: drop rows of the larger, or repeat rows of the smaller.

Pure functions on label ids. Undersampling comes before the split (all parts are balanced),
oversampling after it and in training alone (a repeat must not reach the test part).
"""

import numpy as np
import numpy.typing as npt

__all__ = ["oversample", "undersample"]

Ints = npt.NDArray[np.int64]


def undersample(label_ids: Ints, seed: int) -> Ints:
    """Indices of as many rows of each label as the smallest has, sampled, in their old order."""
    generator = np.random.default_rng(seed)
    labels, counts = np.unique(label_ids, return_counts=True)
    chosen = [
        generator.choice(np.flatnonzero(label_ids == label), counts.min(), replace=False)
        for label in labels
    ]
    return np.sort(np.concatenate(chosen))


def oversample(label_ids: Ints, seed: int) -> Ints:
    """Indices of every row, then repeats until each label has as many rows as the largest.

    A row is repeated again only when all others of its label were.
    """
    generator = np.random.default_rng(seed)
    labels, counts = np.unique(label_ids, return_counts=True)
    repeats = [np.arange(len(label_ids))]
    for label, count in zip(labels, counts, strict=True):
        whole, rest = divmod(counts.max() - count, count)
        members = np.flatnonzero(label_ids == label)
        repeats.append(np.tile(members, whole))
        repeats.append(generator.choice(members, rest, replace=False))
    return np.concatenate(repeats)
