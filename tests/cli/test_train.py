"""headtune train: which run is asked for, and what is said about it."""

import json
from pathlib import Path

import pytest

from headtune.cli.train import default_out
from headtune.errors import CanResume

from .conftest import REPORT, Headtune, Stages

RECIPE = """
source: from-recipe.csv
tokens:
train:
  epochs: 7
  learning_rate: 5e-5
tune: {tune: lora, lora_targets: [q_proj, v_proj]}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return "recipe.yaml"


def test_flags_reach_the_run(headtune: Headtune, stages: Stages) -> None:
    result = headtune(
        "train", "a.csv", "--text", "body", "--test-file", "t.csv", "--lora-rank", "4",
        "--epochs", "2", "--no-keep-best", "--save-split", "--dtype", "float32",
    )  # fmt: skip
    assert result.code == 0
    assert stages.config is not None
    config = stages.config
    assert (config.source, config.data.text) == ("a.csv", "body")
    assert (config.data.test_file, config.data.save_split) == (Path("t.csv"), True)
    assert (config.tune.lora_rank, config.train.epochs) == (4, 2.0)
    assert (config.train.keep_best, config.machine.dtype) == (False, "float32")
    assert stages.arguments == {"out": Path("runs/a"), "overwrite": False, "resume": False}


@pytest.mark.parametrize(
    "given",
    [
        ["--lora-targets", "q_proj", "v_proj"],
        ["--lora-targets", "q_proj,v_proj"],
        ["--lora-targets", "q_proj", "--lora-targets", "v_proj"],
    ],
    ids=["spaces", "commas", "repeated"],
)
def test_several_values(headtune: Headtune, stages: Stages, given: list[str]) -> None:
    assert headtune("train", "a.csv", *given).code == 0
    assert stages.config is not None
    assert stages.config.tune.lora_targets == ("q_proj", "v_proj")


def test_a_recipe_wins_over_defaults(headtune: Headtune, stages: Stages, recipe: str) -> None:
    assert headtune("train", "--config", recipe).code == 0
    assert stages.config is not None
    assert stages.config.source == "from-recipe.csv"
    assert (stages.config.train.epochs, stages.config.train.learning_rate) == (7, 5e-5)
    assert stages.config.train.batch_size == 16
    assert stages.config.tune.lora_targets == ("q_proj", "v_proj")
    assert stages.arguments["out"] == Path("runs/from-recipe")


def test_flags_win_over_environment_over_recipe(
    headtune: Headtune, stages: Stages, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADTUNE_EPOCHS", "2")
    monkeypatch.setenv("HEADTUNE_LEARNING_RATE", "1e-4")
    monkeypatch.setenv("HEADTUNE_LORA_TARGETS", "a b")
    assert headtune("train", "flag.csv", "--config", recipe, "--epochs", "1").code == 0
    assert stages.config is not None
    assert stages.config.source == "flag.csv"
    assert (stages.config.train.epochs, stages.config.train.learning_rate) == (1, 1e-4)
    assert stages.config.tune.tune == "lora"
    assert stages.config.tune.lora_targets == ("a", "b")


@pytest.mark.parametrize(
    ("recipe_text", "message"),
    [
        ("train: {learning_rat: 1}", "'learning_rat'. Did you mean 'learning_rate'?"),
        ("epochs: 3", "Unknown key: 'epochs'. It belongs under 'train'."),
        ("data: {epochs: 3}", "'epochs'. It belongs under 'train'."),
        ("train: {epochs: many}", "must be float; received 'many'"),
        ("train: [", "not valid YAML: line 1"),
        ("just words", "must hold the keys source, data, tokens"),
    ],
)
def test_a_mistake_in_a_recipe_is_one_line_that_names_the_file(
    headtune: Headtune, tmp_path: Path, recipe_text: str, message: str
) -> None:
    (tmp_path / "bad.yaml").write_text(recipe_text, encoding="utf-8")
    result = headtune("train", "a.csv", "--config", "bad.yaml")
    assert result.code == 1
    assert result.err.startswith("Error: bad.yaml")
    assert message in result.err
    assert result.err.count("\n") == 1


def test_a_recipe_that_is_not_there(headtune: Headtune) -> None:
    result = headtune("train", "--config", "none.yaml")
    assert (result.code, result.err) == (1, "Error: There is no recipe at none.yaml.\n")


def test_results_on_stdout_progress_on_stderr(headtune: Headtune) -> None:
    result = headtune("train", "a.csv", "--out", "here")
    assert result.out == "a table of results\n"
    assert "Training\n  frozen weights in bfloat16\n  10 examples in " in result.err
    assert "curves.png" in result.err
    assert "headtune predict here" in result.err


def test_json_is_the_report_and_nothing_else(headtune: Headtune) -> None:
    assert json.loads(headtune("train", "a.csv", "--json").out) == REPORT


def test_dry_run_prints_the_plan_and_trains_nothing(headtune: Headtune, stages: Stages) -> None:
    result = headtune("train", "a.csv", "--dry-run")
    assert (result.code, result.out) == (0, "rows:\n  train: 70\nmodel: smollm2-135m\n")
    assert stages.arguments == {"out": None, "overwrite": False}
    assert json.loads(headtune("train", "a.csv", "--dry-run", "--json").out)["rows"] == {
        "train": 70
    }


def test_without_data(headtune: Headtune) -> None:
    result = headtune("train", "--epochs", "3")
    assert result.code == 2
    assert "headtune train needs DATA" in result.err


def test_standard_input(headtune: Headtune, stages: Stages) -> None:
    assert headtune("train", "-", "--epochs", "3").code == 0
    assert stages.config is not None
    assert (stages.config.source, stages.config.train.epochs) == ("-", 3)


def test_an_unfinished_run_that_is_to_replace_another_can_be_resumed(
    headtune: Headtune, stages: Stages
) -> None:
    assert headtune("train", "a.csv", "--overwrite", "--resume").code == 0
    assert stages.arguments == {"out": Path("runs/a"), "overwrite": True, "resume": True}


def test_ctrl_c_says_how_to_resume(headtune: Headtune, stages: Stages) -> None:
    stages.error = CanResume("the last checkpoint")
    result = headtune("train", "my file.csv", "--overwrite", "--epochs", "3")
    assert result.code == 130
    last = result.err.splitlines()[-1]
    assert last.startswith("Stopped. To go on from the last checkpoint: ")
    assert last.endswith(": headtune train 'my file.csv' --overwrite --epochs 3 --resume")
    assert result.out == ""


def test_ctrl_c_before_the_first_checkpoint(headtune: Headtune, stages: Stages) -> None:
    stages.error = KeyboardInterrupt("Stopped before the first checkpoint.")
    result = headtune("train", "a.csv")
    assert result.code == 130
    assert result.err.splitlines()[-1] == "Stopped before the first checkpoint."


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("data/messages.csv", "runs/messages"),
        ("messages.csv.gz", "runs/messages"),
        ("someone/tweets", "runs/tweets"),
        ("sms-spam", "runs/sms-spam"),
        ("-", "runs/stdin"),
        (".csv", "runs/csv"),
    ],
)
def test_the_default_folder_has_the_name_of_the_data(source: str, out: str) -> None:
    assert default_out(source) == Path(out)
