"""Which rows must stay in one part of the split, and how far that can be asked.

Near repeats stay together (repeats.py), and so do the rows that a user's column gives one value.
What is connected by either is one group. A group larger than half of what the smallest part holds
of a label is no repeat that leaks but a way of writing ("Order 1 has shipped", "Order 2 has
shipped", …), and keeping it together would leave nothing to split. It falls apart into finer
groups, step by step:

    near repeats -> folded repeats -> the same text up to white space around it

The last step stays together whatever its size, and so does a user's group.

Costs: that of repeats.py.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headtune.data.checks import text_groups
from headtune.data.repeats.repeats import Repeats, connected

__all__ = ["groups_together", "merged"]

Ints = npt.NDArray[np.int64]


def groups_together(
    texts: Sequence[str], repeats: Repeats, own: Ints | None, most_rows: float
) -> Ints:
    """The group of each row, ``(n_rows,)``.

    Args:
        own: The user's groups, ``(n_rows,)``, or None.
        most_rows: Groups above this size fall apart where they may.
    """
    same_text = text_groups(texts)
    grades = [repeats.near, repeats.folded, same_text]
    if own is not None:
        grades = [merged(own, grade) for grade in grades] + [own]
    groups = grades[-1].copy()
    open_rows = np.ones(len(groups), dtype=bool)
    offset = 0
    for grade in grades:
        fits = open_rows if grade is grades[-1] else open_rows & (_sizes(grade) <= most_rows)
        groups[fits] = grade[fits] + offset
        offset += int(grade.max(initial=0)) + 1
        open_rows = open_rows & ~fits
    return groups


def merged(groups: Ints, others: Ints) -> Ints:
    """Rows connected by a group of either kind. All of shape ``(n_rows,)``, numbers from 0 on."""
    n = int(groups.max(initial=-1)) + 1
    pairs = np.stack([groups, others + n], axis=1)
    return connected(n + int(others.max(initial=-1)) + 1, pairs)[groups]


def _sizes(groups: Ints) -> Ints:
    """The number of rows in the group of each row."""
    return np.bincount(groups)[groups]
