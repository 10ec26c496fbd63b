"""What a sweep tries: each setting one value, a few, or a range, as written on the command line.

    last-1,last-2,head      one of these
    1e-5..1e-3              anything between; by ratio for a learning rate, by difference elsewhere
    8                       always this

Knows no torch and no Optuna, so the command line reads its arguments with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from headtune.errors import ConfigError, option
from headtune.options import TuneConfig
from headtune.options.written import parse_duration, parse_tune

__all__ = ["SETTINGS", "Choice", "Range", "Space", "deepest", "parse_space", "seconds_of"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """A number from ``low`` to ``high``; ``by_ratio`` draws evenly on a log scale."""

    low: float
    high: float
    whole: bool = False
    by_ratio: bool = False


Space: TypeAlias = dict[str, Choice | Range]
"""Option name -> what it may be."""


def _tune(text: str) -> str:
    if parse_tune(text)[0] not in ("head", "last"):
        raise ConfigError(
            f"A sweep shares frozen layers, so {option('tune')} takes head and last-N; "
            f"received {text!r}.",
            option="tune",
            way_out="Try lora and full one by one with headtune train.",
        )
    return text


SETTINGS: dict[str, Callable[[str], Any]] = {
    "tune": _tune,
    "learning_rate": float,
    "batch_size": int,
    "epochs": float,
    "weight_decay": float,
    "warmup": float,
}
"""Options that can be searched, and how a value is read."""

BY_RATIO = ("learning_rate", "batch_size")


def parse_space(given: Mapping[str, str]) -> Space:
    """Option name -> text, to option name -> what it may be.

    Raises ``ConfigError`` on what is no value, list or range.
    """
    return {name: _parse(name, text) for name, text in given.items()}


def _parse(name: str, text: str) -> Choice | Range:
    read = SETTINGS[name]
    try:
        if ".." in text and name != "tune":
            low, high = (read(end) for end in text.split(".."))
            return _range(name, low, high)
        values = tuple(dict.fromkeys(read(part.strip()) for part in text.split(",")))
    except ConfigError:
        raise
    except ValueError:
        raise ConfigError(
            f"{option(name)} takes a value, several (1,2,3) or a range (1..3); received {text!r}.",
            option=name,
        ) from None
    return Choice(values)


def _range(name: str, low: float, high: float) -> Range:
    by_ratio = name in BY_RATIO
    if not low < high or (by_ratio and low <= 0):
        least = "above 0" if by_ratio else "a number"
        raise ConfigError(
            f"{option(name, f'{low:g}..{high:g}')} is no range: it must begin {least} and end "
            "higher.",
            option=name,
        )
    return Range(low, high, whole=SETTINGS[name] is int, by_ratio=by_ratio)


def deepest(space: Space) -> list[TuneConfig]:
    """The depths of a space, the one with most trained blocks first."""
    tunes = space["tune"]
    if not isinstance(tunes, Choice):
        raise TypeError("tune is chosen, not drawn from a range")
    configs = [TuneConfig(tune=tune) for tune in tunes.values]
    return sorted(configs, key=lambda config: -(config.trained_blocks or 0))


def seconds_of(text: str) -> float:
    """``"10m"`` -> 600. Raises ``ConfigError`` on anything but a number with s, m or h."""
    return parse_duration("seconds", text)
