"""The card of a run: front matter that hubs read, figures with intervals, and code that runs."""

import ast
import re
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import ModelCard

from headtune.artifact.model_card import model_card

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
