"""Finds which column holds the text and which the label.

A column that the user names is taken, or the error says what there is. Otherwise a column is found
by its name (names.py), and where no name is evident by what it holds: the text is the column with
the longest strings, the label the one column with few distinct values. Two columns that could both
be it are never chosen between: the error names them and the option that decides.

Where no column is called so, fields inside of them are looked at (nested/): ``data.text`` of a
record in a record, or the user's message of a conversation.

A template joins several columns into the text: ``{keyword}: {text}``.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.labels import n_distinct_names
from headtune.data.nested.evident import label_field, text_field
from headtune.data.nested.fields import leaves, with_fields, with_leaves
from headtune.data.nested.tuning import is_conversation
from headtune.data.reading.names import LABEL_NAMES, TEXT_NAMES, is_number, listed
from headtune.data.reading.table import Table, holds_strings
from headtune.errors import ColumnError, option
from headtune.options import DataConfig
from headtune.wording.numbers import count
from headtune.wording.templates import Template

__all__ = ["Columns", "find_columns", "find_text_column"]

MAX_LABELS_BY_CONTENT = 50
"""Distinct values up to which an unnamed column is thought to hold labels."""

SAMPLE_CHARACTERS = 100_000
"""How much of a value is looked at."""

NAME_THE_TEXT = f"Name the text column with {option('text')}."


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the text and the label are, and how that was found.

    Either ``text`` names a column or ``template`` joins several; ``label`` is None for prediction.
    """

    text: str | None
    template: str | None
    label: str | None
    explanation: str


def find_columns(table: Table, config: DataConfig) -> Columns:
    """The text and label columns of a training table. Raises ``ColumnError``."""
    given_label = None
    if config.label is not None:
        given_label = _given(with_fields(table, [config.label]), config.label, "label")
    text = find_text_column(table, config, trained_on=None, not_text=given_label)
    if given_label is not None:
        if given_label == text.text:
            raise ColumnError(
                f"Column {given_label!r} of {table.name} cannot be both text and label. "
                f"It has: {_listed(table)}.",
                option="label",
                column=given_label,
                way_out=f"Name another with {option('text')} or {option('label')}.",
            )
        return _with_label(text, given_label, "given")
    used = {text.text, config.split_column, *_fields(text.template)}
    names = [n for n in table.column_names if n not in used]
    field = None if _by_name(names, LABEL_NAMES) else label_field(table, names, text.text)
    if field is not None:
        return _with_label(text, *field)
    wide, inner = with_leaves(table, names)
    label, found = _find_label(wide, [*names, *(n for n in inner if n != text.text)])
    return _with_label(text, label, found)


def find_text_column(
    table: Table, config: DataConfig, *, trained_on: str | None, not_text: str | None = None
) -> Columns:
    """The text column or template: the one given, the one trained on, or the one found.

    ``not_text`` is known to be something else. Raises ``ColumnError``.
    """
    own_names = table.column_names
    table = with_fields(table, [config.text, trained_on, *_fields(config.template)])
    if config.template is not None:
        _check_template(table, config.template)
        return Columns(None, config.template, None, f"text from template {config.template!r}")
    if config.text is not None:
        name, found = _given(table, config.text, "text"), "given"
    elif trained_on is not None and trained_on in table.column_names:
        name, found = trained_on, "as in training"
    else:
        others = {not_text, config.split_column}
        candidates = [n for n in own_names if n not in others]
        field = None if _has_named_text(table, candidates) else text_field(table, candidates)
        if field is not None and field.template is not None:
            explanation = f"text from template {field.template!r} ({field.found})"
            return Columns(None, field.template, None, explanation)
        name, found = (
            _find_text(*_with_inner(table, candidates), trained_on)
            if field is None
            else (field.text or "", field.found)
        )
    _check_holds_text(with_fields(table, [name]), name)
    return Columns(name, None, None, f"text column {name!r} ({found})")


def _has_named_text(table: Table, names: Sequence[str]) -> bool:
    """Whether a column itself is called as texts are, and holds some."""
    strings = [n for n in names if holds_strings(table, n) and not is_conversation(table, n)]
    return bool(_by_name(strings, TEXT_NAMES))


def _with_inner(table: Table, names: list[str]) -> tuple[Table, list[str]]:
    """The columns to find the text in by what they hold; fields of them where none is of texts."""
    strings = [name for name in names if holds_strings(table, name)]
    if _by_name(strings, TEXT_NAMES) or any(_reads_like_text(table.columns[n]) for n in strings):
        return table, names
    wide, inner = with_leaves(table, names)
    return wide, [*names, *inner]


def _with_label(text: Columns, label: str, found: str) -> Columns:
    explanation = f"{text.explanation}, label column {label!r} ({found})"
    return Columns(text.text, text.template, label, explanation)


def _listed(table: Table) -> str:
    return listed(_all_names(table))


def _all_names(table: Table) -> list[str]:
    """The columns, and the fields of those that hold records."""
    return [*table.column_names, *leaves(table, table.column_names)]


def _given(table: Table, name: str, which: str) -> str:
    if name in table.column_names:
        return name
    lowered = {column.lower(): column for column in _all_names(table)}
    near = difflib.get_close_matches(name.lower(), lowered, n=1)
    raise ColumnError(
        f"Column {name!r} is not in {table.name}. It has: {_listed(table)}.",
        option=which,
        column=name,
        way_out=f"Did you mean {option(which, lowered[near[0]])}?"
        if near
        else f"Name one with {option(which)}.",
    )


def _fields(template: str | None) -> list[str]:
    if template is None:
        return []
    try:
        return Template.parse(template).fields
    except ValueError as error:
        raise ColumnError(
            f"{option('template', template)} cannot be read: {error}.",
            option="template",
            way_out="Write columns in braces: '{keyword}: {text}'; a brace itself is doubled.",
        ) from None


