"""A template and its values to one HTML file.

Values are escaped by Jinja2, and what cannot be seen in them is written out, so that no label turns
the words around it; markup that headtune made itself (pictures) comes as ``Markup``. A name that a
template uses and nobody gave is an error, not a hole in the page.
"""

from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from headtune.wording import numbers as figures
from headtune.wording.visible import visible

__all__ = ["render"]

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

LONGEST_EXCERPT = 320
"""Characters of a text of the data that are shown."""


def render(template: str, values: Mapping[str, object]) -> str:
    """The page that a file of ``templates/`` makes of these values."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("headtune.report.page"),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bounds": lambda bounds: figures.interval(*bounds).removesuffix(" %"),
        "count": lambda n, noun: _together(figures.count(n, noun)),
        "duration": lambda seconds: _together(figures.duration(seconds)),
        "excerpt": excerpt,
        "number": lambda n: f"{n:,}",
        "p_value": p_value,
        "percent": lambda share: _together(figures.percent(share)),
        "points": signed_points,
        "rate": lambda per_second, unit: _together(figures.rate(per_second, unit)),
        "size": lambda n: _together(figures.size(n)),
        "unbroken": unbroken,
    }
    return environment


def _seen(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _together(text: str) -> str:
    """A number and its unit never stand on two lines."""
    return text.replace(" ", NO_BREAK_SPACE)


def unbroken(sentence: str) -> str:
    """A sentence in which a percent sign stays with its number."""
    return sentence.replace(" %", f"{NO_BREAK_SPACE}%")


def excerpt(text: str) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= LONGEST_EXCERPT else text[:LONGEST_EXCERPT].rstrip() + " …"


def p_value(p: float) -> str:
    """0.0372 -> ``0.037``; below a thousandth ``< 0.001``."""
    return _together(figures.p_value(p).removeprefix("p ").removeprefix("= "))


def signed_points(difference: float) -> str:
    """0.0381 -> ``+3.8``: percentage points, with a sign that is as wide as a digit."""
    shown = figures.points(difference)
    return shown.replace("-", "\N{MINUS SIGN}") if float(shown) <= 0 else f"+{shown}"
