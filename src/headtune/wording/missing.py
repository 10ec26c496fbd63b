"""What stands for no value: in a label, or in a field of a template."""

from numbers import Real

__all__ = ["is_missing"]


def is_missing(value: object) -> bool:
    """Whether it is None, not-a-number, or NA or NaT of pandas."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, Real) and value != value
