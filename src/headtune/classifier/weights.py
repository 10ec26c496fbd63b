"""Weights of texts and of labels, as scikit-learn's callers give them.

Only the ratio of weights counts: they are divided by their mean. A text of weight 0 is left out of
everything, as if it had not been given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from headtune.data import label_name
from headtune.errors import ConfigError, DataError, LabelError, option
from headtune.options import Balance
from headtune.types import Example, LabelSet

__all__ = ["LabelWeighing", "checked_weights", "label_weighing", "weighted"]

Weights = npt.NDArray[np.float64]


def checked_weights(weights: Any, n_texts: int) -> Weights | None:
    """``sample_weight`` as an array, ``(n_texts,)``; None where it is None.

    Raises ``DataError`` where it has not one finite number of at least 0 for each text, or all are
    0.
    """
    if weights is None:
        return None
    values = _as_numbers(weights)
    if values.shape != (n_texts,):
        raise _refusal(
            f"sample_weight must have one number for each of {n_texts:,} texts; received shape "
            f"{values.shape}."
        )
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        raise _refusal(
            f"Weight {wrong[0]} (counted from 0) is {values[wrong[0]]:g}; expected a finite number "
            "of at least 0.",
            row=int(wrong[0]) + 1,
        )
    if not values.any():
        raise _refusal("All weights are 0, so there is nothing to learn from or to measure.")
    return values


def _as_numbers(weights: Any) -> Weights:
    try:
        return np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _refusal(
            f"sample_weight must be numbers; received {type(weights).__name__} "
            f"({' '.join(str(error).split())[:80]})."
        ) from error


def _refusal(message: str, row: int | None = None) -> DataError:
    return DataError(message, option="sample_weight", row=row)


def weighted(
    examples: Sequence[Example], weights: Weights | None, labels: LabelSet
) -> list[Example]:
    """The examples with their weights, which average 1; those of weight 0 are left out.

    Raises ``LabelError`` where no text of a label is left.
    """
    if weights is None:
        return list(examples)
    kept: list[int] = np.flatnonzero(weights).tolist()
    _check_all_left(labels, {examples[i].label for i in kept} ^ {e.label for e in examples})
    relative = weights[kept] / weights.max()
    if relative.min() == 1.0:
        return [examples[i] for i in kept]
    relative /= relative.mean()
    return [
        replace(examples[i], weight=weight)
        for i, weight in zip(kept, relative.tolist(), strict=True)
    ]


def _check_all_left(labels: LabelSet, lost: set[int | None]) -> None:
    if lost:
        name = labels.names[min(index for index in lost if index is not None)]
        raise LabelError(
            f"Every text of the label {name!r} has weight 0, so it cannot be learned.",
            option="sample_weight",
            way_out="Leave these texts out, or give one of them a weight.",
        )


class LabelWeighing(TypedDict, total=False):
    """The options that ``class_weight`` stands for."""

    balance: Balance
    label_weight: tuple[str, ...]


def label_weighing(class_weight: Any, balance: Any) -> LabelWeighing:
    """``class_weight`` of scikit-learn as options of a run.

    Raises ``ConfigError`` where it is neither "balanced", a mapping of labels, nor None, or says
    otherwise than ``balance``.
    """
    if class_weight is None:
        return {}
    if isinstance(class_weight, Mapping):
        return {"label_weight": tuple(_item(*item) for item in class_weight.items())}
    if not isinstance(class_weight, str) or class_weight != "balanced":
        raise ConfigError(
            f'class_weight must be "balanced", a dict of labels or None; '
            f"received {class_weight!r:.80}.",
            option="class_weight",
        )
    if balance not in ("none", "weights"):
        raise ConfigError(
            f"{option('class_weight', 'balanced')} weighs the loss, and "
            f"{option('balance', balance)} changes how many texts there are of a label.",
            option="class_weight",
            way_out="Keep one of them.",
        )
    return {"balance": "weights"}


def _item(label: object, weight: Any) -> str:
    return f"{label_name(label)}={weight.item() if isinstance(weight, np.generic) else weight}"
