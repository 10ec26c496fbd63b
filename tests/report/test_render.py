"""render.py: everything is on the page, within the width, with and without colours."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from headtune.report import Report, render_report
from headtune.tasks.metrics import classification_metrics
from headtune.types import LabelSet
from headtune.wording.numbers import duration, interval, percent, rate

from .evidence import EVIDENCE

MakeReport = Callable[..., Report]


def shown(report: Report, width: int = 80, *, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, no_color=False)
    render_report(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def line_of(page: str, start: str) -> str:
    return next(line for line in page.splitlines() if line.startswith(start))


def test_figures_are_on_the_page(make_report: MakeReport) -> None:
    page = shown(make_report())
    assert page.startswith("smollm2-135m on messages.csv\n")
    assert "is right on 988" in page
    after = line_of(page, "after tuning")
    assert " ".join(after.split()) == "after tuning 98.8 % 97.9 to 99.3 % 97.4 % 0.087"
    assert "31.0 %" in line_of(page, "before tuning")
    assert "87.0 %" in line_of(page, "majority class")
    assert "95.5 %" in line_of(page, "TF-IDF with logistic regression  ")
    assert "validation: 1,000 texts" in page
    assert " ".join(line_of(page, "spam").split()) == "spam 130 91.5 % 100.0 % 95.6 %"
    assert (
        "5,574 rows read, 3 set aside (the text is empty: 2, the label is missing: 1), "
        "403 repeating another, 1 text in more than one part"
    ) in " ".join(page.split())
    assert "ham 4,827, spam 744" in page
    assert "train 3,620, validation 1,000, test 1,000" in page
    assert "7 texts longer than max_length (spam 7)" in page
    assert "3,541,824 of 134,515,008 parameters trained (2.6 %), on cpu" in page
    assert "93.1 examples/s, 3,353 tokens/s, 454 GFLOP/s" in page
    assert "training 41 s" in page
    assert "warning  403 rows repeat another row" in page


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(make_report: MakeReport, width: int) -> None:
    labels = LabelSet(("a label whose name goes on and on, " * 3, "x" * 100))
    metrics = classification_metrics(np.tile([0.6, 0.4], (3, 1)), [0, 1, 0], labels)
    report = make_report(
        labels=labels,
        before={},
        after={"test": metrics},
        baselines={"majority": {"test": metrics}},
        truncated={},
        warnings=["A warning that needs more than one line. " * 5, "/a/path" * 30],
        config={"source": "folder/" * 20 + "messages.csv"},
    )
    page = shown(report, width)
    assert max(len(line) for line in page.splitlines()) <= width
    assert page.replace("\n", "").count("x") >= 100  # names fold, they are not cut


def test_colours_say_nothing_that_words_do_not(
    make_report: MakeReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = shown(make_report())
    assert "\x1b" not in piped
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = shown(make_report(), terminal=True)
    assert "\x1b[3" not in coloured  # no colour, bold at most
    for style in ("\x1b[1m", "\x1b[0m", "\x1b[2m"):
        coloured = coloured.replace(style, "")
    assert coloured == piped


def test_names_are_never_read_as_markup(make_report: MakeReport) -> None:
    labels = LabelSet(("[red]", "[/b] :bomb:"))
    metrics = classification_metrics([[0.9, 0.1]], [0], labels)
    page = shown(
        make_report(
            labels=labels,
            before={},
            after={"test": metrics},
            baselines={},
            truncated={"[red]": 1},
            warnings=["[i]sic[/i]"],
        )
    )
    for text in ("[red]  ", "[/b] :bomb:", "1 text longer than max_length ([red] 1)", "[i]sic[/i]"):
        assert text in page


def test_many_labels_show_the_weakest(make_report: MakeReport) -> None:
    labels = LabelSet(tuple(f"topic-{index:02}" for index in range(30)))
    label_ids = np.arange(30)
    predicted = np.where(label_ids == 29, 28, label_ids)
    metrics = classification_metrics(0.97 * np.eye(30)[predicted] + 0.001, label_ids, labels)
    page = shown(
        make_report(labels=labels, before={}, after={"test": metrics}, baselines={}, truncated={})
    )
    assert page.index("topic-29") < page.index("topic-28") < page.index("topic-00")
    assert "and 10 labels with no lower F1, in report.json" in page
    assert page.count("topic-") == 20


def test_a_report_of_no_held_back_part(make_report: MakeReport) -> None:
    speed: dict[str, Any] = {
        "examples_per_second": 0.0,
        "tokens_per_second": None,
        "useful_flops_per_second": None,
        "wall_seconds": {},
    }
    page = shown(
        make_report(before={}, after={}, data={}, truncated={}, warnings=[], speed=speed, config={})
    )
    assert page.startswith("smollm2-135m\n")
    assert "nothing is known" in page
    for absent in ("accuracy", "precision", "\ndata", "speed", "warning", "cut off"):
        assert absent not in page


def test_calibration_is_told_with_what_the_temperature_did(make_report: MakeReport) -> None:
    calibration = EVIDENCE["calibration"]
    page = shown(make_report(evidence={"calibration": calibration}))
    said = "expected calibration error 1.1 % on the test part"
    assert f"calibration {said}, 8.1 % before the temperature 1.83" in " ".join(page.split())
    as_trained = {**calibration, "temperature": 1.0, "fitted_on": None}
    page = " ".join(shown(make_report(evidence={"calibration": as_trained})).split())
    assert f"calibration {said}" in page
    assert "temperature" not in page
    assert "calibration" not in shown(make_report())


def test_suspect_labels_are_counted_and_the_first_is_shown(make_report: MakeReport) -> None:
    def line(suspected: int, listed: int) -> str:
        evidence = {
            "suspect_labels": EVIDENCE["suspect_labels"][:listed],
            "suspects_checked": {"rows": 1234, "of": 5571, "suspected": suspected},
        }
        return " ".join(shown(make_report(evidence=evidence)).split())

    first = "row 100 of train: ham, rather spam"
    assert (
        f"suspect labels 62 among 1,234 rows judged; first {first}; "
        "more in report.json, under suspect_labels"
    ) in line(62, 30)
    assert f"suspect labels 1 among 1,234 rows judged; {first} model" in line(1, 1)
    assert "suspect labels none among 1,234 rows judged" in line(0, 0)
    assert "suspect" not in shown(make_report())


def test_memory_is_told_where_it_is_known(make_report: MakeReport) -> None:
    speed = make_report().speed
    assert "2.1 GB of memory at most" in shown(
        make_report(speed={**speed, "peak_memory_bytes": 2_140_000_000})
    )
    for older in (speed, {**speed, "peak_memory_bytes": None}):
        assert "memory" not in shown(make_report(speed=older))


def test_numbers_as_people_write_them() -> None:
    assert [percent(share) for share in (0, 0.8466, 0.99951, 1)] == [
        "0.0 %",
        "84.7 %",
        "99.9 %",
        "100.0 %",
    ]
    assert interval(0.828, 0.8644) == "82.8 to 86.4 %"
    assert [duration(s) for s in (0.04, 9.94, 59.4, 59.6, 3599.7, 7500)] == [
        "0.0 s",
        "9.9 s",
        "59 s",
        "1 min 0 s",
        "1 h 0 min",
        "2 h 5 min",
    ]
    assert rate(33.24, "examples") == "33.2 examples/s"
    assert rate(12345.6, "tokens") == "12,346 tokens/s"
    assert [rate(flops, "FLOP") for flops in (4.5e11, 1.234e12, 5.67e7, 12)] == [
        "450 GFLOP/s",
        "1.23 TFLOP/s",
        "56.7 MFLOP/s",
        "12 FLOP/s",
    ]
