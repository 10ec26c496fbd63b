"""How several values become one text: ``{keyword}: {text}``, filled in one way wherever it is.

A value is written as Python writes it, without white space around it; one that is missing
(missing.py) is empty. Where all are empty there is no text. A brace itself is doubled.

Light: an answer to one text does not wait for the data stage.
"""

import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from headtune.wording.missing import is_missing

__all__ = ["Template"]


@dataclass(frozen=True, slots=True)
class Template:
    """A template taken apart: what stands before each field, and the field (None at the end)."""

    written: str
    pieces: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, written: str) -> "Template":
        """Raises ``ValueError`` where braces do not match."""
        parsed = string.Formatter().parse(written)
        return cls(written, tuple((before, field) for before, field, _, _ in parsed))

    @property
    def fields(self) -> list[str]:
        """The fields it names, each once, in order."""
        return list(dict.fromkeys(field for _, field in self.pieces if field is not None))

    def open(self, given: Collection[str]) -> list[str]:
        """The fields that are not among ``given``."""
        return [field for field in self.fields if field not in given]

    def join(self, values: Mapping[str, object], missing: Collection[str] = ()) -> str | None:
        """The text of one value for each field; None if all are empty, or ``missing`` words."""
        filled = {field: _as_text(values[field], missing) for field in self.fields}
        if not any(filled.values()):
            return None
        parts = (before + ("" if field is None else filled[field]) for before, field in self.pieces)
        return "".join(parts).strip()


def _as_text(value: object, missing: Collection[str]) -> str:
    return "" if is_missing(value, missing) else str(value).strip()
