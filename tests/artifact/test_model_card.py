"""The card of a run: front matter that hubs read, figures with intervals, and code that runs."""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from headtune.artifact.model_card import model_card
from headtune.export.card import write_card
from headtune.export.formats import FORMATS
from headtune.tasks import SINGLE_LABEL
from headtune.wording.visible import UNSEEN, visible_name

REPORT: Any = {
    "sentence": "On 40 test texts the tuned model is right on 36.",
    "warnings": ["Of 40 test texts, 3 are copies of a training text: the figures are too good."],
    "before": {},
    "after": {
        "test": {
            "n": 40, "accuracy": 0.9, "macro_f1": 0.895, "log_loss": 0.31,
            "confusion": [[20, 2], [2, 16]],
        }
    },
    "baselines": {},
    "data": {
        "source": "messages.csv", "rows_read": 1200, "fingerprint": "ab" * 32,
        "parts": {"train": {"rows": 1160}, "test": {"rows": 40}},
    },
}  # fmt: skip


def manifest(base: str = "org/model", tune: str = "last-1") -> Any:
    return SimpleNamespace(
        base_model=SimpleNamespace(name=base),
        tune={"tune": tune},
        labels=["ham", "spam"],
        max_length=2048,
        split_special_tokens=True,
        template=None,
        task=SINGLE_LABEL.name,
    )


@pytest.mark.parametrize(
    ("base", "tune", "library", "named"),
    [
        ("org/model", "last-1", "transformers", "org/model"),
        ("org/model", "lora", "peft", "org/model"),
        ("/data/models/mine", "lora", "peft", None),
        ("./models/mine", "full", "transformers", None),
    ],
)
def test_front_matter_is_what_hubs_read(
    base: str, tune: str, library: str, named: str | None
) -> None:
    card: Any = ModelCard(model_card(manifest(base, tune), REPORT, "mine"))
    assert card.data.to_dict() == {
        "library_name": library,
        "pipeline_tag": "text-classification",
        "tags": ["text-classification", "headtune"],
        **({"base_model": named} if named else {}),
    }


def test_figures_have_intervals_and_what_makes_them_too_good_comes_first() -> None:
    card = model_card(manifest(), REPORT, "mine")
    assert "| test | after tuning | 40 | 90.0 % | 76.9 to 96.0 % | 89.5 % | 0.310 |" in card
    assert card.index(REPORT["warnings"][0]) < card.index(REPORT["sentence"]) < card.index("| test")
    assert "messages.csv: 1,200 rows read (train 1,160, test 40)" in card


def test_without_a_report_there_are_no_figures() -> None:
    card = model_card(manifest(), {}, "mine")
    assert "## Figures" not in card
    assert "## Intended use and limits" in card


def test_four_ways_to_use_it_are_code() -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", model_card(manifest(), REPORT, "mine"), re.S)
    assert [language for language, _ in blocks] == ["sh", "sh", "python", "python"]
    for language, code in blocks:
        assert "path/to/mine" in code
        if language == "python":
            ast.parse(code)


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "](javascript:alert(1))",
    "[a](javascript:alert(1))",
    "a|b|c",
    "``` ` ``",
    "`",
    "a\n\n```\n# heading\n---\nevil: true\n---\n<b>",
    "**bold** _it_ \\* &lt; &amp;",
    "1. one",
    "# not a heading",
    "- item",
    "\u202eturned \x1b[2J",
    "https://example.org/a_b_c",
)


class Page(HTMLParser):
    """What a page shows, block by block, and the tags it has."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.pieces: list[str] = []
        text = re.sub(r"\A---\n.*?\n---\n", "", markdown, flags=re.S)
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.pieces.append("\0")

    def handle_endtag(self, tag: str) -> None:
        self.pieces.append("\0")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def blocks(self) -> list[str]:
        return "".join(self.pieces).split("\0")


ORDINARY = {"h1", "h2", "p", "code", "pre", "table", "thead", "tbody", "tr", "th", "td",
            "blockquote", "strong"}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_names_and_sentences_are_shown_as_they_are(name: str) -> None:
    described = manifest(base=f"org/{name}")
    described.labels = [name, "spam"]
    report = REPORT | {
        "sentence": name,
        "warnings": [name],
        "baselines": {name: REPORT["after"]},
        "data": REPORT["data"] | {"source": name},
    }
    card = model_card(described, report, name)
    page = Page(card)
    assert page.tags <= ORDINARY
    shown, blocks = visible_name(name), page.blocks()
    assert blocks.count(shown) >= 3  # heading, label, warning; often the sentence too
    assert f"org/{shown}" in blocks
    assert any(block.startswith(f"{shown}: 1,200 rows read") for block in blocks)
    assert UNSEEN.findall(card) == []
    assert page.tags >= {"pre", "table", "h2"}
    front: Any = ModelCard(card)
    assert set(front.data.to_dict()) <= {"library_name", "pipeline_tag", "tags", "base_model"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_card_of_an_export_shows_them_as_they_are(name: str, tmp_path: Path) -> None:
    described: Any = manifest()
    described.labels = [name, "spam"]
    out = f"exports/{name}".replace("/", "\\") if "\n" in name else name
    for to in ("transformers", "causal-lm"):
        write_card(tmp_path, to, FORMATS[to], described, [name], out, name)
        card = (tmp_path / "README.md").read_text(encoding="utf-8")
        page = Page(card)
        assert page.tags <= ORDINARY | {"ul", "li"}
        assert page.blocks().count(visible_name(name)) >= 2
        assert UNSEEN.findall(card) == []
