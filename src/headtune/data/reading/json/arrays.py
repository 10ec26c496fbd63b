"""Rows that are arrays: ``["see you at six", "ham"]``, with or without their names on top.

    [["text", "label"], ["see you", "ham"], …]    the first row is a header
    [["see you", "ham"], …]                       which is the text is seen by what they hold
    [[7, "see you", "ham"], …]                    column1, column2, column3: found as in a CSV

Of two values without names the text is the one that differs from row to row, and has words; the
other one, which repeats, is the label. Where both look alike they are column1 and column2, so that
the user is asked.

Guarantees: what was decided at the first rows holds for all of them, and is a note. A row of
another length is set aside.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from headtune.data.reading.json.parse import fault_of
from headtune.data.reading.names import HEADER_NAMES, is_number, listed
from headtune.data.reading.table import Broken, is_writable
from headtune.files.plain_json import to_json
from headtune.options import DataConfig
from headtune.wording.numbers import count

__all__ = [
    "ArrayNames",
    "are_worded",
    "asked_names",
    "is_known",
    "name_arrays",
    "reads_like_texts",
    "records_of_arrays",
    "without_header",
    "written",
]

SAMPLE_ROWS = 10_000

LABELS_TOO = {"comment", "question", "spam", "toxic", "y"}
"""Names of columns that labels have as well."""

Row: TypeAlias = Sequence[object]


@dataclass(frozen=True, slots=True)
class ArrayNames:
    """What the values of each row are called, whether the first row says so, and that in words."""

    names: tuple[str, ...]
    has_header: bool
    note: str


def name_arrays(rows: Sequence[object], config: DataConfig, given: Row | None = None) -> ArrayNames:
    """The names for rows that are arrays, from these or the first of them.

    ``given`` are names that stand beside the rows.
    """
    arrays = [row for row in rows[:SAMPLE_ROWS] if isinstance(row, list | tuple)]
    width = Counter(map(len, arrays)).most_common(1)[0][0] if arrays else 0
    if given is not None:
        return ArrayNames(
            tuple(map(str, given)), False, f"columns: {listed(list(map(str, given)))}"
        )
    if arrays and _is_header(arrays, config):
        names = tuple(map(str, arrays[0]))
        return ArrayNames(names, True, f"arrays; the first names the columns: {listed(names)}")
    text = _text_of_two(arrays) if width == 2 else None
    if text is not None:
        names = ("text", "label") if text == 0 else ("label", "text")
        return ArrayNames(names, False, f"pairs of {names[0]} and {names[1]}, by what they hold")
    names = tuple(f"column{i}" for i in range(1, width + 1))
    return ArrayNames(names, False, f"arrays of {count(width, 'value')}, which have no names")


def asked_names(config: DataConfig) -> set[str]:
    """The columns that the user's options name."""
    named = (
        config.text, config.label, config.group_by, config.split_by_time, config.split_column
    )  # fmt: skip
    return {name for name in named if name is not None}


def _is_header(arrays: Sequence[Row], config: DataConfig) -> bool:
    first = arrays[0]
    names = [value for value in first if isinstance(value, str) and value.strip()]
    if len(names) < len(first) or len(set(names)) < len(names) or config.header == "no":
        return False
    if config.header == "yes" or asked_names(config) & set(names):
        return True
    others = list(zip(*(row for row in arrays[1:] if len(row) == len(first)), strict=True))
    is_again = any(name in column for name, column in zip(names, others, strict=False))
    return not is_again and is_known(names) and all(len(name.split()) < 4 for name in names)


def is_known(names: Iterable[object]) -> bool:
    """Whether one of the names is called as columns are, and hardly as a label is."""
    lowered = {str(name).strip().lower() for name in names}
    return bool(lowered & HEADER_NAMES - LABELS_TOO)


def _text_of_two(arrays: Sequence[Row]) -> int | None:
    """Which of two values is the text: 0 or 1, None where that is not plain."""
    columns = list(zip(*(row for row in arrays if len(row) == 2), strict=True))
    texts = [reads_like_texts(column) for column in columns]
    if texts[0] != texts[1]:
        return texts.index(True)
    distinct = [len(set(map(repr, column))) for column in columns]
    few, many = sorted(distinct)
    if not all(texts):
        return None
    if 2 * few <= many and few > 1:
        return distinct.index(many)
    worded = [are_worded(column) for column in columns]
    return worded.index(True) if worded[0] != worded[1] else None


def are_worded(values: Sequence[object]) -> bool:
    """Whether most are of several words, or as long as that in a script without spaces."""
    n_worded = sum(
        isinstance(value, str)
        and (len(value.split()) > 1 or (not value.isascii() and len(value) >= 6))
        for value in values
    )
    return 2 * n_worded >= len(values)


def reads_like_texts(values: Sequence[object]) -> bool:
    """Mostly strings of several words, or of scripts without spaces, that seldom repeat."""
    strings = [value for value in values if isinstance(value, str) and value.strip()]
    if 2 * len(strings) < len(values) or all(map(is_number, strings)):
        return False
    of_words = sum(len(value.split()) > 1 for value in strings)
    return 2 * len(set(strings)) > len(strings) or (
        2 * of_words >= len(strings) and 10 * len(set(strings)) > len(strings)
    )


def without_header(rows: Iterable[object], arrays: ArrayNames) -> Iterator[object]:
    """The rows but the header, which is the first array: it is no row, and has no number.

    A later part may have it again, or not.
    """
    is_first = arrays.has_header
    for row in rows:
        if not isinstance(row, list | tuple):
            yield row
            continue
        if not (is_first and tuple(row) == arrays.names):
            yield row
        is_first = False


def records_of_arrays(
    rows: Iterable[object], names: Sequence[str]
) -> Iterator[dict[str, object] | Broken]:
    """Each array as a dict, or why it is none; what is broken already stays so."""
    for row in rows:
        if isinstance(row, Broken):
            yield row
        elif not isinstance(row, list | tuple):
            yield Broken("not a JSON array", written(row))
        elif len(row) != len(names):
            reason = f"{count(len(row), 'value')} where {len(names):,} are expected"
            yield Broken(reason, written(row))
        elif (fault := fault_of(row)) is not None:
            yield Broken(fault, written(row))
        else:
            yield dict(zip(names, row, strict=True))


def written(value: object) -> str:
    """A value for the user to see, as JSON; what nests too deep for that by its beginning."""
    try:
        return to_json(value) if is_writable(value) else ascii(value)
    except (RecursionError, ValueError):
        kind = "object" if isinstance(value, Mapping) else "array"
        return f"an {kind} nested too deeply to be shown"
