"""The words of a text, as places in it: what lies between white space; in scripts that put none
between words (Chinese, Japanese, Thai, …) each character.
"""

import re

__all__ = ["UNSPACED", "word_spans"]

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Thai and Lao, Burmese, Khmer, Kana, Han."""

WORD = re.compile(rf"[{UNSPACED}]|[^\s{UNSPACED}]+")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word, in order."""
    return [match.span() for match in WORD.finditer(text)]
