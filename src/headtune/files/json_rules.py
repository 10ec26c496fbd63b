"""What a JSON value may be, said as data: a rule a field, checked before anything uses the value.

    Record({
        "labels": Field(ListOf(Text(most=100), least=2, most=10)),
        "max_length": Field(Whole(1, 2**31 - 1)),
        "template": Field(OrNull(Text(most=1_000)), required=False),
    }).check(values)

Every rule bounds what it lets through: texts in characters, numbers in size, lists and mappings in
entries. ``True`` is no number. What does not fit is a ``ValueError`` of one line: the place, what
was expected, and the beginning of what was received.

Leaf module. Costs: one look at each value; 65,000 labels take 0.1 s.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = [
    "Field",
    "ListOf",
    "MapOf",
    "Number",
    "OneOf",
    "OrNull",
    "Plain",
    "Record",
    "Rule",
    "Text",
    "Truth",
    "Whole",
    "shown",
]

MOST_SHOWN = 60  # characters of a value in a message


class Rule(Protocol):
    """What a value may be; ``what`` says so in words."""

    @property
    def what(self) -> str: ...

    def check(self, value: Any, place: str = "") -> None:
        """Raises ``ValueError`` naming the place, such as ``base_model.name``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string of ``least`` to ``most`` characters that matches ``pattern`` as a whole."""

    most: int
    least: int = 0
    pattern: str = ""
    what: str = "a string"

    def check(self, value: Any, place: str = "") -> None:
        if not isinstance(value, str):
            raise _refusal(place, self.what, value)
        if not self.least <= len(value) <= self.most:
            expected = f"{self.what} of {self.least:,} to {self.most:,} characters"
            raise _refusal(place, expected, value)
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise _refusal(place, self.what, value)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, both ends included."""

    least: int
    most: int

    @property
    def what(self) -> str:
        return f"a whole number from {self.least:,} to {self.most:,}"

    def check(self, value: Any, place: str = "") -> None:
        if type(value) is not int or not self.least <= value <= self.most:
            raise _refusal(place, self.what, value)


@dataclass(frozen=True, slots=True)
class Number:
    """A number, both ends included; not-a-number is none."""

    least: float
    most: float

    @property
    def what(self) -> str:
        return f"a number from {self.least:g} to {self.most:g}"

    def check(self, value: Any, place: str = "") -> None:
        if type(value) not in (int, float) or not self.least <= value <= self.most:
            raise _refusal(place, self.what, value)


@dataclass(frozen=True, slots=True)
class Truth:
    """True or false."""

    what: str = "true or false"

    def check(self, value: Any, place: str = "") -> None:
        if not isinstance(value, bool):
            raise _refusal(place, self.what, value)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def what(self) -> str:
        return " or ".join(self.words)

    def check(self, value: Any, place: str = "") -> None:
        if not isinstance(value, str) or value not in self.words:
            raise _refusal(place, self.what, value)


@dataclass(frozen=True, slots=True)
class OrNull:
    """What one of the rules allows, or null; more than one for values of several types."""

    rules: tuple[Rule, ...]

    def __init__(self, *rules: Rule) -> None:
        object.__setattr__(self, "rules", rules)

    @property
    def what(self) -> str:
        return " or ".join([*(rule.what for rule in self.rules), "null"])

    def check(self, value: Any, place: str = "") -> None:
        if value is None:
            return
        if len(self.rules) == 1:
            self.rules[0].check(value, place)
        elif not any(_fits(rule, value) for rule in self.rules):
            raise _refusal(place, self.what, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list of values that fit one rule; with ``distinct`` no two texts are equal."""

    values: Rule
    most: int
    least: int = 0
    distinct: bool = False
    what: str = "a list"

    def check(self, value: Any, place: str = "") -> None:
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise _refusal(place, self.what, value)
        for index, inner in enumerate(value):
            self.values.check(inner, f"{place}[{index}]")
        if self.distinct and len(set(value)) != len(value):
            raise _refusal(place, self.what, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf:
    """An object of any keys that fit one rule, its values another."""

    keys: Text
    values: Rule
    most: int
    what: str = "an object"

    def check(self, value: Any, place: str = "") -> None:
        if not isinstance(value, dict) or len(value) > self.most:
            raise _refusal(place, self.what, value)
        for key, inner in value.items():
            self.keys.check(key, f"a key of {place}")
            self.values.check(inner, f"{place}.{key[:MOST_SHOWN]}")


@dataclass(frozen=True, slots=True)
class Plain:
    """Any value of at most ``most`` values in all: what is only looked at, by those who know it."""

    most: int

    @property
    def what(self) -> str:
        return f"at most {self.most:,} values"

    def check(self, value: Any, place: str = "") -> None:
        waiting, n_values = [value], 0
        while waiting:
            inner = waiting.pop()
            n_values += 1
            if n_values > self.most:
                raise _refusal(place, self.what, value)
            if isinstance(inner, list | dict):
                waiting.extend(inner.values() if isinstance(inner, dict) else inner)


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a record."""

    rule: Rule
    required: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """An object of known keys, each with its rule; an ``others`` rule lets unknown ones in."""

    fields: Mapping[str, Field]
    others: MapOf | None = None
    what: str = "an object"

    def check(self, value: Any, place: str = "") -> None:
        if not isinstance(value, dict):
            raise _refusal(place, self.what, value)
        unknown = {key: inner for key, inner in value.items() if key not in self.fields}
        if self.others is not None:
            self.others.check(unknown, place)
        elif unknown:
            raise ValueError(f"{_inside(place)}an unknown key: {shown(min(unknown))}")
        for name, field in self.fields.items():
            inner_place = f"{place}.{name}" if place else name
            if name in value:
                field.rule.check(value[name], inner_place)
            elif field.required:
                raise ValueError(f"{inner_place!r} is missing; it must be {field.rule.what}")


def shown(value: Any) -> str:
    """The beginning of a value on one line, without what a terminal would act on."""
    if isinstance(value, str):
        return repr(value) if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]!r}…"
    if isinstance(value, list):
        return f"a list of {len(value):,}"
    if isinstance(value, dict):
        return f"an object of {len(value):,} keys"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**MOST_SHOWN:
        return "a longer number"
    return {None: "null", True: "true", False: "false"}.get(value) or repr(value)


def _fits(rule: Rule, value: Any) -> bool:
    try:
        rule.check(value)
    except ValueError:
        return False
    return True


def _inside(place: str) -> str:
    return f"{place!r} has " if place else "it has "


def _refusal(place: str, expected: str, value: Any) -> ValueError:
    return ValueError(f"{place!r} must be {expected}; received {shown(value)}")
