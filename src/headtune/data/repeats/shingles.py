"""Which texts overlap: MinHash finds the candidates, their shingles decide.

    1. A text is the set of its shingles: all runs of ``SHINGLE`` characters, hashed to 64 bits.
    2. MinHash (rensa, in Rust) sums a set up in ``PERMUTATIONS`` numbers, which agree between two
       texts as often as their sets overlap (Broder, 1997).
    3. Texts that agree in all ``ROWS`` numbers of a band are candidates (locality-sensitive
       hashing; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).
    4. A pair of candidates is kept if the Jaccard similarity of the sets themselves reaches
       ``THRESHOLD``: the same words in the same order but for one in eight, say.

Guarantees: no pair below the threshold; of pairs at the threshold 99.9 % are found, of closer ones
more. In a band with very many like texts each is compared with its ``WINDOW`` neighbours, which is
enough to connect them. The same texts give the same pairs.
Costs: time grows with the characters, not with pairs of texts.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import rensa
from scipy.sparse import csr_array

__all__ = ["MIN_CHARACTERS", "overlapping_pairs"]

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

SHINGLE = 5
MIN_CHARACTERS = 20
"""Shorter texts have too few shingles to tell a near repeat from another text."""

THRESHOLD = 0.7
BANDS = 40
ROWS = 5
PERMUTATIONS = BANDS * ROWS
WINDOW = 8
SEED = 1
CHARACTERS_PER_CHUNK = 1_000_000
PAIRS_PER_CHUNK = 20_000
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd
MIXER = np.uint64(0xBF58476D1CE4E5B9)  # of SplitMix64's finalizer (Steele et al., 2014)


def overlapping_pairs(texts: Sequence[str]) -> Ints:
    """Pairs of indices of texts that overlap, shape ``(n_pairs, 2)``.

    ``texts`` are distinct normal forms of at least ``MIN_CHARACTERS``.
    """
    suspects = _suspects(texts)
    if len(suspects) == 0:
        return np.empty((0, 2), dtype=np.int64)
    chosen = [texts[i] for i in suspects]
    signatures = np.concatenate(
        [np.array(digests.to_rows(), dtype=np.uint32) for digests in _digests(chosen)]
    )
    candidates = _candidates(signatures)
    kept = _jaccard(chosen, candidates) >= THRESHOLD
    return suspects[candidates[kept]]


def _suspects(texts: Sequence[str]) -> Ints:
    """Indices of texts that share a band with another."""
    index = rensa.RMinHashLSH(THRESHOLD, PERMUTATIONS, BANDS)
    matrices = list(_digests(texts))
    start = 0
    for digests in matrices:
        index.insert_matrix(digests, start)
        start += digests.len()
    flags = [flag for digests in matrices for flag in index.query_duplicate_flags_matrix(digests)]
    return np.flatnonzero(flags)


def _digests(texts: Sequence[str]) -> Iterator["rensa.RMinHashDigestMatrix"]:
    for chunk in _chunks(texts):
        hashes, offsets = _shingles(chunk)
        yield rensa.RMinHash.digest_matrix_from_flat_token_hashes(
            hashes, offsets.astype(np.uint64), PERMUTATIONS, SEED
        )


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Runs of texts of so many characters together."""
    if not texts:
        return
    ends = np.cumsum([len(text) for text in texts]) // CHARACTERS_PER_CHUNK
    cuts = [0, *(np.flatnonzero(np.diff(ends)) + 1).tolist(), len(texts)]
    for start, end in pairwise(cuts):
        yield texts[start:end]


def _shingles(texts: Sequence[str]) -> tuple[Hashes, Ints]:
    """Hashes of the shingles of each text, one after another, and where each text's begin.

    Shapes ``(n_shingles,)`` and ``(n_texts + 1,)``.
    """
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    counts = np.maximum(lengths - SHINGLE + 1, 0)
    n_windows = max(len(characters) - SHINGLE + 1, 0)
    hashes = np.zeros(n_windows, dtype=np.uint64)
    for place in range(SHINGLE):
        hashes = hashes * MULTIPLIER + characters[place : n_windows + place]
    hashes ^= hashes >> np.uint64(29)
    hashes *= MIXER
    hashes ^= hashes >> np.uint64(32)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    begins = np.cumsum(lengths) - lengths - offsets[:-1]
    return hashes[np.arange(offsets[-1]) + np.repeat(begins, counts)], offsets


def _candidates(signatures: npt.NDArray[np.uint32]) -> Ints:
    """Pairs of rows that agree in a band, ``(n_pairs, 2)``; in large bands, neighbours only."""
    n = len(signatures)
    codes: list[Ints] = []
    for band in range(BANDS):
        columns = np.roll(signatures, -band * ROWS, axis=1)
        # Sorted by this band, then by the next one, so that the most alike are neighbours.
        order = np.lexsort(columns[:, : 2 * ROWS].T[::-1])
        here = columns[order, :ROWS]
        for distance in range(1, min(WINDOW, n - 1) + 1):
            same = (here[distance:] == here[:-distance]).all(axis=1)
            first, second = order[:-distance][same], order[distance:][same]
            codes.append(np.minimum(first, second) * n + np.maximum(first, second))
    pairs = np.unique(np.concatenate(codes))
    return np.stack(np.divmod(pairs, n), axis=1)


def _jaccard(texts: Sequence[str], pairs: Ints) -> npt.NDArray[np.float64]:
    """Jaccard similarity of the shingle sets of each pair, ``(n_pairs,)``."""
    sets = _as_sets(texts)
    sizes = np.diff(sets.indptr)
    shared = np.concatenate(
        [
            (sets[chunk[:, 0]] * sets[chunk[:, 1]]).sum(axis=1)
            for chunk in np.array_split(pairs, len(pairs) // PAIRS_PER_CHUNK + 1)
        ]
    )
    return np.asarray(shared / (sizes[pairs].sum(axis=1) - shared), dtype=np.float64)


def _as_sets(texts: Sequence[str]) -> csr_array:
    """Texts as rows, shingles as columns, 1 where a text has the shingle."""
    hashes: list[Ints] = []
    counts: list[Ints] = []
    for chunk in _chunks(texts):
        found, offsets = _shingles(chunk)
        hashes.append((found >> np.uint64(33)).astype(np.int64))  # 31 bits: a column number
        counts.append(np.diff(offsets))
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    columns = np.concatenate(hashes)
    ones = np.ones(len(columns), dtype=np.int32)
    sets = csr_array((ones, columns, offsets), shape=(len(texts), 2**31))
    sets.sum_duplicates()
    sets.data[:] = 1
    return sets
