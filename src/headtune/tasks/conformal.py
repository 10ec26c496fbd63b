"""Answers that hold the truth in a stated share of texts: split conformal prediction.

On rows that training did not see, each row gets a score of how badly its truth fits; the score that
a share ``coverage`` of them stays below, with the correction for their number, bounds what later
answers may hold. If later texts are drawn as these rows were (exchangeable), the answer holds the
truth in at least that share of them, on average over such draws (Vovk et al., "Algorithmic Learning
in a Random World", 2005; Lei et al., "Distribution-Free Predictive Inference", 2018).

    sets of labels   adaptive prediction sets (Romano, Sesia, Candès, "Classification with Valid and
                     Adaptive Coverage", 2020): labels from the most probable one down, until their
                     probabilities reach the bound; the last one is in the set or not by chance, in
                     proportion to how far it reaches. The chance is a hash of the text's tokens, so
                     the same text has the same one everywhere
    intervals        the bound on the absolute error, to both sides

Guarantees: pure functions; float64. A set may be empty where the most probable label alone would
hold the truth more often than asked. Leaf module.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil, inf

import numpy as np
import numpy.typing as npt

from headtune.errors import PredictionError
from headtune.tasks.figures import SetFigures, SetsOfLabel
from headtune.tasks.metrics import accuracy_interval
from headtune.types import LabelSet, TokenizedExample

__all__ = [
    "SetRule",
    "chances_of",
    "conformal_bound",
    "prediction_sets",
    "set_figures",
    "set_scores",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

EVERYTHING = 2.0
"""A bound that every label's score is below."""


@dataclass(frozen=True, slots=True)
class SetRule:
    """What share of texts the sets shall hold the truth of, and the bound that does it."""

    coverage: float
    bound: float

    @classmethod
    def fitted(cls, coverage: float, scores: Floats) -> "SetRule":
        """From the scores of rows that training did not see, ``(n,)``."""
        return cls(coverage, min(conformal_bound(scores, coverage), EVERYTHING))


def conformal_bound(scores: Floats, coverage: float) -> float:
    """The ceil((n + 1) coverage)-th smallest of ``scores``, ``(n,)``; infinite where there is none.

    Raises ``PredictionError`` where ``coverage`` is not between 0 and 1, or there are no rows.
    """
    if not 0 < coverage < 1:
        raise PredictionError(f"A coverage is between 0 and 1; received {coverage:g}.")
    if len(scores) == 0:
        raise PredictionError("A coverage needs rows that training did not see; there are none.")
    place = ceil((len(scores) + 1) * coverage)
    return float(np.sort(scores)[place - 1]) if place <= len(scores) else inf


def chances_of(examples: Iterable[TokenizedExample]) -> Floats:
    """A number from 0 to 1 for each text, evenly spread: a hash of its tokens, ``(n,)``."""
    hashes = (blake2b(e.input_ids.tobytes(), digest_size=8).digest() for e in examples)
    return np.array([int.from_bytes(each, "little") / 2**64 for each in hashes], dtype=np.float64)


def set_scores(probabilities: Floats, label_ids: Ints, chances: Floats) -> Floats:
    """The score of each row's true label, ``(n,)``.

    Shapes: ``(n, n_labels)``, ``(n,)``, and ``(n,)`` from 0 to 1.
    """
    scores: Floats = _scores_of_all(probabilities, chances)[np.arange(len(label_ids)), label_ids]
    return scores


def prediction_sets(probabilities: Floats, chances: Floats, bound: float) -> Bools:
    """Which labels are in the set of each row, ``(n, n_labels)``. Shapes as in ``set_scores``."""
    sets: Bools = _scores_of_all(probabilities, chances) <= bound
    return sets


def set_figures(sets: Bools, label_ids: Ints, labels: LabelSet, coverage: float) -> SetFigures:
    """How sets do on labelled rows, all and by label. Shapes: ``(n, n_labels)``, ``(n,)``."""
    held, sizes = sets[np.arange(len(label_ids)), label_ids], sets.sum(axis=1)
    values, counts = np.unique(sizes, return_counts=True)
    return {
        "wanted": coverage,
        "n": len(sets),
        "coverage": float(held.mean()),
        "interval": list(accuracy_interval(int(held.sum()), len(sets))),
        "mean_size": float(sizes.mean()),
        "sizes": {str(size): n for size, n in zip(values.tolist(), counts.tolist(), strict=True)},
        "per_label": {
            name: _of_label(held[label_ids == index], sizes[label_ids == index])
            for index, name in enumerate(labels.names)
        },
    }


def _of_label(held: Bools, sizes: Ints) -> SetsOfLabel:
    if len(held) == 0:
        return {"n": 0, "coverage": None, "mean_size": None}
    return {"n": len(held), "coverage": float(held.mean()), "mean_size": float(sizes.mean())}


def _scores_of_all(probabilities: Floats, chances: Floats) -> Floats:
    """Each label's score: the probability of those above it, and a share of its own by chance."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    reached = np.cumsum(ranked, axis=1) - ranked * chances[:, None]
    scores = np.empty_like(reached)
    np.put_along_axis(scores, order, reached, axis=1)
    return scores
