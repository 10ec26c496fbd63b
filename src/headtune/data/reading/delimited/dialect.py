"""How the fields of a record are told apart: what separates, what encloses, what escapes.

The csv module takes delimiters of one character. Where ``dialect.delimiter`` has several, and where
a space is to separate only once, lines are changed before the module sees them: the delimiter
becomes ``SEPARATOR``, one character that texts do not have, and a field that held the delimiter
within quotes gets it back. An escape is undone where it stands before what needs one (a quote, the
delimiter, a line end, itself); before anything else it is a character like others, so that
``C:\\new`` stays a path where the module would make ``C:new`` of it.

Costs: nothing for a delimiter of one character without an escape; else one replacement a line.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from headtune.errors import ConfigError, option
from headtune.options import DataConfig

__all__ = ["DELIMITERS", "NO_DELIMITER", "SEPARATOR", "Dialect", "given_delimiter"]

NO_DELIMITER = "\x1f"
"""Stands for "one column": the unit separator, which occurs in no text file."""

SEPARATOR = "\ufdd0"
"""Stands for a delimiter of several characters: a code point that is no character, ever."""

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
"""What is tried where nothing is given."""

NAMED = DELIMITERS | {" ": "space"}
FIRST_WORD = re.compile(r"[ \t]*([^ \t\r\n]+)[ \t]+")
Change = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What separates fields; ``quote`` encloses them, or is None where quotes are ordinary
    characters; after ``escape`` a quote or a delimiter is one, and ends nothing.

    Lines that begin with ``comment`` are none. A space without quotes separates once, behind the
    first word: ``ham see you at home``.
    """

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    comment: str | None = None

    @property
    def separates_once(self) -> bool:
        """Whether the first word is one field, and all that follows the other."""
        return self.delimiter == " " and self.quote is None

    @property
    def is_translated(self) -> bool:
        """Whether the csv module sees ``SEPARATOR`` in place of the delimiter."""
        return len(self.delimiter) > 1 or self.separates_once

    @property
    def character(self) -> str:
        """The delimiter as the csv module sees it."""
        return SEPARATOR if self.is_translated else self.delimiter

    def change(self) -> Change | None:
        """What is done to each line before the csv module sees it, if anything."""
        if self.separates_once:
            return _first_word_apart
        if self.is_translated and self.escape is None:
            return self._with_separator
        if self.escape is None:
            return None
        keep = _escapes_kept(self.escape, self.quote, self.character)
        if not self.is_translated:
            return keep
        return lambda line: keep(self._with_separator(line))

    def restored(self, fields: list[str]) -> list[str]:
        """Fields with the delimiter that they held within quotes."""
        if not self.is_translated:
            return fields
        return [field.replace(SEPARATOR, self.delimiter) for field in fields]

    def _with_separator(self, line: str) -> str:
        return line.replace(self.delimiter, SEPARATOR)

    @property
    def options(self) -> dict[str, str]:
        """The options of ``DataConfig`` that ask for it. A tab has its name, since a command that
        is shown to people cannot tell it from spaces."""
        found = {"quoting": "none" if self.quote is None else "quoted"}
        if self.quote not in (None, '"'):
            found["quote"] = self.quote
        if self.escape is not None:
            found["escape"] = self.escape
        if self.comment is not None:
            found["comment"] = self.comment
        if self.delimiter != NO_DELIMITER:
            name = NAMED[self.delimiter] if self.delimiter in "\t " else self.delimiter
            found["delimiter"] = name.replace("\t", "\\t")
        return found

    @property
    def separated(self) -> str:
        """What separates the fields, in words."""
        if self.delimiter == NO_DELIMITER:
            return "one column"
        if self.separates_once:
            return "the first space of a line separates two columns"
        return f"{NAMED.get(self.delimiter, repr(self.delimiter))}-separated"

    @property
    def enclosed(self) -> str:
        """What encloses them, in words."""
        if self.quote is None:
            said = "quotes are ordinary characters"
        elif self.quote == '"':
            said = "quotes enclose fields"
        else:
            which = "single quotes" if self.quote == "'" else f"quotes {self.quote}"
            said = f"{which} enclose fields"
        return said if self.escape is None else f"{said}, {self.escape} escapes"


def given_delimiter(given: str) -> str:
    """A delimiter as ``DataConfig`` has it: itself, or its name. Raises ``ConfigError``."""
    names = {name: character for character, name in NAMED.items()}
    delimiter = names.get(given, given.replace("\\t", "\t"))
    if not delimiter or set(delimiter) & set('"\r\n'):
        raise ConfigError(
            f"{option('delimiter')} takes one or several characters, or {', '.join(names)}; "
            f"received {given!r}.",
            option="delimiter",
            way_out="A quote or a line end cannot be in one.",
        )
    return delimiter


def check_together(dialect: Dialect, config: DataConfig) -> None:
    """Raises ``ConfigError`` where one character would be two things."""
    for name in ("quote", "escape"):
        character = getattr(config, name)
        if character is not None and character in dialect.delimiter:
            raise ConfigError(
                f"{option(name, character)} is in the delimiter, {dialect.delimiter!r}.",
                option=name,
                way_out=f"Give another, or another {option('delimiter')}.",
            )


def _first_word_apart(line: str) -> str:
    return FIRST_WORD.sub(rf"\1{SEPARATOR}", line, count=1) if FIRST_WORD.match(line) else line


def _escapes_kept(escape: str, quote: str | None, delimiter: str) -> Change:
    """Doubles an escape that stands before what needs none, so that the csv module keeps it."""
    needs_one = re.escape(f"{escape}{quote or ''}\"'{delimiter}\r\n")
    escaped = re.compile(rf"{re.escape(escape)}(?:([{needs_one}])|)")

    def keep(line: str) -> str:
        if escape not in line:
            return line
        return escaped.sub(lambda found: found[0] if found[1] is not None else escape * 2, line)

    return keep