def _check_template(table: Table, template: str) -> None:
    fields = _fields(template)
    if not fields:
        raise ColumnError(
            f"{option('template', template)} names no column.",
            option="template",
            way_out=f"Write columns in braces, such as {{{table.column_names[0]}}}. {table.name} "
            f"has: {_listed(table)}.",
        )
    for field in fields:
        if field not in table.column_names:
            near = difflib.get_close_matches(field, table.column_names, n=1)
            hint = f"Did you mean {{{near[0]}}}?" if near else "Name one of them in braces."
            raise ColumnError(
                f"Column {field!r} of {option('template')} is not in {table.name}. "
                f"It has: {_listed(table)}.",
                option="template",
                column=field,
                way_out=hint,
            )


def _check_holds_text(table: Table, name: str) -> None:
    kind = table.columns.schema.field(name).type
    if not holds_strings(table, name) and not pa.types.is_null(kind):
        raise ColumnError(
            f"Column {name!r} of {table.name} holds {kind} values, not text. "
            f"It has: {_listed(table)}.",
            option="text",
            column=name,
            way_out=NAME_THE_TEXT,
        )


def _by_name(names: Sequence[str], groups: Sequence[Sequence[str]]) -> list[str]:
    """The columns of the first group of names that any column belongs to."""
    for group in groups:
        found = [n for n in names if n.strip().lower().replace(" ", "_") in group]
        if found:
            return found
    return []


def _find_text(table: Table, names: Sequence[str], trained_on: str | None) -> tuple[str, str]:
    strings = [name for name in names if holds_strings(table, name)]
    named = _by_name(strings, TEXT_NAMES)
    if len(named) == 1:
        return named[0], "by its name"
    if named:
        raise _two_could_be("text", table, named)
    if len(table.column_names) == 1 and strings:
        return strings[0], "the only column"
    candidates = [name for name in strings if _reads_like_text(table.columns[name])]
    if not candidates:
        trained = f"column {trained_on!r}, which was trained on, or " if trained_on else ""
        raise ColumnError(
            f"No column of {table.name} looks like text: expected {trained}a column of strings. "
            f"It has: {_listed(table)}.",
            option="text",
            way_out=NAME_THE_TEXT,
        )
    lengths = {name: _mean_length(table.columns[name]) for name in candidates}
    longest = max(candidates, key=lengths.__getitem__)
    if rivals := [n for n in candidates if n != longest and lengths[n] * 2 >= lengths[longest]]:
        raise _two_could_be("text", table, [longest, *rivals])
    return longest, "longest strings"


def _find_label(table: Table, names: Sequence[str]) -> tuple[str, str]:
    if not names:
        raise ColumnError(
            f"{table.name} has no column for the label beside the text; it has: {_listed(table)}.",
            way_out="Training needs a label for each text.",
        )
    named = _by_name(names, LABEL_NAMES)
    if len(named) > 1:
        named = [n for n in named if _reads_like_labels(table.columns[n])] or named
    if len(named) == 1:
        return named[0], f"by its name, {_values(table, named[0])}"
    candidates = named or [n for n in names if _reads_like_labels(table.columns[n])]
    if len(candidates) > 1:
        raise _two_could_be("label", table, candidates)
    if not candidates:
        raise ColumnError(
            f"No column of {table.name} looks like labels: expected one with 2 to "
            f"{MAX_LABELS_BY_CONTENT} distinct values that repeat. It has: {_listed(table)}.",
            option="label",
            way_out=f"Name the label column with {option('label')}.",
        )
    return candidates[0], _values(table, candidates[0])


def _two_could_be(what: str, table: Table, names: Sequence[str]) -> ColumnError:
    """``what`` is "text" or "label", which are also the options that decide."""
    return ColumnError(
        f"More than one column of {table.name} could be the {what}: {', '.join(names)}.",
        option=what,
        way_out=f"Choose one: {option(what, names[0])}",
    )


def _values(table: Table, name: str) -> str:
    return count(n_distinct_names(table.columns[name]), "value")


def _n_distinct(column: pa.ChunkedArray) -> int:
    if pa.types.is_nested(column.type):
        return 0
    return len(pc.drop_null(pc.unique(column)))


def _mean_length(column: pa.ChunkedArray) -> float:
    return float(pc.mean(pc.utf8_length(column)).as_py() or 0.0)


def _reads_like_text(column: pa.ChunkedArray) -> bool:
    """Strings that are no numbers, mostly of several words or else longer than a word."""
    filled = pc.drop_null(column)
    beginnings = pc.utf8_slice_codeunits(filled.slice(0, 1_000), 0, SAMPLE_CHARACTERS).to_pylist()
    sample = [value.strip() for value in beginnings if value.strip()]
    if not sample or all(map(is_number, sample)):
        return False
    of_words = sum(len(value.split()) > 1 for value in sample)
    return 2 * of_words >= len(sample) or (
        not any("://" in value for value in sample) and _n_distinct(column) * 2 > len(filled)
    )


def _reads_like_labels(column: pa.ChunkedArray) -> bool:
    """Few distinct values that repeat; no fractions, and no strings as long as texts."""
    kind = column.type
    if pa.types.is_floating(kind):
        filled = pc.drop_null(column)
        if not pc.all(pc.equal(pc.floor(filled), filled), min_count=0).as_py():
            return False
    elif not (pa.types.is_large_string(kind) or pa.types.is_string(kind)):
        if not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
            return False
    elif _mean_length(column) > 40:
        return False
    n_distinct = _n_distinct(column)
    return 2 <= n_distinct <= MAX_LABELS_BY_CONTENT and 2 * n_distinct <= len(column)
