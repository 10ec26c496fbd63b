"""ARFF, the form of Weka: a head that names the attributes, then rows of values.

    @relation messages
    @attribute text string
    @attribute class {ham, spam}
    @data
    'see you at home, it\\'s late', ham

Values are separated by commas (or tabs), enclosed by single or double quotes where they need it,
with backslash escapes inside (``\\'``, ``\\n``, ``\\u001E``); an unquoted ``?`` is missing, a line
that begins with ``%`` a comment. Values stay strings, numbers too, as in CSV. Rows of the sparse
form (``{0 1, 3 'x'}``) are refused: they leave out values that are zero, which texts never are.

https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/

Costs: one regular expression a value, in time linear in the line.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from headtune.data.reading.opening.decode import unreadable, written_out
from headtune.data.reading.table import Broken
from headtune.errors import DataError
from headtune.wording.text_lists import has_half_pair

__all__ = ["arff_attributes", "arff_rows", "is_arff"]

KEYWORD = re.compile(r"@(relation|attribute|data|end)\b", re.IGNORECASE)
NAME = re.compile(
    r"@attribute\s+(?:'((?:[^'\\]|\\.)*+)'|\"((?:[^\"\\]|\\.)*+)\"|(\S+))\s+(\S.*)", re.I
)
VALUE = re.compile(
    r" *+(?:'((?:[^'\\]|\\.)*+)'|\"((?:[^\"\\]|\\.)*+)\"|(?!['\"])([^,\t]*+)) *+(,|\t|$)"
)
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
LETTERS = {"n": "\n", "r": "\r", "t": "\t"}


def is_arff(lines: Sequence[str]) -> bool:
    """Whether the first line that is no comment says ``@relation``."""
    for line in lines:
        if line.strip() and not line.lstrip().startswith("%"):
            return line.lstrip()[:9].lower() == "@relation"
    return False


def arff_attributes(lines: Iterator[str], name: str) -> list[str]:
    """The names of the attributes, in order; ``lines`` are then those behind ``@data``.

    Raises ``DataError`` where there is no ``@data``, no attribute, or one that is a table itself.
    """
    names: list[str] = []
    for number, line in enumerate(lines, start=1):
        keyword = KEYWORD.match(line.lstrip())
        what = keyword[1].lower() if keyword else ""
        if what == "data":
            if names:
                return names
            break
        if what == "attribute":
            names.append(_attribute(line.strip(), number, name))
    raise DataError(
        f"{name} is an ARFF file without {'rows: it has no @data' if names else 'attributes'}.",
        way_out="Expected @relation, an @attribute for each column, @data, and the rows below.",
    )


def _attribute(line: str, number: int, name: str) -> str:
    found = NAME.match(line)
    if found is None or found[4].lower().startswith("relational"):
        raise DataError(
            f"Line {number:,} of {name} is no attribute of a table: {line[:80]!r}.",
            way_out="Expected @attribute, a name and a type: string, numeric, date, or {a, b}.",
        )
    single, double, plain, _ = found.groups()
    return plain if plain is not None else _unescaped(single if single is not None else double)


def arff_rows(lines: Iterable[str], width: int, name: str) -> Iterator[list[str | None] | Broken]:
    """The values of each row, None where one is missing, or why it is broken.

    Raises ``DataError`` where the first row is of the sparse form.
    """
    is_first = True
    for whole in lines:
        line = whole.strip(" \r\n")
        if not line or line.startswith("%"):
            continue
        if reason := unreadable([whole]):
            yield Broken(reason, written_out(line))
            continue
        if line.startswith("{") and is_first:
            raise DataError(
                f"{name} is an ARFF file of the sparse form: {line[:60]!r}.",
                way_out="That form is for numbers. Write the texts in full rows, or as CSV.",
            )
        is_first = False
        yield _row(line, width)


def _row(line: str, width: int) -> list[str | None] | Broken:
    values: list[str | None] = []
    position, separator = 0, ","
    while separator:
        found = VALUE.match(line, position)
        if found is None:
            return Broken("a quote that does not enclose a value", line)
        values.append(_value(found[1], found[2], found[3]))
        position, separator = found.end(), found[4]
    if len(values) != width:
        of = "field" if len(values) == 1 else "fields"
        return Broken(f"{len(values)} {of} where {width} are expected", line)
    return values


def _value(single: str | None, double: str | None, plain: str | None) -> str | None:
    quoted = single if single is not None else double
    if quoted is not None:
        return _unescaped(quoted)
    value = (plain or "").strip()
    return None if value == "?" else value


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return ESCAPE.sub(_character, text)


def _character(escape: re.Match[str]) -> str:
    code, letter = escape.groups()
    if not code:
        return LETTERS.get(letter, letter)
    character = chr(int(code, 16))
    return escape[0] if has_half_pair(character) else character
