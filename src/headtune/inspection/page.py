"""An inspection as one HTML file, in the style of the report's pages (report/page)."""

from headtune.inspection.inspect import Inspection
from headtune.inspection.render import WORDS
from headtune.report.page.render import render

__all__ = ["inspection_page"]


def inspection_page(inspection: Inspection) -> str:
    """The page; its template is report/page/templates/inspection.html."""
    return render("inspection.html", {"inspection": inspection, "words": WORDS})
