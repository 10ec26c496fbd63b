"""headtune predict: what is a text, what is a table, and what is printed for each."""

import json
from pathlib import Path

import pytest

from headtune.cli.options import _parts
from headtune.cli.tables import prediction_lines
from headtune.cli.texts import table_in
from headtune.errors import PredictionError
from headtune.options import DataConfig
from headtune.types import LabelSet, Prediction

from .conftest import Headtune, Stages


def test_one_text(headtune: Headtune, stages: Stages) -> None:
    result = headtune("predict", "runs/x", "You won!", "--device", "cpu")
    assert (result.code, result.err) == (0, "")
    assert result.out == "ham    50.0 %\nspam   50.0 %\n"
    assert stages.arguments == {"path": Path("runs/x"), "device": "cpu"}


def test_one_text_and_many_labels(headtune: Headtune, stages: Stages) -> None:
    stages.labels = LabelSet(tuple(f"intent {number}" for number in range(77)))
    lines = headtune("predict", "runs/x", "hello").out.splitlines()
    assert lines[0] == "intent 1    50.0 %"
    assert lines[-1] == "… and 67 more labels (--json has them all)"
    assert len(lines) == 11


def test_several_texts_make_a_table(headtune: Headtune) -> None:
    out = headtune("predict", "runs/x", "first\ntext", "second [b]text[/b]").out
    header, first, second = (line.rstrip() for line in out.splitlines())
    assert header.split() == ["label", "ham", "spam", "text"]
    assert first == "ham    50.0 %  50.0 %  first text"
    assert second == "ham    50.0 %  50.0 %  second [b]text[/b]"


def test_rounding_makes_no_probability_certain() -> None:
    lines = prediction_lines(Prediction("ham", {"ham": 0.9999, "spam": 0.0001}))
    assert lines == ["ham    99.9 %", "spam    0.0 %"]
    lines = prediction_lines(Prediction("ham", {"ham": 1.0, "spam": 0.0}))
    assert lines == ["ham   100.0 %", "spam    0.0 %"]


def test_a_long_text_is_cut_off_and_figures_never_are(headtune: Headtune) -> None:
    _, first, _ = headtune("predict", "runs/x", "long " * 100, "short").out.splitlines()
    assert first.startswith("ham    50.0 %  50.0 %  long long")
    assert first.rstrip().endswith("…")


def test_json_is_one_object_a_line(headtune: Headtune) -> None:
    lines = headtune("predict", "runs/x", "é", "b", "--json").out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"text": text, "label": "ham", "probabilities": {"ham": 0.5, "spam": 0.5}, "unsure": False}
        for text in ("é", "b")
    ]


def test_a_text_may_begin_with_a_hyphen(headtune: Headtune) -> None:
    assert headtune("predict", "runs/x", "--", "-5 degrees").code == 0


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_text(headtune: Headtune, text: str) -> None:
    result = headtune("predict", "runs/x", "a", text)
    assert result.code == 1
    assert result.err == "Error: Text 2 of 2 is empty; there is nothing to classify.\n"


def test_no_text_is_wrong_usage(headtune: Headtune) -> None:
    assert headtune("predict", "runs/x").code == 2


def test_a_file_becomes_csv_on_stdout(headtune: Headtune, stages: Stages, tmp_path: Path) -> None:
    (tmp_path / "new.csv").touch()
    result = headtune("predict", "runs/x", "new.csv", "--text", "body", "--dtype", "float32")
    assert (result.code, result.out) == (0, "text,label\nhello,ham\n")
    assert "Predicting" in result.err
    assert result.err.endswith("3 rows: 2 spam, 1 ham\n")
    assert stages.arguments == {
        "path": Path("runs/x"),
        "dtype": "float32",
        "source": "new.csv",
        "out": None,
        "as_json": False,
        "data": DataConfig(text="body"),
    }


def test_a_file_goes_to_out(headtune: Headtune, stages: Stages) -> None:
    result = headtune("predict", "runs/x", "-", "--out", "labelled.csv")
    assert (result.code, result.out) == (0, "3 rows: 2 spam, 1 ham\n")
    assert result.err.endswith("Written to labelled.csv\n")
    assert (stages.arguments["source"], stages.arguments["out"]) == ("-", Path("labelled.csv"))


def test_json_of_a_file_is_its_rows_or_with_out_the_summary(headtune: Headtune) -> None:
    result = headtune("predict", "runs/x", "-", "--out", "labelled.jsonl", "--json")
    assert json.loads(result.out)["labels"] == {"ham": 1, "spam": 2}
    result = headtune("predict", "runs/x", "-", "--json")
    assert (result.code, json.loads(result.out)) == (0, {"text": "hello"})
    assert result.err.endswith("3 rows: 2 spam, 1 ham\n")


def test_a_base_model_that_has_moved(headtune: Headtune, stages: Stages) -> None:
    assert headtune("predict", "runs/x", "a text", "--model", "there").code == 0
    assert stages.arguments == {"path": Path("runs/x"), "model": "there"}


def test_out_is_not_for_texts(headtune: Headtune) -> None:
    assert headtune("predict", "runs/x", "a text", "--out", "x.csv").code == 1


@pytest.mark.parametrize(
    ("arguments", "table"),
    [
        (["-"], "-"),
        (["there.csv"], "there.csv"),
        (["there"], "there"),
        (["hello"], None),
        (["not.a.table"], None),
        (["x" * 5000], None),
        (["null \0 character"], None),
    ],
)
def test_which_arguments_are_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], table: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").touch()
    (tmp_path / "there").touch()
    assert table_in(arguments) == table


def test_one_table_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv"):
        Path(name).touch()
    with pytest.raises(PredictionError, match=r"received 2: a\.csv, b\.csv"):
        table_in(["a.csv", "b.csv"])


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("spam=0.9", ["spam=0.9"]),
        ("spam=0.9,ham=0.5", ["spam=0.9", "ham=0.5"]),
        ("yes, please=0.9,no=1e-3", ["yes, please=0.9", "no=1e-3"]),
        ("spam=0.9,ham=x", ["spam=0.9", "ham=x"]),
        ("spam=0.9,ham", ["spam=0.9", "ham"]),
        ("spam=0.5,ham=0.5x", ["spam=0.5", "ham=0.5x"]),
        ("q_proj,v_proj", ["q_proj", "v_proj"]),
    ],
)
def test_no_part_of_a_list_is_dropped(written: str, parts: list[str]) -> None:
    assert _parts(written) == parts
