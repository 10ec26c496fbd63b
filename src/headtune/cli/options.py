"""Command-line options made from the dataclasses of ``headtune.options``: each is written once.

A command declares what is its own and ends in ``**options``; ``takes_options`` puts there one
keyword for each field of the stages it asks for, and the command receives those that the user
gave, and no others:

    @takes_options(data=ALL, machine=("dtype", "device"))
    def evaluate(run: Path, *, json: bool = False, **options: Any) -> None: ...

``--device cpu`` then arrives as ``options == {"device": "cpu"}``. Because only given options
arrive, a recipe below and the defaults below it are merged by two dictionary updates. A field's
type, default and text (the string under it) become the option's; ``HEADTUNE_DEVICE`` in the
environment stands in for an option that is not given.

Options of several values take them apart by spaces, by commas, or repeated.
"""

import ast
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields
from functools import cache
from itertools import pairwise
from types import EllipsisType
from typing import Annotated, Any, TypeAlias, TypeVar

from cyclopts import Group, Parameter, Token

from headtune.options import STAGES

__all__ = ["ALL", "STAGE_OF", "field_texts", "takes_options"]

Command = TypeVar("Command", bound=Callable[..., Any])
Wanted: TypeAlias = tuple[str, ...] | EllipsisType

ALL: EllipsisType = ...
"""Every field of a stage."""

GROUPS = {
    "data": Group("Data", sort_key=2),
    "tokens": Group("Tokens", sort_key=3),
    "model": Group("Model", sort_key=4),
    "machine": Group("Machine", sort_key=5),
    "tune": Group("Tuning", sort_key=6),
    "train": Group("Training", sort_key=7),
    "decide": Group("Decision", sort_key=8),
    "report": Group("Report", sort_key=9),
}

STAGE_OF = {field.name: stage for stage, cls in STAGES.items() for field in fields(cls)}
"""Option name -> the stage (and key of a recipe) it belongs to."""

LABEL_AND_NUMBER = re.compile(r"(.+?=[0-9.eE+-]+)(?:,|$)")


@cache
def field_texts() -> Mapping[str, str]:
    """Field name -> the text under it in its dataclass, on one line."""
    texts: dict[str, str] = {}
    for stage in STAGES.values():
        (definition,) = ast.parse(inspect.getsource(stage)).body
        assert isinstance(definition, ast.ClassDef)
        for statement, below in pairwise(definition.body):
            match statement, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    texts[name] = " ".join(text.split())
    return texts


def takes_options(**wanted: Wanted) -> Callable[[Command], Command]:
    """Gives a command that ends in ``**options`` the options of these stages, or some of them."""

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        parameters = [*own, *(p for stage, names in wanted.items() for p in _of(stage, names))]
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return command

    return decorate


def _of(stage: str, names: Wanted) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=option.default,
            annotation=Annotated[option.type, _parameter(stage, option)],
        )
        for option in fields(STAGES[stage])
        if names is ... or option.name in names
    ]


def _parameter(stage: str, option: Field[Any]) -> Parameter:
    several = option.type == tuple[str, ...]
    return Parameter(
        group=GROUPS[stage],
        help=field_texts()[option.name],
        show_default=_shown_default(option.default),
        env_var=f"HEADTUNE_{option.name.upper()}",
        show_env_var=False,
        converter=_split_at_commas if several else None,
        consume_multiple=several,
        negative_iterable=(),
    )


def _shown_default(default: Any) -> bool | Callable[[Any], str]:
    """Where nothing is the default, the text says what that means; a switch is off if not given."""
    if default and isinstance(default, tuple):
        return " ".join
    return default is not None and default is not False and default != ()


def _split_at_commas(type_: Any, tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(part for token in tokens for part in _parts(token.value) if part)


def _parts(value: str) -> list[str]:
    """At commas; of ``LABEL=NUMBER``, at those behind the number: a label may have commas."""
    found = LABEL_AND_NUMBER.findall(value)
    return found if ",".join(found) == value.rstrip(",") else value.split(",")
