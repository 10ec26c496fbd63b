"""What a person writes for an option, as values: sizes in bytes, ways of tuning, shares by label.

Leaf module: no torch, no transformers.
"""

import re
from collections.abc import Callable
from math import inf, nan

from headtune.errors import ConfigError, option

__all__ = ["parse_duration", "parse_shares", "parse_size", "parse_tune", "parse_weights"]


def parse_size(given_by: str, size: int | str) -> int:
    """``"20GB"`` -> 20,000,000,000 bytes; kB, MB, GB and TB are powers of 1,000.

    ``given_by`` is the name of the option. Raises ``ConfigError`` on anything else.
    """
    found = re.fullmatch(r"(\d{1,18}(?:\.\d{1,18})?) ?([kmgt]?)b?", str(size).strip().lower())
    if found is None:
        raise ConfigError(
            f"{option(given_by)} takes bytes or a size such as 20GB or 500MB; received {size!r}.",
            option=given_by,
        )
    return int(float(found[1]) * 1000 ** (" kmgt".index(found[2] or " ")))


def parse_duration(given_by: str, written: str) -> float:
    """``"10m"`` -> 600.0 seconds; s, m and h. Raises ``ConfigError`` on anything else.

    ``given_by`` is the name of the option.
    """
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?(?:e[+-]?\d{1,2})?)([smh])", str(written).strip())
    seconds = float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else 0.0
    if seconds <= 0:
        raise ConfigError(
            f"{option(given_by)} takes a duration such as 90s, 10m or 2h; received "
            f"{str(written)[:40]!r}.",
            option=given_by,
        )
    return seconds


def parse_tune(tune: str) -> tuple[str, int]:
    """``"last-2"`` -> ``("last", 2)``; ``"head"``, ``"lora"``, ``"full"`` -> ``(tune, 0)``.

    Raises ``ConfigError`` on anything else.
    """
    if tune in ("head", "lora", "full"):
        return tune, 0
    if found := re.fullmatch(r"last-0{0,9}([1-9][0-9]{0,4})", tune):
        return "last", int(found[1])
    raise ConfigError(
        f"{option('tune')} takes head, last-N (last-1, last-2, …), lora or full; "
        f"received {str(tune)[:40]!r}.",
        option="tune",
    )


def parse_shares(given_by: str, items: tuple[str, ...]) -> dict[str, float]:
    """``("spam=0.9",)`` -> ``{"spam": 0.9}``. Raises ``ConfigError`` on anything else.

    ``given_by`` is the name of the option that holds the items.
    """
    expected = "a number above 0 and up to 1, such as spam=0.9"
    return _by_label(given_by, items, expected, lambda share: 0 < share <= 1)


def parse_weights(given_by: str, items: tuple[str, ...]) -> dict[str, float]:
    """``("spam=3",)`` -> ``{"spam": 3.0}``; as ``parse_shares``, of any size above 0."""
    expected = "a finite number above 0, such as spam=3"
    return _by_label(given_by, items, expected, lambda weight: 0 < weight < inf)


def _by_label(
    given_by: str, items: tuple[str, ...], expected: str, fits: Callable[[float], bool]
) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for item in items:
        name, equals, written = item.rpartition("=")
        try:
            number = float(written)
        except ValueError:
            number = nan
        if not equals or not name or not fits(number):
            raise ConfigError(
                f"{option(given_by)} takes a label and {expected}; received {item!r}.",
                option=given_by,
            )
        if name in numbers:
            twice = f"{option(given_by)} names the label {name!r} twice."
            raise ConfigError(twice, option=given_by)
        numbers[name] = number
    return numbers
