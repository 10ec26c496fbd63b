"""What the parts of a data set are called: here, and by people."""

from collections.abc import Mapping
from typing import Any

from headtune.errors import DataError

__all__ = ["PARTS", "PART_NAMES", "part_names"]

PARTS = ("train", "validation", "test")
"""In their order."""

PART_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "eval": "validation",
    "evaluation": "validation",
    "test": "test",
    "testing": "test",
}
"""What people call the parts -> what headtune calls them."""


def part_names(splits: Mapping[str, Any]) -> dict[str, str]:
    """Part -> split, in the order train, validation, test, for the splits that are parts.

    A single split is the training part whatever its name. Raises ``DataError`` without a train.
    """
    if len(splits) == 1:
        return {"train": next(iter(splits))}
    found = {PART_NAMES[split.lower()]: split for split in splits if split.lower() in PART_NAMES}
    if "train" not in found:
        raise DataError(
            f"Expected a split named train; found {', '.join(splits)}.",
            way_out="Choose one: owner/name@split on the command line, or dataset[split] in "
            "Python.",
        )
    return {part: found[part] for part in PARTS if part in found}
