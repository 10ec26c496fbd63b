"""A direction of the states that keeps every token but the labels' far from being the answer.

A language model gives each token the logit ``row . h``, so a classifier written into its output
embedding competes with all other tokens. Their row is set to

    mean of the label rows - SEPARATION * v,    with v . h about 1 for the state h of any text,

so that they lie ``SEPARATION * (v . h)`` or more below the best label: the mean of the label rows
is never above the largest. ``v`` is the ridge regression, without intercept, of the constant 1 on
states of texts. States behind a norm with bias obey such an equation exactly (the norm's output,
without gain and bias, sums to zero); behind a root-mean-square norm they come near to it, as
language models' states share a strong common direction.

Guarantees: ``v . h`` is measured on every text with that text left out of the regression, so the
figure is that of a text not seen before; the strength of the ridge is the one whose lowest figure
is best. Costs: a matrix of texts times texts, inverted a few times.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtune.errors import ExportError, option

__all__ = ["SEPARATION", "Direction", "constant_direction"]

SEPARATION = 1000.0
"""What other tokens are below the best label on the average text, in natural logarithms."""

LOWEST = 0.05
"""Least ``v . h`` of a text left out: e to the power of -50 for a token that is no label."""

RIDGES = np.logspace(-8, 1, 19)
"""Strengths tried, in shares of the mean square of a state."""


@dataclass(frozen=True, slots=True)
class Direction:
    """``v``, shape ``(hidden_size,)``, and the least ``v . h`` of a text that was left out."""

    vector: npt.NDArray[np.float64]
    lowest: float
    n_texts: int


def constant_direction(states: npt.NDArray[np.float32]) -> Direction:
    """The direction for states of shape ``(n_texts, hidden_size)``.

    Raises ``ExportError``, with the figure, where a text comes too near to the other side.
    """
    exact = states.astype(np.float64)
    gram = exact @ exact.T
    mean_square = np.trace(gram) / len(gram)
    coefficients, lowest = max(
        (_left_out(gram, ridge * mean_square) for ridge in RIDGES), key=lambda found: found[1]
    )
    if not lowest >= LOWEST:  # a NaN is refused, too
        raise ExportError(
            "The states of texts have too little in common for a language model to answer with "
            f"labels alone: {lowest:.2f} of the mean at the lowest of {len(states)} texts, and "
            f"{LOWEST} is needed.",
            option="to",
            way_out=f"Use {option('to', 'onnx')} or {option('to', 'transformers')}.",
        )
    return Direction(exact.T @ coefficients, float(lowest), len(states))


def _left_out(gram: npt.NDArray[np.float64], ridge: float) -> tuple[npt.NDArray[np.float64], float]:
    """Kernel ridge regression of 1: its coefficients, and the lowest value of a text left out.

    Leave-one-out in closed form (Rifkin and Lippert, "Notes on Regularized Least Squares", 2007):
    the residual of a text is its coefficient over its entry in the inverse's diagonal.
    """
    inverse = np.linalg.inv(gram + ridge * np.eye(len(gram)))
    coefficients = inverse.sum(axis=1)
    return coefficients, float((1 - coefficients / np.diag(inverse)).min())
