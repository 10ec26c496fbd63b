"""The sentence a report begins with when what it measured on was trained on.

    Of 120 test texts, 10 are copies of training texts and 14 more are nearly so (test row 201 and
    training row 1 to begin with): the figures are too good. Let headtune split the data, or remove
    the copies.

It speaks of the part that the figures speak of: test, else validation. What counts as a copy is in
``data/repeats/leaks.py``.
"""

from headtune.tasks.figures import HELD_BACK
from headtune.types import DataAccount, LeakedRows, Leaks
from headtune.wording.numbers import count

__all__ = ["leak_sentence"]


def leak_sentence(data: DataAccount) -> str:
    """For the ``data`` of a report; empty where nothing leaks, or nothing is known of it."""
    leaks = data.get("leaks")
    if not leaks:
        return ""
    for part in reversed(HELD_BACK):
        found = leaks[part]
        if found["exact"] or found["near"]:
            texts = count(found["rows"], f"{part} text")
            where = _first(leaks, part)
            way_out = _way_out(data)
            return f"Of {texts}, {_copies(found)}{where}: the figures are too good. {way_out}"
    return ""


def _copies(found: LeakedRows) -> str:
    exact, near = found["exact"], found["near"]
    if not exact:
        return f"{near:,} {'is' if near == 1 else 'are'} nearly the same as a training text"
    copies = f"{exact:,} {'is a copy' if exact == 1 else 'are copies'} of a training text"
    if not near:
        return copies
    return f"{copies} and {near:,} more {'is' if near == 1 else 'are'} nearly so"


def _first(leaks: Leaks, part: str) -> str:
    for example in leaks["examples"]:
        if example["part"] == part:
            return (
                f" (to begin with, {part} row {example['row']:,} and training row "
                f"{example['train_row']:,})"
            )
    return ""


def _way_out(data: DataAccount) -> str:
    split = str(data.get("split", ""))
    if split.startswith("given by"):
        return "Let headtune split the data, or remove the copies."
    if "by time" in split:
        return "A split by time may divide copies: remove all but the oldest of each."
    return "They follow a pattern with many rows, which was divided: remove all but a few of them."
