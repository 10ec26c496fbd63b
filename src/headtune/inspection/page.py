"""An inspection as one HTML file, in the style of the report's pages (report/page), and as a
fragment for a notebook.
"""

from headtune.inspection.inspect import Inspection
from headtune.inspection.render import WORDS
from headtune.report.page.render import render

__all__ = ["inspection_fragment", "inspection_page"]


def inspection_page(inspection: Inspection) -> str:
    """The page; its template is report/page/templates/inspection.html."""
    return _render(inspection, "page.html")


def inspection_fragment(inspection: Inspection) -> str:
    """The same words and tables, for somebody else's page."""
    return _render(inspection, "fragment.html")


def _render(inspection: Inspection, layout: str) -> str:
    values = {"inspection": inspection, "words": WORDS, "layout": layout}
    return render("inspection.html", values)
