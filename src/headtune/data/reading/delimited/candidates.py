"""Delimiters of several characters that a file may have: ``_!_``, ``||``, ``::``, `` ||| ``.

A candidate is a run of signs (or some between underscores, or the word sep in brackets) that nine
lines in ten hold. Dots, brackets, slashes and dashes alone are of texts, and in none.
Which one works out, ``tries.py`` finds.

Costs: a look at 200 lines.
"""

import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["is_part_of", "long_delimiters"]

LINES = 200
MOST_CANDIDATES = 4
LEAST_SHARE = 0.9

RUN = re.compile(
    r"_[|:;~^#@$%&*+=<>!/-]{1,4}_|[|:;~^#@$%&*+=<>!-]{2,6}|<sep>|\[sep\]|\t{2,4}", re.IGNORECASE
)
OF_TEXTS = re.compile(r"[!-]+|><")


def long_delimiters(lines: Sequence[str]) -> list[str]:
    """Those that most lines hold, the most frequent first."""
    lines = [line.strip("\r\n") for line in lines[:LINES] if line.strip()]
    if not lines:
        return []
    counts = Counter(run for line in lines for run in set(RUN.findall(line)))
    most = [run for run, n in counts.most_common() if n >= LEAST_SHARE * len(lines)]
    found = [run for run in most if not OF_TEXTS.fullmatch(run)]
    return [_with_spaces(run, lines) for run in found[:MOST_CANDIDATES]]


def _with_spaces(run: str, lines: Sequence[str]) -> str:
    """With the spaces around it, if it has some everywhere."""
    spaced = f" {run} "
    return spaced if all(line.count(spaced) == line.count(run) for line in lines) else run


def is_part_of(single: str, delimiter: str, lines: Sequence[str]) -> bool:
    """Whether a delimiter of one character is always part of one of several: ``||`` and the bar."""
    n_within = delimiter.count(single)
    lines = [line for line in lines[:LINES] if line.strip()]
    n_alike = sum(line.count(single) == n_within * line.count(delimiter) for line in lines)
    return n_within > 0 and n_alike >= LEAST_SHARE * len(lines)
