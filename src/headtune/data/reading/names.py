"""What columns are called, how they are listed, and what a number looks like."""

import re
from collections.abc import Sequence

__all__ = [
    "HEADER_NAMES",
    "LABEL_NAMES",
    "NAMES_OF_ONE_LABEL",
    "TEXT_NAMES",
    "as_float",
    "by_name",
    "is_number",
    "listed",
]

TEXT_NAMES = (
    ("text", "texts"),
    (
        "message", "messages", "sms", "tweet", "content", "review", "review_text", "review_body",
        "sentence", "body", "comment", "comment_text", "post", "document", "utterance", "question",
        "query", "headline", "abstract", "description", "email",
    ),
)  # fmt: skip
"""Names of text columns, the plainest first: one of a group is taken if no other of it is there."""

LABEL_NAMES = (
    ("label", "labels"),
    (
        "class", "target", "category", "sentiment", "spam", "is_spam", "topic", "intent", "rating",
        "polarity", "emotion", "stars", "y", "toxic",
    ),
)  # fmt: skip
"""Names of label columns, the plainest first."""

NAMES_OF_ONE_LABEL = frozenset({"spam", "is_spam", "toxic"})
"""Those of them that name a label: beside others of their kind, such a column is one of several."""

HEADER_NAMES = frozenset(
    name for names in (TEXT_NAMES, LABEL_NAMES) for group in names for name in group
) | {"id", "index", "row", "title", "date", "name", "user", "url", "keyword", "location", "split"}
"""Any of these in the first line makes it a header."""

MOST_LISTED = 30

_NUMBER = re.compile(r"[+-]?(\d+([.,:/-]\d+)*|\.\d+)([eE][+-]?\d+)?%?")
_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def by_name(
    names: Sequence[str], groups: Sequence[Sequence[str]], *, of_fields: bool = False
) -> list[str]:
    """The columns of the first group of names that any column belongs to.

    ``of_fields``: they are dotted names, of which the last part counts.
    """
    called = {name: name.rpartition(".")[2] if of_fields else name for name in names}
    for group in groups:
        found = [n for n in names if called[n].strip().lower().replace(" ", "_") in group]
        if found:
            return found
    return []


def is_number(text: str) -> bool:
    """Whether a field reads as a number, a percentage, a date or a time: not as a word."""
    return _NUMBER.fullmatch(text) is not None


def as_float(text: str) -> float | None:
    """The value of a plain number (not of "nan" or "inf"), None for anything else."""
    return float(text) if _FLOAT.fullmatch(text) else None


def listed(names: Sequence[str]) -> str:
    """Names for a message, in one line: all of them, or the first few and how many there are."""
    names = [" ".join(name.split()) for name in names]
    if len(names) <= MOST_LISTED:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_LISTED])}, … ({len(names):,} in all)"
