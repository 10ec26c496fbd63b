"""What the test and validation parts have in common with the training part.

A text that was trained on tests nothing, so its figures flatter. headtune's own split keeps such
texts together; a split that was given, or one by time, may not. Exact copies are the same up to
white space; near copies are of one group of near repeats (repeats.py).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from headtune.data.checks import text_groups
from headtune.tasks.figures import HELD_BACK
from headtune.types import LeakedRow, LeakedRows, Leaks

__all__ = ["find_leaks"]

Ints = npt.NDArray[np.int64]

EXAMPLES = 10
EXAMPLE_CHARACTERS = 200


def find_leaks(texts: Sequence[str], rows: Ints, near: Ints, parts: Mapping[str, Ints]) -> Leaks:
    """Rows of validation and test that copy one of training, as ``report.json`` has them.

    Args:
        rows: Record number of each text, ``(n,)``.
        near: Group of near repeats of each text, ``(n,)``.
        parts: Indices of the texts of each part.
    """
    exact = text_groups(texts)
    train = parts["train"]
    counts: dict[str, LeakedRows] = {}
    examples: list[LeakedRow] = []
    for part in HELD_BACK:
        members = np.unique(parts[part])
        copies = np.isin(exact[members], exact[train])
        nears = np.isin(near[members], near[train]) & ~copies
        counts[part] = {
            "rows": len(members),
            "exact": int(copies.sum()),
            "near": int(nears.sum()),
        }
        for kind, found, groups in (("exact", copies, exact), ("near", nears, near)):
            first = _first_of_group(groups, train)
            examples += [
                _example(texts, rows, part, kind, int(i), first[int(groups[i])])
                for i in members[found][:EXAMPLES]
            ]
    return {"validation": counts["validation"], "test": counts["test"], "examples": examples}


def _first_of_group(groups: Ints, indices: Ints) -> dict[int, int]:
    numbers, first = np.unique(groups[indices], return_index=True)
    return dict(zip(numbers.tolist(), indices[first].tolist(), strict=True))


def _example(
    texts: Sequence[str], rows: Ints, part: str, kind: str, index: int, original: int
) -> LeakedRow:
    return {
        "part": part,
        "kind": kind,
        "row": int(rows[index]),
        "text": texts[index][:EXAMPLE_CHARACTERS],
        "train_row": int(rows[original]),
        "train_text": texts[original][:EXAMPLE_CHARACTERS],
    }
