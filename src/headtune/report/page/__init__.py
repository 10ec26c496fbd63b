"""Pages that people read: one HTML file each, which needs nothing but itself.

    run_page.py      report.html: what a run was asked, found and cost
    report_fragment.py   what it says first, for a notebook
    headline.py      what both have
    compare_page.py  several runs side by side
    templates/       the words and the layout (Jinja2), and the style that all pages share
    render.py        a template and its values to one HTML file
    asked.py         the options of a run as a command, and in words
    confusion.py     which labels are taken for which
    charts.py        the pictures, on matplotlib; the curves come from report/curves.py
    pictures.py      a matplotlib figure to SVG that takes its colours from the page

Guarantees: a page loads nothing and runs nothing (its Content-Security-Policy forbids both), is
light or dark as the reader's system is, prints in black on white, and shows what data, labels and
file names say as text, never as markup.
Costs: the import of Jinja2 and matplotlib, so this package is imported by those who write a page,
when they do.
"""

from headtune.report.page.compare_page import comparison_page
from headtune.report.page.report_fragment import report_fragment
from headtune.report.page.run_page import report_page

__all__ = ["comparison_page", "report_fragment", "report_page"]
