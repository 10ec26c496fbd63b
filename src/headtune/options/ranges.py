"""Numbers that an option may have: what is out of range is refused before any work.

Each check takes the options of a stage and names of their fields; a field that is None is left to
its default. Not-a-number is in no range, and infinity is refused.

Leaf module.
"""

import math
from typing import Any

from headtune.errors import ConfigError, option

__all__ = ["check_above_zero", "check_at_least", "check_seed"]

MOST_SEED = 2**32 - 1
"""What numpy's generators take."""


def check_at_least(options: Any, least: int, *names: str) -> None:
    """Raises ``ConfigError`` on the first that is below ``least``."""
    for name in names:
        value = getattr(options, name)
        if value is not None and not least <= value < math.inf:
            raise _out_of_range(name, f"at least {least}", value)


def check_above_zero(options: Any, *names: str) -> None:
    """Raises ``ConfigError`` on the first that is 0 or below."""
    for name in names:
        value = getattr(options, name)
        if value is not None and not 0 < value < math.inf:
            raise _out_of_range(name, "above 0", value)


def check_seed(options: Any, name: str) -> None:
    """Raises ``ConfigError`` on what is no seed."""
    if not 0 <= getattr(options, name) <= MOST_SEED:
        raise _out_of_range(name, f"between 0 and {MOST_SEED}", getattr(options, name))


def _out_of_range(name: str, expected: str, value: object) -> ConfigError:
    return ConfigError(f"{option(name)} must be {expected}; received {value}.", option=name)
