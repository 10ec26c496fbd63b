"""The ablation: rows are options of headtune, intervals are bootstrap intervals, rows are kept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import ablation
from ablation import Outcome
from headtune.cli.recipe import merge

from .conftest import Bench

OUTCOME = Outcome(
    name="a row",
    options={**ablation.BASE, "model": "m"},
    trained_parameters=1_000,
    learning_rate=3e-4,
    validation_accuracy=0.9,
    spam_f1=0.9,
    right=(1,) * 180 + (0,) * 20,
    seconds=1.0,
)


def test_rows_are_settings_of_headtune_and_differ() -> None:
    rows = ablation.rows(epochs_without_trunk=1)
    configs = [merge({}, "sms-spam", {**ablation.BASE, **row.options}) for row in rows]
    assert len(rows) >= 10
    assert len({json.dumps(config.to_dict()) for config in configs}) == len(rows)
    assert len({row.name for row in rows}) == len(rows)


def test_chosen_rows_are_run_and_kept(last_line: Bench, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    arguments = ("--out", str(out), "--resume", "--only", "head only", "first token")
    found = last_line(ablation, *arguments)
    assert [row["name"] for row in found["rows"]] == [
        "last token, last block trained",
        "first token",
        "head only",
    ]
    assert found["test_messages"] == 8
    for row in found["rows"]:
        low, high = row["interval"]
        assert low <= row["accuracy"] <= high
    kept = out.read_text()
    again = last_line(ablation, *arguments)
    assert again["rows"] == found["rows"]  # not run again: the seconds are the same
    assert out.read_text() == kept


def test_a_kept_row_of_other_options_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "rows.jsonl"
    out.write_text(json.dumps(vars(OUTCOME)) + "\n")
    ran: list[str] = []

    def run_row(row: ablation.Row, source: str, model: str) -> Outcome:
        ran.append(row.name)
        return replace(OUTCOME, options={**ablation.BASE, **row.options, "model": model})

    monkeypatch.setattr(ablation, "run_row", run_row)
    same, other = ablation.Row("a row"), ablation.Row("a row", {"pooling": "mean"})
    list(ablation.outcomes([same], "sms-spam", "m", out, True))
    assert ran == []
    list(ablation.outcomes([other], "sms-spam", "m", out, True))
    assert ran == ["a row"]


def test_bootstrap_is_near_the_normal_interval_and_pairs_the_difference() -> None:
    (low, high), (less, more) = ablation.bootstrap(OUTCOME.right, OUTCOME.right)
    assert low == pytest.approx(0.9 - 1.96 * (0.9 * 0.1 / 200) ** 0.5, abs=0.006)
    assert high == pytest.approx(0.9 + 1.96 * (0.9 * 0.1 / 200) ** 0.5, abs=0.006)
    assert less == more == 0  # the same answers: no difference in any resample
    worse = [*OUTCOME.right[:-40], *([0] * 40)]
    _, (less, more) = ablation.bootstrap(worse, OUTCOME.right)
    assert less < -0.1 < more < 0


def test_table_goes_between_the_marks_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "ablation.md"
    page.write_text(f"# Above\n{ablation.BEGIN}old\n{ablation.END}below\n")
    text = ablation.markdown([ablation.cells(OUTCOME, OUTCOME)])
    ablation.write_markdown(page, text)
    ablation.write_markdown(page, text)
    assert page.read_text() == f"# Above\n{ablation.BEGIN}\n{text}\n{ablation.END}below\n"
    assert "| a row | 1,000 | 5 | 0.0003 | 90.0 % | 90.0 % | 85.5 to 94.0 |" in text
    ablation.write_markdown(tmp_path / "new.md", text)
    assert (tmp_path / "new.md").read_text() == ablation.PAGE.replace(
        ablation.END, f"\n{text}\n{ablation.END}"
    )
    page.write_text("no marks")
    with pytest.raises(ValueError, match="lacks the marks"):
        ablation.write_markdown(page, text)


def test_an_unknown_row_is_named() -> None:
    with pytest.raises(SystemExit, match="No such rows"):
        ablation.choose(ablation.rows(1), ["middle token"])
