"""What stands for no value: in a label, in a text, or in a field of a template."""

from collections.abc import Collection
from numbers import Real

__all__ = ["is_missing"]


def is_missing(value: object, words: Collection[str] = ()) -> bool:
    """Whether it is None, not-a-number, NA or NaT of pandas, or one of these words."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if words and isinstance(value, str):
        return value.strip() in words
    return isinstance(value, Real) and value != value
