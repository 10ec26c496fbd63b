"""Labels as the caller has them (strings, integers, booleans), and as names."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from headtune.data import label_name
from headtune.types import LabelSet

__all__ = ["names_of", "original_values", "sorted_places"]


def names_of(labels: Iterable[Any]) -> list[str]:
    """Label values as names; a missing one is the empty name, which no classifier knows."""
    return [label_name(value) or "" for value in labels]


def original_values(labels: LabelSet) -> npt.NDArray[Any]:
    """The label set in the caller's own values, shape ``(n_labels,)``.

    Whole numbers are int64, booleans bool, strings and values of several types objects.
    """
    kinds = {type(value) for value in labels.values}
    return np.array(labels.values, dtype=object if kinds == {str} or len(kinds) > 1 else None)


def sorted_places(values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """The places of ``values`` in ascending order; as they are where several types have none."""
    try:
        return np.argsort(values, kind="stable")
    except TypeError:
        return np.arange(len(values))
