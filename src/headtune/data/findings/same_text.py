"""Texts that are there twice: repeats, different labels for one text, copies across parts."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headtune.data.checks import text_groups
from headtune.data.findings.finding import Finding, LabelledTexts
from headtune.data.parts.parts import PARTS
from headtune.data.repeats.leaks import find_leaks
from headtune.data.repeats.repeats import Repeats
from headtune.wording.numbers import count

__all__ = ["conflicts", "leaks", "repeated"]

Ints = npt.NDArray[np.int64]


def repeated(table: LabelledTexts, repeats: Repeats) -> list[Finding]:
    """Rows that repeat an earlier row, to the letter or nearly."""
    found = []
    exact, first = _later(repeats.exact)
    if len(exact):
        found.append(
            Finding(
                kind="exact_repeats",
                severity="medium",
                count=len(exact),
                title=f"{len(exact):,} rows repeat the text of an earlier row to the letter",
                advice="A plain random split would test on texts that were trained on. headtune "
                "keeps them in one part; keep one of each if they are there by accident.",
                rows=table.shown(exact, first.tolist()),
            )
        )
    near, first = _later(repeats.near)
    only = ~np.isin(near, exact)
    if only.any():
        found.append(
            Finding(
                kind="near_repeats",
                severity="medium",
                count=int(only.sum()),
                title=f"{only.sum():,} more rows nearly repeat an earlier row",
                advice="They differ in links, case, spacing, digits, punctuation or a few words, "
                "and leak as repeats do. headtune keeps them in one part of the split.",
                rows=table.shown(near[only], first[only].tolist()),
            )
        )
    return found


def conflicts(table: LabelledTexts, repeats: Repeats) -> list[Finding]:
    """Texts that have more than one label: the same to the letter, and once folded."""
    label_ids = table.label_ids()
    found = []
    same = text_groups(table.texts)
    exact = _of_several(same, label_ids)
    if len(exact):
        found.append(
            Finding(
                kind="conflicting_labels",
                severity="high",
                count=len(np.unique(same[exact])),
                title=f"{count(len(np.unique(same[exact])), 'text')} with different labels",
                advice="No classifier can be right on all of them. Decide on one label for each.",
                rows=table.shown(_by_group(exact, same)),
            )
        )
    folded = _of_several(repeats.folded, label_ids)
    n_folded = len(np.unique(repeats.folded[folded]))
    if n_folded > len(np.unique(same[exact])):
        more = np.setdiff1d(folded, exact)
        found.append(
            Finding(
                kind="conflicting_labels_folded",
                severity="medium",
                count=n_folded,
                title=f"{count(n_folded, 'text')} with different labels once links, case and "
                "spacing are folded",
                advice="The same words were labelled in two ways. Decide on one label for each.",
                rows=table.shown(_by_group(more, repeats.folded)),
            )
        )
    return found


def leaks(table: LabelledTexts, repeats: Repeats) -> list[Finding]:
    """Rows of given validation and test parts that copy a row of training."""
    part_of_row = np.array(table.parts)
    parts = {part: np.flatnonzero(part_of_row == part) for part in PARTS}
    counts = find_leaks(table.texts, table.rows, repeats.near, parts)
    found = []
    for part in ("validation", "test"):
        n_exact, n_near = counts[part]["exact"], counts[part]["near"]
        if n_exact or n_near:
            copies = np.flatnonzero(
                _is_copy(repeats.near, parts[part], parts["train"], part_of_row)
            )
            found.append(
                Finding(
                    kind=f"leaks_into_{part}",
                    severity="high",
                    count=n_exact + n_near,
                    title=f"{n_exact + n_near:,} of {len(parts[part]):,} {part} rows copy a "
                    f"training row ({n_exact:,} the same text, {n_near:,} nearly)",
                    advice=f"Figures on the {part} part would be too good. Remove the copies, or "
                    "let headtune split the data.",
                    rows=table.shown(copies, _first_in(repeats.near, copies, parts["train"])),
                )
            )
    return found


def _is_copy(
    near: Ints, members: Ints, train: Ints, part_of_row: npt.NDArray[np.str_]
) -> npt.NDArray[np.bool_]:
    is_member = np.zeros(len(near), dtype=bool)
    is_member[members] = True
    return is_member & np.isin(near, near[train])


def _first_in(groups: Ints, indices: Ints, among: Ints) -> Sequence[int]:
    """For each index the first of ``among`` in its group."""
    numbers, first = np.unique(groups[among], return_index=True)
    return among[first[np.searchsorted(numbers, groups[indices])]].tolist()  # type: ignore[no-any-return]


def _later(groups: Ints) -> tuple[Ints, Ints]:
    """Rows that are not the first of their group, and the first rows of their groups."""
    first = np.unique(groups, return_index=True)[1]
    later = np.setdiff1d(np.arange(len(groups)), first)
    return later, first[groups[later]]


def _of_several(groups: Ints, values: Ints) -> Ints:
    """Rows of the groups that hold more than one value."""
    pairs = np.unique(np.stack([groups, values]), axis=1)[0]
    several = np.flatnonzero(np.bincount(pairs) > 1)
    return np.flatnonzero(np.isin(groups, several))


def _by_group(indices: Ints, groups: Ints) -> Ints:
    """Rows of one group next to each other."""
    return indices[np.lexsort((indices, groups[indices]))]
