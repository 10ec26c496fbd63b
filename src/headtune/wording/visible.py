"""Characters that do something to a terminal instead of being seen, written out.

A label, a file name or a text may hold an escape sequence that renames the window or clears the
screen, or a bidirectional override that shows words in another order than the one they have.
``visible`` writes these characters as Python does in a string: ``\\x1b``, ``\\u202e``. What is kept
in files stays as it is; only what people are shown goes through here.

Written out are the control characters of ASCII and Latin-1 but for the line end and the tab,
U+2028 and U+2029 (line ends to some), the bidirectional embeddings, overrides and isolates
(Unicode Standard Annex 9), and lone surrogates, which no terminal could be sent.

Leaf module.
"""

import re
from io import TextIOBase
from typing import TextIO

__all__ = ["UNSEEN", "VisibleFile", "visible", "visible_name"]

UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""One character that is written out."""


def visible(text: str) -> str:
    """The text with what cannot be seen written out; line ends and tabs stay."""
    return UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def visible_name(name: str) -> str:
    """A name on one line: line ends and tabs are written out, too."""
    return visible(name).replace("\n", "\\n").replace("\t", "\\t")


class VisibleFile(TextIOBase):
    """A file to write to that passes on what can be seen; for csv's writer, on a terminal."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, text: str) -> int:
        """Takes any text. Returns how many characters it had."""
        self.file.write(visible(text))
        return len(text)

    def flush(self) -> None:
        self.file.flush()
