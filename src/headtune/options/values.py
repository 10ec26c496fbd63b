"""Options to plain values and back: what a recipe, the manifest and an unfinished run hold.

A value is checked against the type of its field, so that a word where a number belongs, a
misspelt option or one under the wrong stage ends in one line that says where it is.

Leaf module: knows no option by name.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeAlias, get_args

from headtune.errors import ConfigError

__all__ = ["Stages", "stage_from_plain", "to_plain", "unknown_name"]

Stages: TypeAlias = Mapping[str, type[Any]]
"""Stage name -> its dataclass."""


def to_plain(value: Any) -> Any:
    """What JSON and YAML can hold: dicts, lists, texts, numbers; paths become texts."""
    if isinstance(value, dict):
        return {key: to_plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


def unknown_name(what: str, name: Any, known: Iterable[str], stages: Stages) -> ConfigError:
    """Where the name belongs to another stage, says to which; else what it is near to."""
    return ConfigError(f"Unknown {what}: {name!r}.", way_out=_instead(name, known, stages))


def _instead(name: Any, known: Iterable[str], stages: Stages) -> str:
    for stage, cls in stages.items():
        if name in {f.name for f in fields(cls)}:
            return f"It belongs under {stage!r}."
    from difflib import get_close_matches  # for a mistake only; costs --help 2 ms at the top

    near = get_close_matches(str(name), known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."


def stage_from_plain(stage: str, values: Any, stages: Stages) -> Any:
    """The options of one stage, checked. Raises ``ConfigError``, naming stage and option."""
    if not isinstance(values, dict):
        raise ConfigError(f"{stage!r} must hold options by name; received {values!r}.")
    cls = stages[stage]
    known = {f.name: f for f in fields(cls)}
    for name in values:
        if name not in known:
            raise unknown_name(f"option under {stage!r}", name, known, stages)
    converted = {name: _convert(stage, known[name], value) for name, value in values.items()}
    return cls(**converted)


def _convert(stage: str, option: Any, value: Any) -> Any:
    """A YAML or JSON value as the type of its field."""
    kinds = get_args(option.type) or (option.type,)
    if value is None:
        if type(None) not in kinds:
            raise _unfit(stage, option.name, "must have a value.")
        return None
    if get_args(option.type) and all(isinstance(kind, str) for kind in kinds):  # a Literal
        if value not in kinds:
            raise _unfit(stage, option.name, f"takes {', '.join(kinds)}; received {value!r}.")
        return value
    if option.type == tuple[str, ...]:
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list | tuple) or not all(isinstance(w, str) for w in words):
            raise _unfit(stage, option.name, f"must be words; received {value!r}.")
        return tuple(words)
    for kind in (bool, int, float, str, Path):
        if kind in kinds and _fits(value, kind):
            return kind(value)
    expected = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
    raise _unfit(stage, option.name, f"must be {expected}; received {value!r}.")


def _unfit(stage: str, name: str, reason: str) -> ConfigError:
    return ConfigError(f"Option {name!r} under {stage!r} {reason}", option=name)


def _fits(value: Any, kind: type) -> bool:
    if kind is bool:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind is Path:
        return isinstance(value, str | Path)
    if kind is float:  # YAML reads 5e-5 as a string: https://yaml.org/type/float.html wants 5.0e-5
        try:
            return isinstance(value, str | int | float) and math.isfinite(float(value))
        except ValueError:
            return False
    return isinstance(value, kind)
