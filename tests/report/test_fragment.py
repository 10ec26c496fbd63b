"""A report and an inspection in a notebook: a piece of its page, and nothing beyond it."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from headtune.inspection import inspect_table
from headtune.options import DataConfig
from headtune.report import Report
from headtune.tasks.metrics import classification_metrics
from headtune.types import LabelSet
from tests_support import write_table

MakeReport = Callable[..., Report]

SCRIPT = "<script>alert(1)</script>\x1b[2J\u202e"


def words(html: str) -> str:
    """What is read, without style and markup."""
    html = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.fixture
def inspection(tmp_path: Path) -> str:
    table = write_table(tmp_path / "messages.csv", [(SCRIPT, "prize"), (SCRIPT, "dinner")])
    return inspect_table(str(table), DataConfig())._repr_html_()


@pytest.fixture
def report(make_report: MakeReport) -> str:
    return make_report()._repr_html_()


@pytest.mark.parametrize("kind", ["report", "inspection"])
def test_it_is_a_piece_of_somebody_elses_page(kind: str, request: pytest.FixtureRequest) -> None:
    html = request.getfixturevalue(kind)
    assert not re.search(r"<(!doctype|html|head|body|script|link|meta|iframe)\b", html, re.I)
    assert not re.search(r'\b(src|href)="[^#]', html)
    style = re.sub(
        r"/\*.*?\*/", "", re.findall(r"<style>(.*?)</style>", html, re.DOTALL)[0], flags=re.DOTALL
    )
    selectors = [one for rule in re.findall(r"([^{}]+)\{[^}]*\}", style) for one in rule.split(",")]
    assert len(selectors) > 10
    assert [one for one in selectors if not one.strip().startswith(".headtune-fragment")] == []


def test_the_report_says_what_counts(make_report: MakeReport) -> None:
    report = make_report()
    said = words(report._repr_html_())
    assert report.sentence() in said
    assert "Before tuning 31.0 %" in said
    assert "After tuning 98.8 %" in said
    assert "403 rows repeat another row" in said
    assert re.search(r"spam 130 \d+\.\d %", said)
    assert report._repr_html_().count("<svg") == 2


def test_without_a_part_held_back_it_says_so(make_report: MakeReport) -> None:
    report = make_report(before={}, after={}, baselines={}, evidence={}, history=[])
    assert "nothing is known about how the tuned model does" in words(report._repr_html_())
    assert "<svg" not in report._repr_html_()


def test_labels_and_warnings_are_text(make_report: MakeReport) -> None:
    labels = LabelSet((SCRIPT, "spam"))
    metrics = classification_metrics(np.full((4, 2), 0.5), np.array([0, 0, 1, 1]), labels)
    html = make_report(
        labels=labels, before={}, after={"test": metrics}, baselines={}, evidence={},
        truncated={}, warnings=[SCRIPT], config={"source": SCRIPT},
    )._repr_html_()  # fmt: skip
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J\\u202e") >= 3
    assert not {"<script>", "\x1b", "\u202e"} & {
        html[i : i + n] for n in (1, 8) for i in range(len(html))
    }


def test_two_reports_in_a_notebook_share_no_id(make_report: MakeReport) -> None:
    first, second = (make_report(warnings=[name])._repr_html_() for name in ("one", "two"))
    ids = [set(re.findall(r'\bid="([^"]+)"', html)) for html in (first, second)]
    assert all(ids)
    assert ids[0] & ids[1] == set()
    for html, own in zip((first, second), ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", html)) <= own


def test_the_inspection_says_what_is_odd(inspection: str) -> None:
    said = words(inspection)
    assert "What is odd" in said
    assert "Labels and lengths" in said
    assert "<script>" not in inspection
    assert "\x1b" not in inspection


def test_without_html_there_is_the_sentence(make_report: MakeReport) -> None:
    class Printer:
        said = ""

        def text(self, text: str) -> None:
            self.said += text

    printer = Printer()
    make_report()._repr_pretty_(printer, cycle=False)
    assert printer.said == make_report().sentence()
