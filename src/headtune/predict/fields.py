"""Texts given from Python as the classifier was trained on them: through the template, if any.

    trained on      a string is            a dict is
    plain texts     the text               an error
    one field       the value of it        the values of the fields
    several fields  an error               the values of the fields

A dict may have more than the fields, as a row of a table has. Guarantees: a row of a table and the
same row as a dict are one text.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from headtune.errors import PredictionError
from headtune.wording.dotted import field_value, has_field
from headtune.wording.templates import Template
from headtune.wording.text_lists import text_list

__all__ = ["Text", "template_of", "texts_through"]

Text: TypeAlias = str | Mapping[str, object]
"""A text, or the values of the columns that a template joins."""


def texts_through(
    template: str | None, items: Iterable[Text], missing: Collection[str] = ()
) -> list[Any]:
    """The text of each item; what is neither string nor dict stays, for whoever encodes it to say.

    In a field, each word of ``missing`` is no value, as in training.
    Raises ``PredictionError`` where fields have no value, or a string leaves some open.
    """
    parsed = None if template is None else template_of(template)
    items = text_list(items)
    return [
        _text(parsed, item, _Place(number, f"Text {number} of {len(items)}"), missing)
        for number, item in enumerate(items, start=1)
    ]


def template_of(written: str) -> Template:
    """The template of a run. Raises ``PredictionError`` on one that cannot be read."""
    try:
        return Template.parse(written)
    except ValueError as error:
        raise PredictionError(
            f"The template {written!r} of the run cannot be read: {error}."
        ) from None


class _Place(NamedTuple):
    """Which text, and in words: of how many."""

    number: int
    words: str


def _text(template: Template | None, item: Any, place: _Place, missing: Collection[str]) -> Any:
    if template is None:
        if isinstance(item, Mapping):
            raise PredictionError(
                f"{place.words} is a {type(item).__name__}; this classifier was trained on plain "
                "texts, not on columns joined by a template.",
                row=place.number,
                way_out="Give the text itself.",
            )
        return item
    if isinstance(item, Mapping):
        return _joined(template, item, place, missing)
    if isinstance(item, str) and len(template.fields) == 1:
        field = {template.fields[0]: item}
        return _joined(template, field, place, missing) if item.strip() else item
    if isinstance(item, str):
        raise PredictionError(
            f"{place.words} is one string; this classifier was trained on {template.written!r}.",
            row=place.number,
            way_out=f"Give a dict with {' and '.join(map(repr, template.fields))}.",
        )
    return item


def _joined(
    template: Template, values: Mapping[str, object], place: _Place, missing: Collection[str]
) -> str:
    if left_open := [field for field in template.fields if not has_field(values, field)]:
        raise PredictionError(
            f"{place.words} has no {' and no '.join(map(repr, left_open))}, which the template "
            f"{template.written!r} asks for; it has: {', '.join(map(str, values)) or 'nothing'}.",
            row=place.number,
            column=left_open[0],
            way_out="Give an empty string where there is no value.",
        )
    own = {field: field_value(values, field) for field in template.fields}
    text = template.join(own, missing)
    if text is None:
        raise PredictionError(
            f"{place.words} is empty: {' and '.join(map(repr, template.fields))} have no value.",
            row=place.number,
            way_out="Leave such texts out.",
        )
    return text
