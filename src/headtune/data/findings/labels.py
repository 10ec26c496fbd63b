"""Labels with too few rows to learn or to test, and labels that are one label in several spellings.

Two labels are alike if they have the same letters, whatever the case, white space between and the
characters that nobody sees (zero-width spaces, direction marks). Training takes each for a label of
its own, so that half the rows of either speak against the other.

Each distinct label is folded once.
"""

import re
from collections import Counter
from collections.abc import Iterable

from headtune.data.findings.finding import Finding, LabelledTexts

__all__ = ["RARE", "alike_labels", "rare_labels"]

UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")

RARE = 20
"""Below so many rows, a test part of 20 % has at most three of a label."""


def rare_labels(table: LabelledTexts) -> list[Finding]:
    """One finding for all labels with fewer than ``RARE`` rows."""
    counts = Counter(table.labels)
    rare = sorted((n, name) for name, n in counts.items() if n < RARE)
    if not rare:
        return []
    names = {name for _, name in rare}
    listed = ", ".join(f"{name} {n:,}" for n, name in rare[:10]) + (", …" if len(rare) > 10 else "")
    noun = "label has" if len(rare) == 1 else "labels have"
    return [
        Finding(
            kind="rare_labels",
            severity="high" if rare[0][0] < 2 else "medium",
            count=len(rare),
            title=f"{len(rare):,} {noun} fewer than {RARE} rows: {listed}",
            advice="Little can be learned from so few, and less proved. Collect more, merge "
            "labels, or weigh the loss (the option balance); a label with one row cannot be split.",
            rows=table.shown(i for i, name in enumerate(table.labels) if name in names),
        )
    ]


def alike_labels(table: LabelledTexts) -> list[Finding]:
    """One finding for all labels that others are spelled like, rarer spellings' rows to look at."""
    counts = Counter(table.labels)
    groups = [sorted(group, key=lambda n: -counts[n]) for group in _spelled_alike(counts)]
    if not groups:
        return []
    names = {name for group in groups for name in group}
    rarer = {name for _, *others in groups for name in others}
    listed = "; ".join(", ".join(f"{n!r} {counts[n]:,}" for n in group) for group in groups[:5])
    return [
        Finding(
            kind="alike_labels",
            severity="medium",
            count=len(names),
            title=f"{len(names):,} labels differ only by case, spaces or characters that are not "
            f"seen: {listed}" + ("; …" if len(groups) > 5 else ""),
            advice="Training takes each for a label of its own. If they are one, write it in one "
            "way in every row.",
            rows=table.shown(i for i, name in enumerate(table.labels) if name in rarer),
        )
    ]


def _spelled_alike(names: Iterable[str]) -> list[list[str]]:
    """The names in groups of one spelling, those of a single name left out."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        key = " ".join(UNSEEN.sub("", name).casefold().split())
        groups.setdefault(key or name, []).append(name)
    return [group for group in groups.values() if len(group) > 1]
