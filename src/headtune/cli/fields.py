"""``--field NAME=VALUE``: the values of a template's fields, beside a text or instead of one.

A classifier that was trained with ``--template "{keyword}: {text}"`` takes two values for a text.
A text of the command line fills the one field that ``--field`` leaves open, so that
``--field keyword=fire "home at six"`` is what the row of a table with these two values is.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from headtune.cli.common import GENERAL
from headtune.errors import ConfigError, option
from headtune.wording.templates import Template

__all__ = ["Fields", "fields_of", "texts_with_fields"]

Fields: TypeAlias = Annotated[
    tuple[str, ...],
    Parameter(
        name="--field",
        group=GENERAL,
        negative_iterable=(),
        show_default=False,
        allow_leading_hyphen=True,
        help="NAME=VALUE: a field of the template the classifier was trained with; the text fills "
        "the one left open. May be repeated.",
    ),
]


def fields_of(given: Sequence[str]) -> dict[str, str]:
    """``["keyword=fire"]`` as a dict. Raises ``ConfigError`` on what has no name, or one twice."""
    values: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name or name in values:
            fault = f"{name!r} a second time" if equals and name in values else repr(each)
            raise ConfigError(
                f"{option('field')} takes NAME=VALUE, a name once; received {fault}.",
                option="field",
            )
        values[name] = value
    return values


def texts_with_fields(
    written: str | None, texts: Sequence[str], values: Mapping[str, str]
) -> list[str | dict[str, str]]:
    """The texts of the command line as the classifier takes them: each fills the one field of its
    template that ``values`` leave open; without a text, ``values`` are all there is.

    Raises ``ConfigError`` where no such field is open, or more than one. ``written``: the template
    of the run, or None.
    """
    if written is None:
        if values:
            raise ConfigError(
                f"{option('field')} is for a classifier that was trained with a template; this one "
                "takes plain texts.",
                option="field",
            )
        return list(texts)
    from headtune.predict.fields import template_of

    template = template_of(written)
    _check_known(template, values)
    missing = template.open(values)
    if not texts and not missing:
        return [dict(values)]
    if texts and len(missing) == 1:
        return [{**values, missing[0]: text} for text in texts]
    trained = f"The classifier was trained on {template.written!r}"
    if not missing:
        raise ConfigError(
            f"{trained}, and {option('field')} has values for all of it: leave out the text.",
            option="field",
        )
    raise ConfigError(
        f"{trained}; there is no value for {' and '.join(missing)}.",
        option="field",
        way_out=f"Give {' '.join(option('field', f'{name}=…') for name in missing)}"
        + ("; one of them may be the text." if texts else "."),
    )


def _check_known(template: Template, values: Mapping[str, str]) -> None:
    for name in values:
        if name not in template.fields:
            near = get_close_matches(name, template.fields, n=1)
            raise ConfigError(
                f"{name!r} is no field of {template.written!r}; it has: "
                f"{', '.join(template.fields)}.",
                option="field",
                way_out=f"Did you mean {option('field', f'{near[0]}={values[name]}')}?"
                if near
                else "",
            )
