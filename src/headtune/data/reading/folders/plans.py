"""What a part of a folder was found to be: a small type for each form, which its reader takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

__all__ = ["Layout", "LinesBeside", "LinesByFile", "Plan", "Tables", "Texts"]


@dataclass(frozen=True, slots=True)
class Texts:
    """A file a text. ``labels`` are those of the files, ``levels`` the names of the folders above
    each, from the top; both empty where the folder says nothing, the second also where there is one
    level only."""

    files: tuple[str, ...]
    labels: tuple[str, ...] = ()
    levels: tuple[tuple[str, ...], ...] = ()

    def renamed(self, real: Mapping[str, str]) -> "Texts":
        """The same, with other names of the files."""
        return replace(self, files=tuple(real[name] for name in self.files))


@dataclass(frozen=True, slots=True)
class Tables:
    """Files of one table, one after another. ``levels``: as with ``Texts``."""

    files: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...] = ()

    def renamed(self, real: Mapping[str, str]) -> "Tables":
        """The same, with other names of the files."""
        return replace(self, files=tuple(real[name] for name in self.files))


@dataclass(frozen=True, slots=True)
class LinesByFile:
    """A text a line, the label in the name of the file."""

    files: tuple[str, ...]
    labels: tuple[str, ...]

    def renamed(self, real: Mapping[str, str]) -> "LinesByFile":
        """The same, with other names of the files."""
        return replace(self, files=tuple(real[name] for name in self.files))


@dataclass(frozen=True, slots=True)
class LinesBeside:
    """A text a line, and its label in the same line of another file, if there is one.

    ``names`` says what the labels of that file are called, where it has numbers.
    """

    texts: str
    labels: str | None
    names: Mapping[str, str]

    def renamed(self, real: Mapping[str, str]) -> "LinesBeside":
        """The same, with other names of the files."""
        labels = None if self.labels is None else real[self.labels]
        return replace(self, texts=real[self.texts], labels=labels)


Plan: TypeAlias = Texts | Tables | LinesByFile | LinesBeside


@dataclass(frozen=True, slots=True)
class Layout:
    """The plan of each part, ``train`` first, and what was found, in words."""

    parts: Mapping[str, Plan]
    notes: tuple[str, ...]
