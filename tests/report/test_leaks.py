"""A report whose test texts were trained on begins with that."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from headtune.report import Report, leak_sentence, render_report

NONE = {"rows": 100, "exact": 0, "near": 0}


def data(test: dict[str, int], split: str = "given by files", **more: Any) -> Any:
    examples = [{"part": "test", "row": 1_201, "train_row": 3, "kind": "exact"}]
    return {
        "split": split,
        "leaks": {"validation": NONE, "test": test, "examples": examples} | more,
    }


@pytest.mark.parametrize(
    ("exact", "near", "expected"),
    [
        (10, 14, "Of 100 test texts, 10 are copies of a training text and 14 more are nearly so ("),
        (1, 1, "1 is a copy of a training text and 1 more is nearly so"),
        (0, 1, "1 is nearly the same as a training text"),
        (0, 1_000, "1,000 are nearly the same as a training text"),
        (
            1,
            0,
            "1 is a copy of a training text (to begin with, test row 1,201 and training row 3):",
        ),
    ],
)
def test_the_sentence_counts_copies(exact: int, near: int, expected: str) -> None:
    sentence = leak_sentence(data({"rows": 100, "exact": exact, "near": near}))
    assert expected in sentence
    assert sentence.endswith("Let headtune split the data, or remove the copies.")


def test_no_leak_no_sentence() -> None:
    assert leak_sentence(data(NONE)) == leak_sentence({}) == ""


def test_without_a_test_part_validation_speaks() -> None:
    leaks = data({"rows": 0, "exact": 0, "near": 0}, validation={"rows": 9, "exact": 2, "near": 0})
    assert leak_sentence(leaks).startswith(
        "Of 9 validation texts, 2 are copies of a training text:"
    )


def test_the_way_out_fits_the_split() -> None:
    leaking = {"rows": 9, "exact": 1, "near": 0}
    assert "remove all but the oldest" in leak_sentence(data(leaking, "80/20 by time (column 'd')"))
    assert "a pattern with many rows" in leak_sentence(data(leaking, "80/20"))


def test_the_page_begins_with_it(make_report: Callable[..., Report]) -> None:
    leaking = data({"rows": 1_000, "exact": 12, "near": 0})
    warnings = [leak_sentence(leaking), "Another warning."]
    console = Console(file=io.StringIO(), width=80)
    render_report(make_report(data=leaking, warnings=warnings), console)
    assert isinstance(console.file, io.StringIO)
    page = console.file.getvalue()
    lines = page.splitlines()
    assert lines[2].startswith("Warning: Of 1,000 test texts, 12 are copies of a training text")
    assert page.index("the figures are too good") < page.index("is right on")
    assert page.count("12 are copies") == 1
    assert "Another warning." in page
