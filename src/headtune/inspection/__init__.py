"""``headtune inspect``: what is odd about a table, before any training.

    inspect.py   reads the table and asks every function of data/findings
    lengths.py   lengths of texts in tokens of a model, else in words
    render.py    the findings on a terminal
    page.py      the findings as a page

It stands after ``report``, whose pages and figures it shares.
"""

from headtune.inspection.inspect import Inspection, inspect_table
from headtune.inspection.render import render_inspection

__all__ = ["Inspection", "inspect_table", "render_inspection"]
