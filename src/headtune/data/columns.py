"""Finds which column holds the text and which the label.

A column that the user names is taken, or the error says what there is. Otherwise a column is found
by its name (names.py), and where no name is evident by what it holds: the text is the column with
the longest strings, the label the one column with few distinct values (label_columns.py). Two
columns that could both be it are never chosen between: the error names them and the option that
decides. Several labels a text are seen here (several_labels.py), and what is done about them is
decided by who asked.

Where no column is called so, fields inside of them are looked at (nested/): ``data.text`` of a
record in a record, or the user's message of a conversation.

A template joins several columns into the text: ``{keyword}: {text}``.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.label_columns import (
    LabelColumn,
    find_label,
    label_column,
    mean_length,
    n_distinct,
    two_could_be,
)
from headtune.data.nested.evident import label_field, text_field
from headtune.data.nested.fields import leaves, with_fields, with_leaves
from headtune.data.nested.tuning import is_conversation
from headtune.data.reading.names import LABEL_NAMES, TEXT_NAMES, by_name, is_number, listed
from headtune.data.reading.table import Table, holds_strings
from headtune.data.several_labels import SeveralLabels
from headtune.errors import ColumnError, option
from headtune.options import DataConfig
from headtune.wording.templates import Template

__all__ = ["Columns", "find_columns", "find_text_column", "refuse_several"]

SAMPLE_CHARACTERS = 100_000
"""How much of a value is looked at."""

NAME_THE_TEXT = f"Name the text column with {option('text')}."


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the text and the label are, and how that was found.

    Either ``text`` names a column or ``template`` joins several; ``label`` is None for prediction.
    ``alike`` are other columns with the values of the label, which were not taken; ``several`` says
    how the table holds several labels a text, if it looks so.
    """

    text: str | None
    template: str | None
    label: str | None
    explanation: str
    alike: tuple[str, ...] = ()
    several: SeveralLabels | None = None


def find_columns(table: Table, config: DataConfig) -> Columns:
    """The text and label columns of a training table. Raises ``ColumnError``."""
    given_label = None
    if config.label is not None:
        given_label = _given(with_fields(table, [config.label]), config.label, "label")
    text = find_text_column(table, config, trained_on=None, not_text=given_label)
    if given_label is not None and given_label == text.text:
        raise ColumnError(
            f"Column {given_label!r} of {table.name} cannot be both text and label. "
            f"It has: {_listed(table)}.",
            option="label",
            column=given_label,
            way_out=f"Name another with {option('text')} or {option('label')}.",
        )
    used = {text.text, config.split_column, config.group_by, config.split_by_time}
    used |= set(_fields(text.template))
    others = [name for name in table.column_names if name not in used]
    missing = frozenset(config.missing)
    if given_label is not None:
        wide = with_fields(table, [given_label])
        return _with_label(text, label_column(wide, given_label, others, "given", missing))
    field = None if by_name(others, LABEL_NAMES) else label_field(table, others, text.text)
    if field is not None:
        name, found = field
        wide = with_fields(table, [name])
        return _with_label(text, label_column(wide, name, [], found, missing))
    wide, inner = with_leaves(table, others)
    names = [*others, *(name for name in inner if name != text.text)]
    return _with_label(text, find_label(wide, names, missing))


def refuse_several(name: str, columns: Columns, given_label: str | None) -> None:
    """Raises ``ColumnError`` where the table ``name`` holds several labels a text.

    A label column that the user names is taken, and each combination is then a label of its own;
    lists cannot be.
    """
    several = columns.several
    if several is None or not several.is_plenty or (given_label and not several.of_lists):
        return
    label = columns.label or ""
    raise ColumnError(
        f"{name} looks like several labels a text: {several.said(label)}. A classifier learns one "
        "label a text.",
        option="label",
        column=label,
        way_out=several.way_out(label),
    )


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
    return bool(by_name(strings, TEXT_NAMES))


def _with_inner(table: Table, names: list[str]) -> tuple[Table, list[str]]:
    """The columns to find the text in by what they hold; fields of them where none is of texts."""
    strings = [name for name in names if holds_strings(table, name)]
    if by_name(strings, TEXT_NAMES) or any(_reads_like_text(table.columns[n]) for n in strings):
        return table, names
    wide, inner = with_leaves(table, names)
    return wide, [*names, *inner]


def _with_label(text: Columns, label: LabelColumn) -> Columns:
    explanation = f"{text.explanation}, label column {label.name!r} ({label.found})"
    return replace(
        text, label=label.name, explanation=explanation, alike=label.alike, several=label.several
    )


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


def _find_text(table: Table, names: Sequence[str], trained_on: str | None) -> tuple[str, str]:
    strings = [name for name in names if holds_strings(table, name)]
    named = by_name(strings, TEXT_NAMES)
    if len(named) == 1:
        return named[0], "by its name"
    if named:
        raise two_could_be("text", table, named)
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
    lengths = {name: mean_length(table.columns[name]) for name in candidates}
    longest = max(candidates, key=lengths.__getitem__)
    if rivals := [n for n in candidates if n != longest and lengths[n] * 2 >= lengths[longest]]:
        raise two_could_be("text", table, [longest, *rivals])
    return longest, "longest strings"


def _reads_like_text(column: pa.ChunkedArray) -> bool:
    """Strings that are no numbers, mostly of several words or else longer than a word."""
    filled = pc.drop_null(column)
    beginnings = pc.utf8_slice_codeunits(filled.slice(0, 1_000), 0, SAMPLE_CHARACTERS).to_pylist()
    sample = [value.strip() for value in beginnings if value.strip()]
    if not sample or all(map(is_number, sample)):
        return False
    of_words = sum(len(value.split()) > 1 for value in sample)
    return 2 * of_words >= len(sample) or (
        not any("://" in value for value in sample) and n_distinct(column) * 2 > len(filled)
    )
