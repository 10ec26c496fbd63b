"""Labels with too few rows to learn or to test, labels that are one label in several spellings, and
labels and texts that are none, but what a program wrote where there was none.

Two labels are alike if they have the same letters, whatever the case, white space between and the
characters that nobody sees (zero-width spaces, direction marks). Training takes each for a label of
its own, so that half the rows of either speak against the other.

``label_findings`` has what names and their numbers alone say, for whoever trains on them;
the other functions add rows to look at. Each distinct label is folded once.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from headtune.data.findings.columns import several_labels
from headtune.data.findings.finding import Finding, LabelledTexts
from headtune.wording.numbers import count

__all__ = [
    "RARE",
    "alike_labels",
    "label_findings",
    "no_labels",
    "no_texts",
    "rare_labels",
    "text_findings",
]

UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")

WRITTEN_FOR_NOTHING = (
    "nan", "nat", "na", "n/a", "n.a.", "n.a", "#n/a", "<na>", "null", "(null)", "<null>", "\\n",
    "none", "nil", "undefined", "blank", "(blank)", "empty", "(empty)",
    "-", "--", "---", "?", ".", "[]", "{}", '""', "''",
)  # fmt: skip
"""What pandas, R, SQL, Excel, JavaScript and people write where nothing is, in lower case."""

LONGEST_FOR_NOTHING = 12
"""Characters of a text that may be such a word, with spaces around it."""

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
    rarer = {name for _, *others in _spelled_alike(counts) for name in others}
    return _with_rows(_alike(counts), table, rarer)


def no_labels(table: LabelledTexts) -> list[Finding]:
    """One finding for all labels that look like missing values, with their rows."""
    counts = Counter(table.labels)
    return _with_rows(_for_nothing(counts), table, set(filter(_is_for_nothing, counts)))


def no_texts(table: LabelledTexts) -> list[Finding]:
    """One finding for all texts that are a word for a missing value, with their rows."""
    found = text_findings(table.texts)
    return [replace(f, rows=table.shown(_without_text(table.texts))) for f in found]


def label_findings(counts: Mapping[str, int]) -> list[Finding]:
    """What is odd about labels by their names alone: label -> how many rows have it."""
    return [*several_labels(counts), *_alike(counts), *_for_nothing(counts)]


def text_findings(texts: Sequence[str]) -> list[Finding]:
    """What is odd about texts by themselves: those that are a word for a missing value."""
    counts = Counter(texts[i].strip() for i in _without_text(texts))
    if not counts:
        return []
    words = [word for word, _ in counts.most_common()]
    n = counts.total()
    look = "text looks like a missing value" if n == 1 else "texts look like missing values"
    return [
        Finding(
            kind="no_texts",
            severity="medium",
            count=n,
            title=f"{n:,} {look}: {_counted(words[:5], counts)}"
            + (", …" if len(words) > 5 else ""),
            advice=f"Training takes them for texts like any other. {_way_out(words)}",
        )
    ]


def _without_text(texts: Sequence[str]) -> list[int]:
    """The positions of texts that stand for none; a sign or a dash alone may be a text."""
    return [
        i
        for i, text in enumerate(texts)
        if len(text) <= LONGEST_FOR_NOTHING
        and (folded := _folded(text)) in WRITTEN_FOR_NOTHING
        and any(map(str.isalpha, folded))
    ]


def _way_out(words: Sequence[str]) -> str:
    return (
        "If that stands for none, leave such rows out: of a table, the option missing "
        f"({','.join(words[:10])}) sets them aside."
    )


def _with_rows(found: list[Finding], table: LabelledTexts, names: set[str]) -> list[Finding]:
    rows = table.shown(i for i, name in enumerate(table.labels) if name in names)
    return [replace(finding, rows=rows) for finding in found]


def _alike(counts: Mapping[str, int]) -> list[Finding]:
    groups = _spelled_alike(counts)
    if not groups:
        return []
    listed = "; ".join(_counted(group, counts) for group in groups[:5])
    n_names = sum(map(len, groups))
    return [
        Finding(
            kind="alike_labels",
            severity="medium",
            count=n_names,
            title=f"{n_names:,} labels differ only by case, spaces or characters that are not "
            f"seen: {listed}" + ("; …" if len(groups) > 5 else ""),
            advice="Training takes each for a label of its own. If they are one, write it in one "
            "way in every row.",
        )
    ]


def _for_nothing(counts: Mapping[str, int]) -> list[Finding]:
    names = sorted(filter(_is_for_nothing, counts), key=lambda name: -counts[name])
    if not names:
        return []
    look = "looks like a missing value" if len(names) == 1 else "look like missing values"
    return [
        Finding(
            kind="no_labels",
            severity="medium",
            count=len(names),
            title=f"{count(len(names), 'label')} {look}: {_counted(names[:5], counts)}"
            + (", …" if len(names) > 5 else ""),
            advice=f"Training takes that for a label like any other. {_way_out(names)}",
        )
    ]


def _counted(names: Iterable[str], counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name!r} {counts[name]:,}" for name in names)


def _is_for_nothing(name: str) -> bool:
    folded = _folded(name)
    return not folded or folded in WRITTEN_FOR_NOTHING


def _folded(name: str) -> str:
    return " ".join(UNSEEN.sub("", name).casefold().split())


def _spelled_alike(counts: Mapping[str, int]) -> list[list[str]]:
    """The names in groups of one spelling, the most frequent first; none of a single name."""
    groups: dict[str, list[str]] = {}
    for name in sorted(counts):
        groups.setdefault(_folded(name) or name, []).append(name)
    alike = [group for group in groups.values() if len(group) > 1]
    return [sorted(group, key=lambda name: -counts[name]) for group in alike]
