"""``train_run``: the whole job on a table, killed and resumed, and the same again."""

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headtune import Predictor, RunConfig, TextClassifier, plan_run, train_run
from headtune.errors import ArtifactError, CanResume, ConfigError, ModelError
from headtune.files.claims import claimed
from headtune.report import Report
from headtune.report.entries import ReportValues
from headtune.run.checkpoints import UnfinishedRun
from headtune.run.planned import Plan
from headtune.run.train import can_resume
from headtune.wording.numbers import percent
from tests_support import read_history, wait_for, write_table
from typed_values import misfits


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 rows, two of which cannot be used."""
    path = tmp_path_factory.mktemp("data") / "messages.csv"
    return write_table(path, [("", "prize"), ("no topic", "")])


def config_for(table: Path, folder: Path, **changes: dict[str, Any]) -> RunConfig:
    values: dict[str, Any] = {
        "source": str(table),
        "model": {"model": str(folder)},
        "tune": {"tune": "last-1"},
        "train": {"epochs": 3, "learning_rate": 5e-3, "batch_size": 8},
    }
    for stage, options in changes.items():
        values[stage] = values.get(stage, {}) | options
    return RunConfig.from_dict(values)


@pytest.fixture(scope="module")
def config(table: Path, tiny_llama: Path) -> RunConfig:
    return config_for(table, tiny_llama, data={"save_split": True})


@pytest.mark.usefixtures("drawn")
def test_the_run_folder_holds_evidence_and_classifier(config: RunConfig, tmp_path: Path) -> None:
    out = tmp_path / "runs" / "messages"
    report = train_run(config, out=out)
    assert {path.name for path in out.iterdir()} == {
        "headtune.json", "trained.safetensors", "tokenizer.json", "tokenizer_config.json",
        "probes.json", "probes.safetensors", "report.json", "history.jsonl", "curves.png",
        "predictions.parquet", "reliability.png", "report.html", "README.md", "set_aside.csv",
        "train.csv", "validation.csv", "test.csv",
    }  # fmt: skip
    assert [path.name for path in out.parent.iterdir()] == ["messages"]
    for picture in ("curves.png", "reliability.png"):
        assert (out / picture).read_bytes().startswith(b"\x89PNG")
        assert (out / picture).stat().st_size > 10_000
    assert (out / "report.html").read_text().count("<path") > 20
    assert Report.load(out) == report
    assert misfits(json.loads((out / "report.json").read_text()), ReportValues) == []
    assert report.after["test"] is not None
    assert report.after["test"]["accuracy"] > 0.9
    majority = report.baselines["majority"]["test"]
    assert majority is not None
    assert majority["accuracy"] == pytest.approx(0.5, abs=0.1)
    assert report.baselines["linear_probe"]["train_rows"] == 140
    assert {entry["baseline"] for entry in report.comparison} == {
        "majority", "tfidf", "linear_probe", "before",
    }  # fmt: skip
    assert report.suspects_checked["rows"] == 200
    assert report.data["set_aside"]["count"] == 2
    assert len(list(csv.DictReader((out / "set_aside.csv").open()))) == 2
    history = read_history(out / "history.jsonl")
    assert history == list(report.history)
    assert history[0]["step"] == 0
    assert report.before["validation"] is not None
    assert history[0]["validation_accuracy"] == report.before["validation"]["accuracy"]
    train, validation, test = (
        {row["text"] for row in csv.DictReader((out / f"{part}.csv").open())}
        for part in ("train", "validation", "test")
    )
    assert [len(train), len(validation), len(test)] == [140, 20, 40]
    assert len(train | validation | test) == 200
    assert TextClassifier.load(out).predict(["a free prize"]).tolist() == ["prize"]
    card = (out / "README.md").read_text()
    assert percent(report.after["test"]["accuracy"]) in card


def test_the_same_seed_gives_the_same_report(config: RunConfig, tmp_path: Path) -> None:
    first = train_run(config, out=tmp_path / "a")
    assert train_run(config, out=tmp_path / "b").comparable() == first.comparable()


def test_options_that_change_the_data(table: Path, tiny_llama: Path, tmp_path: Path) -> None:
    config = config_for(
        table,
        tiny_llama,
        data={"split": "80/0/20", "balance": "weights"},
        tokens={"max_length": 4},
        train={"epochs": 1},
    )
    report = train_run(config, out=tmp_path / "run")
    assert report.after["validation"] is None
    assert sum(report.truncated.values()) == 200
    assert any("cut at 4 tokens" in warning for warning in report.warnings)
    assert Predictor.load(tmp_path / "run").max_length == 4


def test_everything_in_the_report_can_be_turned_off(
    table: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    switches = ("calibrate", "baselines", "linear_probe", "suspect_labels", "page")
    config = config_for(
        table, tiny_llama, train={"max_steps": 2}, report=dict.fromkeys(switches, False)
    )
    report = train_run(config, out=tmp_path / "run")
    assert report.baselines == {}
    assert [entry["baseline"] for entry in report.comparison] == ["before"]
    assert report.calibration["temperature"] == 1.0
    assert report.suspects_checked == {}
    assert "train" not in report.after
    for name in ("report.html", "reliability.png"):
        assert not (tmp_path / "run" / name).exists()


def test_lora_probes_as_many_rows_as_a_share_of_its_training_costs(
    table: Path, tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headtune.run.untrained.LEAST_ROWS", 10)
    config = config_for(table, tiny_llama, tune={"tune": "lora"}, train={"epochs": 1})
    report = train_run(config, out=tmp_path / "run")
    n_rows = report.baselines["linear_probe"]["train_rows"]
    assert 0.08 * 140 <= n_rows <= 0.3 * 140
    assert report.suspects_checked["rows"] == n_rows + 60
    assert report.suspects_checked["of"] == 200


def test_what_was_found_is_recorded_and_repeats_the_run(
    table: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    asked = config_for(table, tiny_llama, tune={"tune": "lora"}, train={"max_steps": 3})
    first = train_run(asked, out=tmp_path / "first")
    found = first.config["data"]
    assert {name: found[name] for name in ("text", "label", "delimiter", "quoting", "header")} == {
        "text": "text",
        "label": "topic",
        "delimiter": ",",
        "quoting": "quoted",
        "header": "yes",
    }
    assert first.config["tune"]["lora_targets"] == ["q_proj", "k_proj", "v_proj", "o_proj"]
    manifest = json.loads((tmp_path / "first" / "headtune.json").read_text())
    assert manifest["config"] == first.config
    again = train_run(RunConfig.from_dict(first.config), out=tmp_path / "again")
    assert again.config == first.config
    assert again.after == first.after


def test_plan_says_what_would_be_done(config: RunConfig) -> None:
    plan = plan_run(config)
    assert plan["data"]["parts"]["train"]["rows"] == 140
    assert plan["training"]["steps"] == 3 * 18
    block = 32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 48 + 2 * 32  # q and o, k and v, MLP, norms
    assert plan["model"]["trainable_parameters"] == block + 32 + 2 * 32
    assert misfits(json.loads(json.dumps(plan)), Plan) == []


def test_plan_refuses_what_training_would_refuse(config: RunConfig, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="exists already"):
        plan_run(config, out=tmp_path / "taken")
    plan_run(config, out=tmp_path / "new" / "run")
    assert not (tmp_path / "new").exists()
    without_validation = replace(
        config,
        data=replace(config.data, split="80/0/20"),
        train=replace(config.train, early_stopping=2),
    )
    with pytest.raises(ConfigError, match="needs a validation part"):
        plan_run(without_validation)
    too_deep = replace(config, tune=replace(config.tune, tune="last-99"))
    with pytest.raises(ModelError, match="more blocks than this model has: 2"):
        plan_run(too_deep)


def test_killed_and_resumed_ends_as_if_never_stopped(
    table: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    """SIGKILL in the middle of training, then the same command with --resume."""
    changes: dict[str, Any] = {"train": {"epochs": 8, "checkpoint_minutes": 0.001}}
    config = config_for(table, tiny_llama, **changes)
    straight = train_run(config, out=tmp_path / "straight")
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(config.to_dict()))
    code = (
        "import json, sys, pathlib; from headtune import RunConfig, train_run; "
        "train_run(RunConfig.from_dict(json.load(open(sys.argv[1]))), "
        "out=pathlib.Path(sys.argv[2]))"
    )
    out = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", code, str(recipe), str(out)])
    work = tmp_path / ".killed.training"
    wait_for(lambda: len(list(work.glob("checkpoint-*/trainer_state.json"))) > 0, process)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not out.exists()

    with pytest.raises(ConfigError, match="resume=True"):
        train_run(config, out=out)
    other = config_for(table, tiny_llama, train={"epochs": 8, "seed": 1})
    with pytest.raises(ConfigError, match="same options"):
        train_run(other, out=out, resume=True)
    resumed = train_run(config, out=out, resume=True)
    assert resumed.after == straight.after
    assert resumed.model == straight.model
    assert not work.exists()


def test_a_run_is_not_resumed_with_other_rows_nor_made_twice_at_once(
    config: RunConfig, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with claimed(out), pytest.raises(ConfigError, match="Another process is working on"):
        train_run(config, out=out)
    UnfinishedRun.of(out).begin(config, "fingerprint of other rows", resume=False)
    with pytest.raises(ConfigError, match=r"The rows of .* are not those"):
        train_run(config, out=out, resume=True)


def test_ctrl_c_before_the_first_checkpoint_leaves_nothing_behind(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("headtune.run.pipeline.fit", stop)
    before = set(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt, match="nothing is left to go on from"):
        train_run(config, out=tmp_path / "run")
    assert set(tmp_path.iterdir()) == before
    assert not can_resume(tmp_path / "run")


def test_ctrl_c_after_a_checkpoint_says_how_to_go_on(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("headtune.run.train.prove_run", stop)
        with pytest.raises(CanResume, match=r"from the last checkpoint, .* resume=True"):
            train_run(config, out=out)
    assert train_run(config, out=out, resume=True).labels


def test_targets_are_checked_before_any_work(config: RunConfig, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="exists already"):
        train_run(config, out=tmp_path / "taken")
    with pytest.raises(ArtifactError, match="not a headtune run"):
        train_run(config, out=tmp_path / "taken", overwrite=True)
    with pytest.raises(ConfigError, match="no unfinished run"):
        train_run(config, out=tmp_path / "new", resume=True)


def test_random_weights_and_adapters_do_not_go_together(
    table: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    config = config_for(table, tiny_llama, model={"random_weights": True}, tune={"tune": "lora"})
    with pytest.raises(ConfigError, match="random_weights="):
        train_run(config, out=tmp_path / "run")
