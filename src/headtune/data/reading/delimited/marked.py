"""fastText's form: a text a line, its labels marked by ``__label__`` in front of it.

    __label__ham see you at home
    __label__sport __label__tennis what a match
    __label__ spam with a space behind the mark, as some scripts write it

It is told by its content: nine lines in ten begin with the mark, and no delimiter follows the label
(a CSV file whose labels have that prefix stays one); or nine in ten end with it. Columns are
``label`` and ``text``. Several labels of a text are joined by ``;``. A line without a label has
none; one that stands elsewhere in a line counts as well, as fastText has it.

Costs: one regular expression a line.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from headtune.data.reading.opening.decode import unreadable, written_out
from headtune.data.reading.table import Broken

__all__ = ["COLUMNS", "is_marked", "marked_notes", "marked_rows"]

COLUMNS = ("label", "text")
JOINED_BY = ";"
LEAST_SHARE = 0.9

MARK = "__label__"
BEGINNING = re.compile(rf"\s*{MARK}[ \t]?[^\s,;|\"]+(?:\s|$)")
ENDING = re.compile(rf"\s{MARK}[^\s,;|\"]+\s*$")
LABELS = re.compile(rf"(?<!\S){MARK}(?:[ \t](?!{MARK}))?(\S+)[ \t]*")


def is_marked(lines: Sequence[str]) -> bool:
    """Whether most lines begin with a marked label, or most end with one."""
    filled = [line for line in lines if line.strip()]
    for place in (BEGINNING.match, ENDING.search):
        n_marked = sum(place(line) is not None for line in filled)
        if n_marked > 0 and n_marked >= LEAST_SHARE * len(filled):
            return True
    return False


def marked_notes(lines: Sequence[str]) -> tuple[str, ...]:
    """What was found, in words."""
    n_several = sum(len(LABELS.findall(line)) > 1 for line in lines)
    if not n_several:
        return ("fastText: labels are marked by __label__",)
    return (
        "fastText: labels are marked by __label__",
        f"some texts have several labels, joined by {JOINED_BY} here",
    )


def marked_rows(lines: Iterable[str]) -> Iterator[list[str | None] | Broken]:
    """The label (None where there is none) and the text of each line that is not blank."""
    for line in lines:
        if not line.strip():
            continue
        if reason := unreadable([line]):
            yield Broken(reason, written_out(line).strip())
            continue
        labels = LABELS.findall(line)
        yield [JOINED_BY.join(labels) or None, LABELS.sub("", line).strip()]
