"""What is planted in a table is found, nothing else is, and all of it can be read."""

import io
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from headtune.cli.app import run
from headtune.cli.common import write_page
from headtune.data import find_repeats
from headtune.errors import ConfigError
from headtune.inspection import Inspection, inspect_table, render_inspection
from headtune.inspection.page import inspection_page
from headtune.options import DataConfig

from .planted import Planted, planted_table

TWEETS = Path(os.environ.get("HEADTUNE_TWEETS", ""))


def counts(inspection: Inspection) -> dict[str, int]:
    return {finding.kind: finding.count for finding in inspection.findings}


def check_planted(planted: Planted, inspection: Inspection) -> None:
    """99 % of each kind is found; exact kinds are found exactly."""
    found = counts(inspection)
    assert found["exact_repeats"] == planted.n("exact", "conflict", "exact_leak")
    assert found["conflicting_labels"] == planted.n("conflict")
    assert found["conflicting_labels_folded"] == planted.n("conflict", "folded_conflict")
    near = planted.n("folded", "edited", "folded_conflict", "near_leak")
    assert 0.99 * near <= found["near_repeats"] <= near
    leaks = planted.n("exact_leak", "near_leak")
    assert 0.99 * leaks <= found["leaks_into_test"] <= leaks
    (leak,) = [f for f in inspection.findings if f.kind == "leaks_into_test"]
    assert f"({planted.n('exact_leak'):,} the same text" in leak.title
    assert set(found) == {
        "exact_repeats",
        "conflicting_labels",
        "conflicting_labels_folded",
        "near_repeats",
        "leaks_into_test",
    }
    groups = find_repeats(planted.frame["text"].tolist()).near
    for pairs in planted.pairs.values():
        first, second = np.array(pairs).T
        assert (groups[first] == groups[second]).mean() >= 0.99


def test_planted_copies_conflicts_and_leaks_are_found() -> None:
    planted = planted_table(5_000)
    config = DataConfig(split_column="part")
    inspection = inspect_table(planted.frame, config)
    check_planted(planted, inspection)
    assert inspect_table(planted.frame, config) == inspection


@pytest.mark.skipif(
    "HEADTUNE_LARGE" not in os.environ, reason="HEADTUNE_LARGE is not set: takes half a minute"
)
def test_a_hundred_thousand_rows(tmp_path: Path) -> None:
    planted = planted_table(100_000)
    path = tmp_path / "planted.csv"
    planted.frame.to_csv(path, index=False)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    inspection = inspect_table(path, DataConfig(split_column="part"))
    seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
    print(f"100,000 rows: {seconds:.1f} s, {cpu:.1f} s of processor time")
    assert cpu < 60
    check_planted(planted, inspection)


def test_unlike_texts_have_nothing_odd() -> None:
    planted = planted_table(1_000)
    unlike = planted.frame.iloc[:900]
    inspection = inspect_table(unlike, DataConfig(split_column="part"))
    assert inspection.findings == ()
    assert inspection.rows_read == inspection.rows_used == 900
    assert inspection.parts == {"train": 837, "test": 63}


def test_spam() -> None:
    found = counts(inspect_table("sms-spam", DataConfig()))
    assert found["exact_repeats"] == 403
    assert "conflicting_labels" not in found


@pytest.mark.skipif(not TWEETS.is_file(), reason="HEADTUNE_TWEETS names no file of disaster tweets")
def test_tweets() -> None:
    found = counts(inspect_table(TWEETS, DataConfig(label="target")))
    assert found["exact_repeats"] == 110
    assert found["conflicting_labels"] == 18
    assert found["conflicting_labels_folded"] == 66
    assert "gives_label_away" not in found


