"""Rows that are the same text, in three grades: each groups more than the one before.

    exact    the same text, to the letter
    folded   the same without links, case and spacing          normal_form.py
    near     the same without digits and punctuation, too, or overlapping     shingles.py

Near repeats are connected: if A is near B and B near C, all three are one group. A text of which
folding leaves no letter (a bare link, a number) is near its exact repeats alone. Texts above
``MOST_CHARACTERS`` are compared by that beginning: folded ones have the same rest to the letter,
near ones may have any.

Costs: 50 bytes for each of the characters that are compared.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.repeats.normal_form import fold, normal_form
from headtune.data.repeats.shingles import MIN_CHARACTERS, overlapping_pairs

__all__ = ["Repeats", "connected", "find_repeats"]

Ints = npt.NDArray[np.int64]

MOST_CHARACTERS = 100_000
AS_LETTERS = str.maketrans("0123456789", "ghijklmnop")


@dataclass(frozen=True, slots=True)
class Repeats:
    """Group numbers of each row, ``(n_rows,)``, from 0 on and in the order of first rows.

    Rows of one exact group are in one folded group, and rows of that in one near group.
    """

    exact: Ints
    folded: Ints
    near: Ints

    def count(self, grade: str) -> int:
        """Rows that repeat an earlier row in this grade (exact repeats are folded ones, too)."""
        groups: Ints = getattr(self, grade)
        return len(groups) - (int(groups.max()) + 1 if len(groups) else 0)


def find_repeats(texts: Sequence[str]) -> Repeats:
    """The repeats among texts, in three grades."""
    numbers: dict[str, int] = {}
    exact = np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)
    distinct = [_beginning(text.strip()) for text in numbers]
    forms = fold(distinct)
    folded = _numbered(forms, distinct)
    near_of_folded = _near(forms.take(np.unique(folded, return_index=True)[1]))
    return Repeats(exact, folded[exact], near_of_folded[folded][exact])


def _beginning(text: str) -> str:
    """The text up to ``MOST_CHARACTERS``, and a word that stands for all that follows."""
    if len(text) <= MOST_CHARACTERS:
        return text
    rest = hashlib.sha256(text[MOST_CHARACTERS:].encode()).hexdigest()
    return f"{text[:MOST_CHARACTERS]} {rest.translate(AS_LETTERS)}"


def connected(n: int, pairs: Ints) -> Ints:
    """Numbers ``(n,)`` of the groups that pairs ``(n_pairs, 2)`` of 0 … n - 1 connect."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    groups = connected_components(graph, directed=False)[1]
    return _in_order(np.asarray(groups, dtype=np.int64))


def _in_order(groups: Ints) -> Ints:
    """The same groups, numbered by their first rows."""
    _, first, numbers = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[numbers]


def _numbered(forms: pa.Array, otherwise: Sequence[str]) -> Ints:
    """A number for each form; an empty one is as good as the text it came from."""
    empty = pc.equal(pc.utf8_length(forms), 0)
    marked = pa.array([f"\0{key}" for key in otherwise], pa.large_string())
    keys = pc.if_else(empty, marked, forms)
    return np.asarray(keys.dictionary_encode().indices, dtype=np.int64)


def _near(folded: pa.Array) -> Ints:
    """Near groups of distinct folded forms."""
    forms = normal_form(folded)
    lettered = pc.match_substring_regex(forms, r"\p{L}")
    own = [f"{i}" for i in range(len(forms))]
    nothing = pa.scalar("", pa.large_string())
    same = _numbered(pc.if_else(lettered, forms, nothing), own)
    first = np.unique(same, return_index=True)[1]
    distinct = forms.take(first)
    lengths = np.asarray(pc.utf8_length(distinct))
    long = np.flatnonzero((lengths >= MIN_CHARACTERS) & np.asarray(lettered.take(first)))
    pairs = overlapping_pairs(distinct.take(long).to_pylist())
    return connected(len(distinct), long[pairs])[same]
