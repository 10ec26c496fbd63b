"""The probes put to what was written, in the tool it was written for.

Every export is read back from its folder and asked the probe texts; the largest difference in a
probability and the number of changed labels are measured, and beyond the tolerance of that
operation the export fails with both. A format that rounds (int8, GGUF) has a wider one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtune.errors import ProbeError
from headtune.tasks import SINGLE_LABEL, Task

__all__ = ["Agreement", "Tolerance", "agreement_of", "require"]

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The most that a probability may differ, and the share of labels that may change."""

    probability: float
    changed_labels: float = 0.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two ways of computing the same classifier are apart."""

    n_texts: int
    max_probability_difference: float
    n_changed_labels: int

    def __str__(self) -> str:
        return (
            f"probabilities differ by up to {self.max_probability_difference:.1g}, "
            f"{self.n_changed_labels} of {self.n_texts} labels changed"
        )


def agreement_of(
    expected: Probabilities, found: Probabilities, task: Task = SINGLE_LABEL
) -> Agreement:
    """Compare two arrays of probabilities, shape ``(n_texts, n_labels)``.

    Raises ``ProbeError`` when the shapes differ.
    """
    if expected.shape != found.shape:
        raise ProbeError(f"Expected probabilities of shape {expected.shape}, found {found.shape}.")
    difference = np.abs(expected - found)
    same = task.same_answer(task.decide(expected), task.decide(found))
    return Agreement(
        n_texts=len(expected),
        max_probability_difference=float(difference.max()) if difference.size else 0.0,
        n_changed_labels=int((~same).sum()),
    )


def require(agreement: Agreement, tolerance: Tolerance, what: str) -> None:
    """Raise ``ProbeError`` with both numbers if they are beyond the tolerance."""
    most_changed = tolerance.changed_labels * agreement.n_texts
    # "not below", so that a NaN is beyond it, too
    if (
        not agreement.max_probability_difference <= tolerance.probability
        or agreement.n_changed_labels > most_changed
    ):
        raise ProbeError(
            f"The {what} does not answer as the run does: {agreement} (at most "
            f"{tolerance.probability:g} and {int(most_changed)}). Nothing was written."
        )
