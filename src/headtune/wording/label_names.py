"""The name of a label that is a plain Python value: what tables, JSON and callers agree on."""

import re

from headtune.wording.missing import is_missing

__all__ = ["TRUE_AND_FALSE", "plain_name"]

TRUE_AND_FALSE = ("true", "false")
_WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0+")


def plain_name(value: object) -> str | None:
    """``"TRUE"`` -> ``"true"``, 1.0 and ``" 1.0 "`` -> ``"1"``; None for what is missing."""
    if is_missing(value):
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    name = str(value).strip()
    if name.lower() in TRUE_AND_FALSE:
        return name.lower()
    whole = _WHOLE_FLOAT.fullmatch(name)  # "1.0" is what pandas writes where a label is missing
    return (whole[1] if whole else name) or None