def odd_frame(n: int = 60) -> pd.DataFrame:
    """Unlike texts, with one oddity of each kind, and columns that say the label."""
    frame = planted_table(1_000).frame[["text"]].iloc[:n].copy()
    labels = np.random.default_rng(3).permutation(["x", "y"] * (n // 2))
    frame["label"] = labels
    odd = ["cafÃ© au lait", "gone \N{REPLACEMENT CHARACTER}", "bell \a rings", "zero\u200bwidth"]
    odd += [
        "p\u0430ypal and more",
        "a &amp; b",
        "http://a.example",
        "\u041f\u0440\u0438\u0432\u0435\u0442",
    ]
    frame.loc[: len(odd) - 1, "text"] = odd
    frame["source"] = np.where(labels == "x", "left", "right")
    frame["id"] = np.where(labels == "x", 0, 1_000) + np.arange(n)
    frame["serial"] = np.arange(n)
    frame["group"] = np.arange(n) % 5
    frame["year"] = 2024
    return frame


def test_each_oddity_is_found_once_with_its_row() -> None:
    inspection = inspect_table(odd_frame(), DataConfig(text="text", label="label"))
    rows = {f.kind: [row.row for row in f.rows] for f in inspection.findings}
    kinds = ["mojibake", "replacement_characters", "control_characters", "invisible_characters"]
    kinds += ["mixed_scripts", "markup", "nothing_to_read", "other_scripts"]
    assert {kind: rows[kind] for kind in kinds} == {kind: [i + 1] for i, kind in enumerate(kinds)}


def test_columns_that_give_the_label_away_and_no_others() -> None:
    inspection = inspect_table(odd_frame(), DataConfig(text="text", label="label"))
    titles = [f.title for f in inspection.findings if f.kind == "gives_label_away"]
    assert titles == [
        "Column 'source' gives the label away: its value says the label of 100.0% of the rows",
        "Column 'id' gives the label away: sorting by it sorts the labels",
    ]
    (constant,) = [f for f in inspection.findings if f.kind == "constant_columns"]
    assert constant.title == "The same value in every row: year"


def test_rare_labels_unusable_rows_and_cut_texts() -> None:
    frame = odd_frame()
    frame.loc[10:12, "label"] = "rare"
    frame.loc[20, "text"] = ""
    inspection = inspect_table(frame, DataConfig(text="text", label="label"), max_length=14)
    found = {f.kind: f for f in inspection.findings}
    assert found["rare_labels"].title == "1 label has fewer than 20 rows: rare 3"
    assert [row.row for row in found["rare_labels"].rows] == [11, 12, 13]
    assert found["unusable_rows"].count == 1
    assert found["unusable_rows"].rows[0].row == 21
    assert found["cut_texts"].count == 60 - 8 - 1
    by_label = {row.label: row for row in inspection.lengths}
    assert sum(row.cut for row in by_label.values()) == found["cut_texts"].count
    assert (by_label["rare"].texts, by_label["rare"].cut, by_label["rare"].longest) == (3, 3, 15)


def test_labels_that_look_the_same() -> None:
    frame = planted_table(1_000).frame[["text"]].iloc[:200].copy()
    labels = ["Ham", "ham", "good", "go\u200bod", "not spam", "not\xa0 spam", "NOT SPAM", "notspam"]
    frame["label"] = labels * 25
    frame.loc[0, "label"] = "ham"
    (found,) = inspect_table(frame, DataConfig()).findings
    assert (found.kind, found.severity, found.count) == ("alike_labels", "medium", 7)
    assert found.title == (
        "7 labels differ only by case, spaces or characters that are not seen: "
        "'ham' 26, 'Ham' 24; 'NOT SPAM' 25, 'not spam' 25, 'not\\xa0 spam' 25; "
        "'good' 25, 'go\\u200bod' 25"
    )
    assert [row.row for row in found.rows] == [4, 5, 6, 9, 12, 13]


def test_labels_with_links_are_read_to_the_letter() -> None:
    frame = planted_table(1_000).frame[["text"]].iloc[:60].copy()
    frame["label"] = ["topic http://x.org/A", "topic http://x.org/B"] * 30
    assert not inspect_table(frame, DataConfig()).findings


def test_lengths_in_tokens_of_a_model(tiny_llama: Path) -> None:
    from transformers import AutoTokenizer

    frame = odd_frame()
    inspection = inspect_table(frame, DataConfig(label="label"), model=str(tiny_llama))
    assert inspection.unit == "tokens"
    tokenizer = AutoTokenizer.from_pretrained(tiny_llama)
    longest = max(len(tokenizer(text)["input_ids"]) for text in frame["text"])
    assert max(row.longest for row in inspection.lengths) == longest


def shown(inspection: Inspection, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    render_inspection(inspection, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_terminal_shows_every_finding_within_its_width() -> None:
    frame = odd_frame()
    frame.loc[30, "text"] = "[red]markup[/red] " * 20
    frame.loc[31, "text"] = "[red]markup[/red] " * 20
    inspection = inspect_table(frame, DataConfig(text="text", label="label"), max_length=9)
    page = shown(inspection)
    assert max(map(len, page.splitlines())) <= 80
    assert "[red]markup[/red]" in page
    assert "serious: Column 'source' gives the label away" in page
    assert "row 32 like 31 [" in page
    assert "\a" not in page
    for finding in inspection.findings:
        assert finding.title.split(":")[0] in " ".join(page.split())
    nothing = inspect_table(planted_table(1_000).frame.iloc[:900], DataConfig(split_column="part"))
    assert "Nothing odd was found." in shown(nothing)
    assert "given parts: train 837, test 63" in shown(nothing)


def test_the_page_escapes_what_the_data_says_and_loads_nothing() -> None:
    frame = odd_frame()
    frame.loc[30:31, "text"] = "<script>alert('x')</script> and some more words to be long enough"
    inspection = inspect_table(frame, DataConfig(text="text", label="label"), max_length=9)
    page = inspection_page(inspection)
    assert "<script" not in page
    assert "&lt;script&gt;alert" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "src=" not in page
    assert page.count("<h3>") == len(inspection.findings)
    assert "Over 9" in page


def test_the_command_writes_text_json_and_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("headtune.cli.app.QUIET", {})
    monkeypatch.setattr("warnings.filterwarnings", lambda *_: None)
    odd_frame().to_csv(tmp_path / "odd.csv", index=False)
    arguments = ["inspect", str(tmp_path / "odd.csv"), "--label", "label", "--max-length", "9"]
    page = tmp_path / "odd.html"
    assert run([*arguments, "--html", str(page)]) == 0
    captured = capsys.readouterr()
    assert "gives the label away" in captured.out
    assert f"Written to {page}" in captured.err
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run([*arguments, "--json"]) == 0
    values: Any = json.loads(capsys.readouterr().out)
    assert values["rows_used"] == 60
    assert values["findings"][0]["severity"] == "high"
    assert run(["inspect", str(tmp_path / "odd.csv"), "--label", "lable"]) == 1
    assert "Did you mean --label label?" in capsys.readouterr().err
    assert run(["inspect", str(tmp_path / "none.csv")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_page_makes_its_folder_and_one_that_cannot_be_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("headtune.cli.app.QUIET", {})
    monkeypatch.setattr("warnings.filterwarnings", lambda *_: None)
    odd_frame().to_csv(tmp_path / "odd.csv", index=False)
    arguments = ["inspect", str(tmp_path / "odd.csv"), "--label", "label", "--html"]
    assert run([*arguments, str(tmp_path / "new/pages/odd.html")]) == 0
    assert (tmp_path / "new/pages/odd.html").is_file()
    capsys.readouterr()
    for page in (tmp_path / "odd.csv/odd.html", tmp_path, Path("/proc/odd.html")):
        assert run([*arguments, str(page)]) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"Error: --html {page} cannot be written: ")
        assert error.count("\n") == 1
        assert ".tmp" not in error
    with pytest.raises(ConfigError, match=r"--html \. cannot be written"):
        write_page("", Path(""))
