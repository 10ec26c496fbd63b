"""Labels with too few rows to learn or to test."""

from collections import Counter

from headtune.data.findings.finding import Finding, LabelledTexts

__all__ = ["RARE", "rare_labels"]

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
            "labels, or try --balance weights; a label with one row cannot be split.",
            rows=table.shown(i for i, name in enumerate(table.labels) if name in names),
        )
    ]
