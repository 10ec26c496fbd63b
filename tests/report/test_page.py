"""report/page: what is on report.html, and what never is."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import Markup
from matplotlib.axes import Axes

import headtune
from headtune.report import Report
from headtune.report.curves import BLUE, GREY
from headtune.report.page import report_page
from headtune.report.page.confusion import frequent_mistakes, matrix
from headtune.report.page.pictures import picture
from headtune.report.page.render import excerpt, p_value, signed_points
from headtune.report.page.run_page import STAGES
from headtune.tasks.metrics import classification_metrics
from headtune.types import LabelSet
from headtune.wording.commands import ways

from .evidence import EVIDENCE, SCRIPT

PACKAGE = Path(headtune.__file__).parent

MakeReport = Callable[..., Report]


class Page(HTMLParser):
    """The elements of a page, their attributes, and the text outside <style>."""

    INLINE = ("b", "code", "q", "strong")
    VOID = ("meta", "link", "br", "path", "use", "rect", "circle", "line")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(source)
        self.text = " ".join(self.text.replace("\N{NO-BREAK SPACE}", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += "" if tag in self.INLINE else " "
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(report: Report | dict[str, Any], run: str = "runs/messages", **more: Any) -> Page:
    values: Any = report.to_dict() if isinstance(report, Report) else report
    return Page(report_page(values | more, run, {"headtune": "0.1.0", "torch": "2.13.0"}))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages with empty pictures, where only words are looked at: drawing takes a second."""
    for module in ("run_page", "headline"):
        monkeypatch.setattr(
            f"headtune.report.page.{module}.picture",
            lambda name, alternative, draw, height=1: Markup('<svg aria-label="not drawn"></svg>'),
        )


@pytest.mark.usefixtures("undrawn")
def test_figures_are_on_the_page(make_report: MakeReport) -> None:
    page = page_of(make_report(), **EVIDENCE)
    for expected in (
        "98.8 % of 1,000 texts that it had never seen get the right label",
        "is right on 988 (98.8 %; 95 % interval 97.9 to 99.3 %)",
        "403 rows repeat another row; each text was kept once.",
        "5,574 rows were read. 3 could not be used and were set aside: the text is empty (2), "
        "the label is missing (1).",
        "ham 3,100 870 870",
        "7 texts were longer than the model reads, and cut: spam 7.",
        "After tuning 98.8 % 97.9 to 99.3 97.4 % 0.087",
        "TF-IDF with logistic regression 95.5 %",
        "linear probe of the frozen model \N{MINUS SIGN}0.4 \N{MINUS SIGN}2.4 to +1.6 50 17 0.48",
        "12 texts of 1,000 are wrong.",
        "12 of the 870 texts that are ham were called spam",
        "spam 130 100.0 % 91.5 % 95.6 %",
        "off by 8.1 percentage points on average; calibrated, by 1.1.",
        "by 1.83 (the",
        "Measured on 1,400 texts of the test part.",
        "finds another label more probable",
        "One hopes for a curve that rises",
        "Answers below 80.0 % become “unsure”. It then answers 91.2 % of the texts, and is right "
        "on 99.7 % of these.",
        "spam 83.0 %",
        "row 1,001: is spam, was called ham (98.9 % sure)",
        "30 more are in report.json",
        "row 101 (validation): labelled ham, rather spam? (98.9 %)",
        "Training ran at 93.1 texts/s, 3,353 tokens/s, 454 GFLOP/s on cpu",
        "training 41 s",
        "44 s in all",
        'headtune predict runs/messages "Your text"',
        "headtune 0.1.0, torch 2.13.0",
        "headtune train messages.csv",
    ):
        assert expected in page.text, expected
    assert page.open == []


def test_every_picture_has_words_and_ids_are_unique(make_report: MakeReport) -> None:
    page = page_of(make_report(), **EVIDENCE)
    pictures = page.all("svg")
    assert len(pictures) == 6
    assert all(len(picture["aria-label"] or "") > 20 for picture in pictures)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("href", "aria-labelledby", "clip-path"):
            link = attributes.get(name)
            if link and not link.startswith("data:"):
                assert link.removeprefix("url(").removesuffix(")").removeprefix("#") in ids


