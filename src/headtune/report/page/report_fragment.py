"""A report as a notebook shows it: what it says first, as a fragment of somebody else's page."""

from hashlib import sha256

from headtune.files.plain_json import to_json
from headtune.report.entries import ReportValues
from headtune.report.page.headline import curve_pictures, headline
from headtune.report.page.render import render

__all__ = ["report_fragment"]


def report_fragment(report: ReportValues) -> str:
    """Sentence, warnings, figures before and after, of each label, and the curves.

    ``report`` is what ``Report.to_dict`` gives. Ids in the pictures begin with its hash, so many
    reports can stand in one notebook.
    """
    values = headline(report)
    own = sha256(to_json(report).encode()).hexdigest()[:8]
    pictures = dict(curve_pictures(values["report"], prefix=f"r{own}-"))
    return render("report_fragment.html", {**values, "pictures": pictures})
