"""Training, validation and test: by label, by seed, and never one group in two parts.

The unit of splitting is a group of rows that belong together (groups.py: repeats, near repeats, a
user's own), so that no text leaks from training into test. Each label is split by itself:

1. A group belongs to the label most of its rows have (the first one, if tied).
2. The groups of a label are shuffled and laid end to end, each as long as it has rows.
3. The line is cut where the parts end; a group goes where its middle lies.
4. What a part got too much or too little is made up for with the next label, so the parts as a
   whole are as large as asked, to within about half a group.

Guarantees: the parts are disjoint, sorted and hold every row; the same arguments give the same
parts; a label has a group in training, and one in test if it has two or more.
``split_by_time`` lays the rows out from old to new instead and cuts that line where the parts end.
Rows of one moment stay together, in the part where their middle lies.
"""

import re

import numpy as np
import numpy.typing as npt

from headtune.errors import SplitError, option

__all__ = ["Fractions", "parse_split", "split", "split_by_time"]

Ints = npt.NDArray[np.int64]
Fractions = tuple[float, float, float]
"""Shares of rows for training, validation and test, which add up to 1."""


def parse_split(text: str) -> Fractions:
    """``"70/10/20"``, ``"0.7/0.1/0.2"`` or ``"80/20"`` (training/test) to fractions.

    Raises ``SplitError`` on anything else.
    """
    numbers = [part.strip().removesuffix("%") for part in text.split("/")]
    if len(numbers) not in (2, 3) or not all(re.fullmatch(r"\d+(\.\d+)?", n) for n in numbers):
        raise SplitError(
            f"{option('split')} takes training/validation/test in percent, such as 70/10/20, or "
            f"training/test, such as 80/20; received {text!r}.",
            option="split",
        )
    values = [float(n) for n in numbers]
    total = sum(values)
    if not any(abs(total - whole) < 0.001 * whole for whole in (1, 100)):
        raise SplitError(
            f"{option('split')} must add up to 100 (or to 1); {text!r} adds up to {total:g}.",
            option="split",
            way_out="Try 70/10/20 or 80/20.",
        )
    if values[0] == 0:
        raise SplitError(
            f"{option('split', text)} leaves nothing to train on; the first number is above 0.",
            option="split",
        )
    train, test = values[0] / total, values[-1] / total
    return (train, values[1] / total if len(values) == 3 else 0.0, test)


def split(labels: Ints, groups: Ints, fractions: Fractions, seed: int) -> tuple[Ints, Ints, Ints]:
    """Row indices of training, validation and test.

    ``labels`` and ``groups`` have shape ``(n_rows,)``; rows of one group stay together.
    """
    generator = np.random.default_rng(seed)
    group_of_row, sizes, group_labels = _groups(labels, groups)
    part_of_group = np.zeros(len(sizes), dtype=np.int64)
    shares = np.array(fractions)
    owed = np.zeros(3)
    for label in np.unique(group_labels):
        members = generator.permutation(np.flatnonzero(group_labels == label))
        wanted = shares * sizes[members].sum() + owed
        parts = _cut(sizes[members], wanted, shares)
        owed = wanted - np.bincount(parts, weights=sizes[members], minlength=3)
        part_of_group[members] = parts
    part_of_row = part_of_group[group_of_row]
    train, validation, test = (np.flatnonzero(part_of_row == part) for part in range(3))
    return train, validation, test


def split_by_time(times: npt.NDArray[np.float64], fractions: Fractions) -> tuple[Ints, Ints, Ints]:
    """Row indices of training (oldest), validation and test (newest). ``times``: ``(n_rows,)``."""
    _, moments, sizes = np.unique(times, return_inverse=True, return_counts=True)
    ends = np.cumsum(np.array(fractions) * len(times))[:2]
    part_of_moment = np.searchsorted(ends, np.cumsum(sizes) - sizes / 2)
    train, validation, test = (np.flatnonzero(part_of_moment[moments] == i) for i in range(3))
    return train, validation, test


def _groups(labels: Ints, groups: Ints) -> tuple[Ints, Ints, Ints]:
    """The group of each row as 0, 1, 2, …; rows in each group; the label of each group."""
    _, group_of_row = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group_of_row)
    pairs, counts = np.unique(np.stack([group_of_row, labels]), axis=1, return_counts=True)
    order = np.lexsort(
        (pairs[1], -counts, pairs[0])
    )  # of each group, the most frequent label first
    first = np.unique(pairs[0][order], return_index=True)[1]
    return group_of_row, sizes, pairs[1][order][first]


def _cut(sizes: Ints, wanted: npt.NDArray[np.float64], shares: npt.NDArray[np.float64]) -> Ints:
    """The part of each group of one label: 0, 1 or 2. ``sizes``: rows, ``(n_groups,)``."""
    ends = np.maximum.accumulate(np.cumsum(wanted)[:2])
    middles = np.cumsum(sizes) - sizes / 2
    parts = np.searchsorted(ends, middles)
    if not (parts == 0).any():
        parts[0] = 0
    if shares[2] > 0 and len(parts) > 1 and not (parts == 2).any():
        parts[-1] = 2
    return parts