def test_a_page_loads_and_runs_nothing(make_report: MakeReport) -> None:
    page = page_of(make_report(), **EVIDENCE)
    policies = [a["content"] for a in page.all("meta") if "http-equiv" in a]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert {tag for tag, _ in page.elements} & {"script", "img", "iframe", "object"} == set()
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,"))


@pytest.mark.usefixtures("undrawn")
def test_what_data_and_files_say_is_text(make_report: MakeReport) -> None:
    labels = LabelSet((SCRIPT, "</style><i>"))
    metrics = classification_metrics([[0.9, 0.1], [0.8, 0.2]], [0, 1], labels)
    report = make_report(
        labels=labels,
        before={},
        after={"test": metrics},
        baselines={SCRIPT: {"test": metrics}},
        truncated={SCRIPT: 1},
        warnings=[SCRIPT],
        config={"source": SCRIPT},
        model={**make_report().model, "id": SCRIPT, "reasons": [SCRIPT]},
    )
    evidence = {**EVIDENCE, "thresholds": {SCRIPT: 0.5}}
    page = page_of(report, f"runs/{SCRIPT}", **evidence)
    assert page.all("script") == []
    assert page.all("i") == []
    assert page.text.count("<script>alert(1)</script>") > 10
    assert "<b>bold</b>" in page.text


SECTIONS = {
    "comparison": "only the rival right",
    "calibration": "temperature",
    "abstain": "become “unsure”",
    "thresholds": "threshold",
    "suspect_labels": "Doubtful labels",
    "mistakes": "The mistakes it was surest of",
    "lengths": "Short and long texts",
}


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("key", SECTIONS)
def test_a_section_stands_only_where_there_is_something_to_show(
    make_report: MakeReport, key: str
) -> None:
    values = make_report().to_dict() | EVIDENCE
    assert SECTIONS[key] in page_of(values).text
    assert SECTIONS[key] not in page_of(values, **{key: type(EVIDENCE[key])()}).text
    del values[key]
    assert SECTIONS[key] not in page_of(values).text
    alone = make_report(evidence={}).to_dict() | {key: EVIDENCE[key]}
    assert SECTIONS[key] in page_of(alone).text


@pytest.mark.usefixtures("undrawn")
def test_memory_is_told_where_it_is_known(make_report: MakeReport) -> None:
    speed = make_report().speed
    known = {**speed, "peak_memory_bytes": 2_140_000_000}
    assert "It needed 2.1 GB of memory at most." in page_of(make_report(speed=known)).text
    unknown = {**speed, "peak_memory_bytes": None}
    assert "of memory" not in page_of(make_report(speed=unknown)).text


@pytest.mark.usefixtures("undrawn")
def test_what_is_odd_about_labels_is_told(make_report: MakeReport) -> None:
    report = make_report()
    note = "4 labels look like missing values: 'NA' 2, <i>'N/A'</i> 2"
    assert note in page_of(report, data={**report.data, "notes": [note]}).text
    assert note not in page_of(report).text


@pytest.mark.usefixtures("undrawn")
def test_a_run_without_held_back_parts(make_report: MakeReport) -> None:
    page = page_of(make_report(before={}, after={}, data={}, truncated={}, warnings=[], config={}))
    assert "nothing is known" in page.text
    for absent in ("Results", "Where it errs", "What the data holds", "Before you believe"):
        assert absent not in page.text


@pytest.mark.usefixtures("undrawn")
def test_validation_speaks_where_there_is_no_test(make_report: MakeReport) -> None:
    report = make_report()
    validation = {"validation": report.after["validation"]}
    page = page_of(make_report(before={}, after=validation, baselines={}))
    assert "Results on the validation part" in page.text
    assert "of the validation part get the right label" in page.text
    assert "never seen" not in page.text


