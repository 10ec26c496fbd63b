"""Where a classifier errs: which labels it confuses, which texts it is sure of and wrong about,
and whether long texts are harder.

    confusion   part, labels, counts (rows: true label, columns: predicted label)
    mistakes    row, text, label, predicted, probability (of the predicted label), surest first
    lengths     low, high, n, errors: about eight ranges of length in tokens, equally filled

A sure mistake is often a wrong label, or a text that belongs to both.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from headtune.report.entries import Confusion, LengthRange, Mistake
from headtune.tasks import SINGLE_LABEL, Task
from headtune.types import Example, LabelSet

__all__ = ["MOST_LISTED", "confusion_of", "errors_by_length", "surest_mistakes"]

MOST_LISTED = 50
"""Rows that a report lists of a kind."""

LENGTH_BINS = 8

Probabilities = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


def confusion_of(
    probabilities: Probabilities,
    label_ids: Ids,
    labels: LabelSet,
    part: str,
    task: Task = SINGLE_LABEL,
) -> Confusion:
    """The confusion matrix of a part, with the names that its rows and columns stand for."""
    counts = task.confusion(probabilities, label_ids, labels)
    return {"part": part, "labels": list(labels.names), "counts": counts}


def surest_mistakes(
    probabilities: Probabilities,
    examples: Sequence[Example],
    label_ids: Ids,
    labels: LabelSet,
    task: Task = SINGLE_LABEL,
) -> list[Mistake]:
    """At most fifty wrongly answered rows, the surest first; equally sure ones in row order."""
    certainty = task.certainty(probabilities)  # (n,)
    wrong = np.flatnonzero(~task.is_right(probabilities, label_ids))
    surest = wrong[np.argsort(-certainty[wrong], kind="stable")][:MOST_LISTED]
    given = task.named(label_ids[surest], labels)
    predicted = task.named(task.decide(probabilities[surest]), labels)
    return [
        {
            "row": examples[index].row,
            "text": examples[index].text,
            "label": label,
            "predicted": answer,
            "probability": float(certainty[index]),
        }
        for index, label, answer in zip(surest, given, predicted, strict=True)
    ]


def errors_by_length(
    probabilities: Probabilities,
    lengths: Sequence[int],
    label_ids: Ids,
    task: Task = SINGLE_LABEL,
) -> list[LengthRange]:
    """Rows and errors in ranges of length, both ends of a range within it."""
    sizes = np.asarray(lengths)
    wrong = ~task.is_right(probabilities, label_ids)
    cuts = np.unique(np.quantile(sizes, np.linspace(0, 1, LENGTH_BINS + 1)).astype(np.int64))
    edges = [*cuts[:-1].tolist(), int(sizes.max()) + 1] if len(cuts) > 1 else [cuts[0], cuts[0] + 1]
    bins: list[LengthRange] = []
    for low, high in pairwise(edges):
        within = (sizes >= low) & (sizes < high)
        if not within.any():  # a cut between two lengths is rounded down to one that nobody has
            continue
        bins.append(
            {
                "low": int(sizes[within].min()),
                "high": int(sizes[within].max()),
                "n": int(within.sum()),
                "errors": int(wrong[within].sum()),
            }
        )
    return bins
