"""Texts without what repeats differ in: two normal forms, one coarser than the other.

    folded        Unicode form NFKC, lower case, links to a space, white space to single spaces
    normal form   also: HTML entities to a space, every number to "0", everything that is not a
                  letter, a mark or a number to single spaces

A link begins with ``http://``, ``https://`` or ``www.`` and ends at white space. Letters, marks and
numbers are those of Unicode (general categories L, M, N), so that no alphabet is lost.

Guarantees: texts with one folded form have one normal form. Where folding leaves nothing (a text
that is only a link) the form is empty: such texts say nothing about each other.
The work is Arrow's.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["fold", "normal_form"]

LINK = r"(https?://|www\.)\S*"
ENTITY = r"&([a-z]{2,8}|#[0-9]{1,6}|#x[0-9a-f]{1,6});"
NUMBER = r"\p{N}+"
SPACE = r"[\s\p{Z}]+"
OTHER = r"[^\p{L}\p{M}\p{N}]+"


def fold(texts: Sequence[str] | pa.Array) -> pa.Array:
    """The folded form of each text, a string array of the same length."""
    column = pa.array(texts, pa.large_string())
    column = pc.utf8_lower(pc.utf8_normalize(column, form="NFKC"))
    return _spaced(pc.replace_substring_regex(column, LINK, " "), SPACE)


def normal_form(folded: pa.Array) -> pa.Array:
    """The normal form of texts that are folded."""
    column = pc.replace_substring_regex(folded, ENTITY, " ")
    return _spaced(pc.replace_substring_regex(column, NUMBER, "0"), OTHER)


def _spaced(column: pa.Array, between: str) -> pa.Array:
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(column, between, " "))