@pytest.mark.usefixtures("undrawn")
def test_leaks_come_first(make_report: MakeReport) -> None:
    report = make_report()
    copy = {"part": "test", "kind": "near", "row": 7, "text": "a <b>", "train_row": 3}
    leaks = {"test": {"rows": 1_000, "exact": 0, "near": 9}, "examples": [copy]}
    page = page_of(report, data={**report.data, "split": "given by files", "leaks": leaks})
    assert "9 are nearly the same as a training text" in page.text
    assert "test row 7 (nearly training row 3): a <b>" in " ".join(page.text.split())
    assert page.text.index("9 are nearly") < page.text.index("98.8")


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("n_labels", "has_matrix"), [(5, True), (25, True), (26, False)])
def test_many_labels(make_report: MakeReport, n_labels: int, has_matrix: bool) -> None:
    labels = LabelSet(tuple(f"topic-{index:02}" for index in range(n_labels)))
    label_ids = np.arange(n_labels)
    predicted = np.where(label_ids == n_labels - 1, 0, label_ids)
    probabilities = 0.9 * np.eye(n_labels)[predicted] + 0.1 / n_labels
    metrics = classification_metrics(probabilities, label_ids, labels)
    page = page_of(
        make_report(labels=labels, before={}, after={"test": metrics}, baselines={}, truncated={})
    )
    assert f"to tell {n_labels} labels apart" in page.text
    assert ("Columns have the numbers of the rows" in page.text) == has_matrix
    assert f"topic-{n_labels - 1:02} topic-00 1 100.0 %" in page.text
    assert ("labels with the lowest F1" in page.text) == (n_labels > 20)


def test_every_stage_that_is_timed_has_a_name_for_people() -> None:
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    timed = {name for source in sources for name in re.findall(r'clock\.stage\("(\w+)"', source)}
    assert {"read", "suspects", "save"} < timed
    assert set(STAGES) == timed


def test_folders_and_labels_are_quoted() -> None:
    named = ways("my runs/o'brien", "it's", None)
    assert named[0].code.startswith("headtune predict 'my runs/o'\"'\"'brien' ")
    for way in named[2:]:
        compile(way.code, "page", "exec")
        assert '"my runs/o\'brien"' in way.code


def test_a_template_s_fields_are_named() -> None:
    named = ways("runs/tweets", "yes", "{key word}: {text}")
    expected = "headtune predict runs/tweets --field 'key word=…' \"Your text\""
    assert named[0].code == expected
    for way in named[2:]:
        compile(way.code, "page", "exec")
        assert "[{'key word': '…', 'text': 'Your text'}]" in way.code
    assert ways("r", "yes", "Message: {text}")[0] == ways("r", "yes", None)[0]


def test_confusion_matrix_and_its_mistakes() -> None:
    counts = [[5, 5, 0], [1, 8, 1], [0, 0, 0]]
    cells = matrix(counts)
    assert [cell.share for cell in cells[0]] == [0.5, 0.5, 0]
    assert [cell.share for cell in cells[2]] == [0, 0, 0]
    assert [cell.is_right for cell in cells[1]] == [False, True, False]
    mistakes = frequent_mistakes(["a", "b", "c"], counts)
    assert [(m.label, m.predicted, m.n, m.of) for m in mistakes] == [
        ("a", "b", 5, 10),
        ("b", "a", 1, 10),
        ("b", "c", 1, 10),
    ]


def test_pictures_take_the_colours_and_letters_of_the_page() -> None:
    import matplotlib

    def draw(panel: Axes) -> None:
        panel.plot([1, 2], [3, 4], color=BLUE, label="a < b", clip_on=True)
        panel.set_title("$x$ & <y>", color=GREY, parse_math=False)

    before = matplotlib.rcParams.copy()
    drawn = picture("first", "a line", draw)
    assert matplotlib.rcParams.copy() == before
    assert drawn == picture("first", "a line", draw)
    assert re.findall("#[0-9a-f]{6}", drawn) == []
    assert "font-family" not in drawn
    assert "var(--blue)" in drawn
    assert "var(--muted)" in drawn
    assert "$x$ &amp; &lt;y&gt;" in drawn
    names = set(re.findall('id="([^"]+)"', drawn))
    assert names
    assert all(name.startswith("first-") for name in names)
    assert set(re.findall("url\\(#([^)]+)", drawn)) <= names
    assert set(re.findall('href="#([^"]+)', drawn)) <= names


def test_numbers_and_texts_as_people_read_them() -> None:
    assert [signed_points(x) for x in (0.0381, -0.004, 0.0001, -0.0001)] == [
        "+3.8",
        "\N{MINUS SIGN}0.4",
        "0.0",
        "0.0",
    ]
    assert [p_value(p) for p in (0.0372, 0.00012, 1.0)] == ["0.037", "<\xa00.001", "1"]
    assert excerpt("x" * 320) == "x" * 320
    assert excerpt("x" * 321) == "x" * 320 + " …"
