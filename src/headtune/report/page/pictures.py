"""A matplotlib figure to SVG that belongs to the page it stands on.

    draw on a transparent figure -> matplotlib's SVG -> colours to the page's variables
                                                     -> letters to the page's font
                                                     -> a name for those who cannot see it

A colour of ``PALETTE`` becomes ``var(--name)``, so one picture serves light, dark and print;
black becomes the colour of the text around it.

Guarantees: the same drawing gives the same markup; ids are unique on a page as long as the names
given are; matplotlib's settings are as they were.
"""

import io
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from headtune.report.curves import BLUE, FRAME, GREEN, GREY, GRID, VERMILION
from headtune.wording.visible import visible

__all__ = ["PALETTE", "picture"]

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
ET.register_namespace("", SVG)  # <svg>, not <ns0:svg>

PALETTE = {
    BLUE: "blue",
    VERMILION: "vermilion",
    GREEN: "green",
    GREY: "muted",
    GRID: "line",
    FRAME: "frame",
}
"""Colour in a drawing -> variable of the page's style."""

WIDTH_INCHES = 5.2
"""374 units, the width of a telephone: a font size here is about one there."""

SETTINGS: Any = {"svg.fonttype": "none", "svg.hashsalt": "headtune"}


def picture(
    name: str, alternative: str, draw: Callable[[Axes], None], *, height: float = 3.0
) -> Markup:
    """SVG of what ``draw`` puts on a panel.

    Args:
        name: Begins all ids, so it must be unique on the page.
        alternative: What the picture shows, in words.
        height: In inches; the width is ``WIDTH_INCHES``.
    """
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.04)
    figure = Figure(figsize=(WIDTH_INCHES, height), layout=layout)
    FigureCanvasSVG(figure)
    draw(figure.subplots())
    written = io.BytesIO()
    with matplotlib.rc_context(SETTINGS):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    root = ET.fromstring(written.getvalue())
    _tidy(root, name)
    root.set("role", "img")
    root.set("aria-label", visible(alternative))
    return Markup(ET.tostring(root, encoding="unicode"))


def _tidy(root: ET.Element, name: str) -> None:
    """Leave out size, metadata and style; ids and colours become the page's."""
    for attribute in ("width", "height", "version"):
        del root.attrib[attribute]
    for child in list(root):
        if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}title"):
            root.remove(child)
        if child.tag == f"{{{SVG}}}defs" and child.find(f"{{{SVG}}}style") is not None:
            root.remove(child)  # a rule for all elements of the page
    used = _references(root)
    for element in root.iter():
        element.tail = None
        if element.tag == f"{{{SVG}}}g":
            element.text = None
        _rename(element, name, used)
        if "style" in element.attrib:
            element.set("style", _restyled(element.attrib["style"]))


def _references(root: ET.Element) -> set[str]:
    """The ids that something on the picture refers to."""
    links = {element.attrib.get(f"{{{XLINK}}}href", "") for element in root.iter()}
    paths = {element.attrib.get("clip-path", "") for element in root.iter()}
    return {link.removeprefix("#") for link in links} | {
        path.removeprefix("url(#").removesuffix(")") for path in paths
    }


def _rename(element: ET.Element, name: str, used: set[str]) -> None:
    values = element.attrib
    if "id" in values:
        own = values.pop("id")
        if own in used:
            values["id"] = f"{name}-{own}"
    if f"{{{XLINK}}}href" in values:
        values["href"] = f"#{name}-{values.pop(f'{{{XLINK}}}href').removeprefix('#')}"
    if "clip-path" in values:
        values["clip-path"] = values["clip-path"].replace("url(#", f"url(#{name}-")


def _restyled(style: str) -> str:
    """The declarations, without a font of their own, in the page's colours."""
    kept = [part.strip() for part in style.split(";") if "font-family" not in part and part.strip()]
    text = "; ".join(kept)
    for color, variable in PALETTE.items():
        text = text.replace(color.lower(), f"var(--{variable})")
    return text.replace("#000000", "currentColor")
