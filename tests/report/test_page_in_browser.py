"""report.html in a real browser: all of it is there, it loads nothing, and it fits the screen.

Runs where the system has Chromium (Debian: ``apt install chromium``).
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from headtune import RunConfig, train_run
from headtune.explain import Explanation, WordEffect
from headtune.report import Report
from headtune.report.page import report_page
from headtune.tasks.metrics import classification_metrics
from headtune.types import LabelSet
from tests_support import TEXTS, TOPICS

from .evidence import EVIDENCE, SCRIPT

MakeReport = Callable[..., Report]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NOTHING_DRAWN = """
() => [...document.querySelectorAll('svg, img')].filter(picture => {
    const box = picture.getBoundingClientRect();
    const shapes = picture.querySelectorAll('path, use, text');
    return box.width < 50 || box.height < 50 || shapes.length < 5
        || (picture.tagName === 'IMG' && !picture.naturalWidth);
}).map(picture => picture.outerHTML.slice(0, 200))
"""

SMALLEST_LETTERS = """
() => Math.min(...[...document.querySelectorAll('svg text')].map(
    text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))
"""

CONTRAST = """
() => {
    const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const light = color => {
        const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(channel);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = light(getComputedStyle(document.body).backgroundColor);
    return Math.min(...[...document.querySelectorAll('p, a, th, td, li, h1, h2, svg text')].map(
        element => {
            const style = getComputedStyle(element);
            const ink = light(element instanceof SVGElement ? style.fill : style.color);
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        }));
}
"""


FRAGMENT_CONTRAST = """
() => {
    const brush = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const light = (...colors) => {  // each over those before it
        for (const color of colors) { brush.fillStyle = color; brush.fillRect(0, 0, 1, 1); }
        const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = [...brush.getImageData(0, 0, 1, 1).data].map(channel);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    return [...document.querySelectorAll('body > div')].map(notebook => {
        const paper = getComputedStyle(notebook).backgroundColor;
        return Math.min(...[...notebook.querySelectorAll(
            'p, strong, th, td, h1, h2, h3, summary, span, b, svg text')].map(element => {
            const style = getComputedStyle(element);
            const behind = [paper, style.backgroundColor];
            const color = element instanceof SVGElement ? style.fill : style.color;
            const [ink, back] = [light(...behind, color), light(...behind)];
            return (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05);
        }));
    });
}
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """Chromium with an empty profile."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on the PATH (Debian: apt install chromium)")
    profile = tmp_path_factory.mktemp("profile")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=path, headless=True, args=FLAGS
        )
        yield context
        context.close()


@pytest.fixture
def open_page(browser: BrowserContext, tmp_path: Path) -> Iterator[Callable[[str], Page]]:
    """Opens HTML as a file; at the end, nothing may have been said, asked for or thrown."""
    heard: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: heard.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: heard.append(f"error: {error}"))
    page.on("dialog", lambda dialog: heard.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: heard.append(f"request: {request.url}"))

    def open_html(html: str) -> Page:
        path = tmp_path / "report.html"
        path.write_text(html, encoding="utf-8")
        page.goto(path.as_uri())
        assert heard.pop(0) == f"request: {path.as_uri()}"
        return page

    yield open_html
    page.close()
    assert heard == []


def check_on_every_screen(page: Page) -> None:
    for width in (400, 1400):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.evaluate(NOTHING_DRAWN) == []
            assert page.evaluate(SMALLEST_LETTERS) > 8
            assert page.evaluate(CONTRAST) > 4.5
    page.emulate_media(media="print", color_scheme="dark")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"


def many_labels() -> dict[str, Any]:
    """Twenty labels with long names, one epoch, no validation part."""
    labels = LabelSet(tuple(f"a topic with a long name, number {n:02}" for n in range(20)))
    ids = np.arange(400) % 20
    predicted = np.where(np.arange(400) % 7 == 0, (ids + 3) % 20, ids)
    metrics = classification_metrics(0.9 * np.eye(20)[predicted] + 0.005, ids, labels)
    return {
        "labels": labels,
        "before": {},
        "after": {"test": metrics},
        "baselines": {"majority": {"test": metrics}},
        "truncated": {},
        "history": [{"step": 10, "epoch": 1.0, "loss": 0.4}],
        "config": {"source": "folder/" * 20 + "messages.csv"},
        "warnings": ["A warning without a space: " + "x" * 300],
    }


@pytest.mark.parametrize("kind", ["full", "many labels", "nothing held back"])
def test_a_page_on_every_screen(
    open_page: Callable[[str], Page], make_report: MakeReport, kind: str
) -> None:
    changes = {
        "full": {},
        "many labels": many_labels(),
        "nothing held back": {"before": {}, "after": {}, "baselines": {}, "evidence": {}},
    }[kind]
    values: Any = make_report(**changes).to_dict()
    values |= EVIDENCE if kind != "nothing held back" else {}
    page = open_page(report_page(values, "runs/messages", {"headtune": "0.1.0"}))
    pictures = {"full": 6, "many labels": 5, "nothing held back": 2}[kind]
    assert page.locator("svg").count() == pictures
    check_on_every_screen(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_notebook_is_read_in_its_own_colours(
    open_page: Callable[[str], Page], make_report: MakeReport, scheme: Any
) -> None:
    """Light or dark, whatever the system is."""
    words = (WordEffect("win", 0, 3, 2.0), WordEffect("now", 4, 7, -2.0))
    explanation = Explanation("win now", "spam", "spam", 0.9, "occlusion", words)
    html = make_report()._repr_html_() + explanation._repr_html_()
    page = open_page(
        f'<link rel="icon" href="data:,"><div style="color: #212121; background: #fff">{html}</div>'
        f'<div style="color: #d4d4d4; background: #1e1e1e">{html}</div>'
    )
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate(NOTHING_DRAWN) == []
    on_light, on_dark = page.evaluate(FRAGMENT_CONTRAST)
    assert min(on_light, on_dark) > 4.5


def test_a_script_in_a_message_is_text(
    open_page: Callable[[str], Page], make_report: MakeReport
) -> None:
    report: Any = make_report(warnings=[SCRIPT]).to_dict()
    page = open_page(report_page(report | EVIDENCE, "runs/messages", {}))
    assert page.get_by_text("<script>alert(1)</script>").count() == 3
    assert page.evaluate("document.scripts.length") == 0


@pytest.mark.usefixtures("drawn")
def test_the_page_of_a_real_run(
    open_page: Callable[[str], Page], tiny_llama: Path, tmp_path: Path
) -> None:
    table = tmp_path / "messages.csv"
    rows = [f"{text},{topic}" for text, topic in zip(TEXTS, TOPICS, strict=True)]
    table.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    config = {"source": str(table), "model": {"model": str(tiny_llama)}, "train": {"max_steps": 4}}
    out = tmp_path / "run"
    train_run(RunConfig.from_dict(config), out=out)
    page = open_page((out / "report.html").read_text(encoding="utf-8"))
    assert page.title() == "run: report"
    assert page.locator("svg").count() >= 4
    check_on_every_screen(page)


def test_no_page_where_none_is_wanted(tiny_llama: Path, tmp_path: Path) -> None:
    table = tmp_path / "messages.csv"
    rows = [f"{text},{topic}" for text, topic in zip(TEXTS, TOPICS, strict=True)]
    table.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    values = {
        "source": str(table),
        "model": {"model": str(tiny_llama)},
        "train": {"max_steps": 1},
        "report": {"page": False},
    }
    train_run(RunConfig.from_dict(values), out=tmp_path / "run")
    assert not (tmp_path / "run/report.html").exists()
