"""Several processes train what one trains: launched by torchrun, on the CPU."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file

from headtune import RunConfig, train_run
from headtune.cli.app import run
from headtune.errors import ConfigError, TrainingError
from headtune.processes import all_gather, broadcast, is_main, n_processes
from headtune.report import Report
from headtune.run.train import help_train
from headtune.sweep.run import run_sweep
from tests_support import Heard, read_history, wait_for, write_table

LAUNCH = "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"
LAST_STEP_HAS_ONE_EXAMPLE = 139  # of 140


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("data") / "messages.csv")


@pytest.fixture
def config(table: Path, tiny_llama: Path) -> RunConfig:
    values: dict[str, Any] = {
        "source": str(table),
        "data": {"balance": "weights"},
        "model": {
            "model": str(tiny_llama),
            "device": "cpu",
            "dtype": "float32",
            "max_tokens_per_batch": 300,
        },
        "tune": {"tune": "lora"},
        "train": {
            "epochs": 3,
            "learning_rate": 5e-3,
            "batch_size": LAST_STEP_HAS_ONE_EXAMPLE,
            "log_steps": 1,
        },
        "report": {"page": False, "suspect_labels": False},
    }
    return RunConfig.from_dict(values)


def command(config: RunConfig, out: Path, *more: str) -> list[str]:
    """``torchrun … -m headtune train …``; a recipe is YAML, and JSON is YAML."""
    recipe = out.parent / "recipe.yaml"
    recipe.write_text(json.dumps(config.to_dict()))
    what = ["headtune", "train", "--config", str(recipe), "--out", str(out), *more]
    return [sys.executable, *LAUNCH, "-m", *what]


def launch(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=300, check=False
    )


def assert_same_run(one: Path, other: Path, weights: str, rel: float = 1e-4) -> None:
    theirs = load_file(other / weights)
    for name, tensor in load_file(one / weights).items():
        torch.testing.assert_close(tensor, theirs[name], atol=1e-5, rtol=0, msg=name)
    for row, expected in zip(
        read_history(one / "history.jsonl"), read_history(other / "history.jsonl"), strict=True
    ):
        assert row == pytest.approx(expected, rel=rel)


def test_two_processes_take_the_steps_of_one(
    config: RunConfig,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the last step of an epoch leaves one of them without an example.

    Frozen layers run over each text in one of them.
    """
    config = replace(config, tune=replace(config.tune, tune="last-1"))
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
    alone = train_run(config, out=tmp_path / "alone")
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
    finished = launch(command(config, tmp_path / "shared"))
    assert finished.returncode == 0, finished.stderr
    assert_same_run(tmp_path / "shared", tmp_path / "alone", "trained.safetensors")
    shared = Report.load(tmp_path / "shared")
    assert shared.after["test"] is not None
    assert alone.after["test"] is not None
    assert shared.after["test"]["confusion"] == alone.after["test"]["confusion"]
    assert shared.after["test"]["log_loss"] == pytest.approx(alone.after["test"]["log_loss"], 1e-4)
    for report in (alone, shared):
        assert (report.speed["frozen_texts_run"], report.speed["frozen_texts_reused"]) == (200, 0)
    assert "Running the frozen layers, once\n  100 examples in" in finished.stderr
    assert finished.stdout.count("after tuning, test") == 1, "one of them prints"
    assert finished.stderr.count("2 processes share each step") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "recipe.yaml", "shared"]


def test_killed_and_resumed(config: RunConfig, tmp_path: Path) -> None:
    """All processes end by SIGKILL."""
    train = replace(config.train, epochs=2, batch_size=8, checkpoint_minutes=1e-4)
    config = replace(config, train=train)
    train_run(config, out=tmp_path / "alone")
    out = tmp_path / "shared"
    process = psutil.Popen(command(config, out), stderr=subprocess.DEVNULL)
    work = tmp_path / ".shared.training"
    wait_for(lambda: len(list(work.glob("checkpoint-*/trainer_state.json"))) > 0, process)
    for one in [process, *process.children(recursive=True)]:
        one.kill()
    process.wait()
    assert not out.exists()
    resumed = launch(command(config, out, "--resume"))
    assert resumed.returncode == 0, resumed.stderr
    assert "Resuming from step " in resumed.stderr
    assert "Resuming from step 0" not in resumed.stderr
    assert_same_run(out, tmp_path / "alone", "adapter_model.safetensors", rel=1e-2)
    assert not work.exists()


def test_one_process_is_the_main_one() -> None:
    assert (n_processes(), is_main(), broadcast(True), all_gather("x")) == (1, True, True, ["x"])


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is the second of two."""
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in ({"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"} | meeting).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("second")
def test_only_the_main_one_plans_and_errors_say_whose_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["train", "missing.csv", "--dry-run"]) == 0
    assert capsys.readouterr() == ("", "")
    assert run(["train", "missing.csv"]) == 1
    assert capsys.readouterr().err.startswith("Process 1: Error: There is no file missing.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("second")
def test_what_several_cannot_do(config: RunConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="process 1 calls help_train"):
        train_run(config, out=tmp_path / "run")
    spread = replace(config, machine=replace(config.machine, device_map="auto"))
    with pytest.raises(ConfigError, match="device_map= spreads"):
        help_train(spread, out=tmp_path / "run")
    with pytest.raises(ConfigError, match="standard input"):
        help_train(replace(config, source="-"), out=tmp_path / "run")
    with pytest.raises(ConfigError, match="Start it once"):
        run_sweep(config, {}, out=tmp_path / "sweep", trials=1)


@pytest.mark.parametrize(
    ("launched", "wrong"),
    [
        ({}, "not RANK and MASTER_ADDR and MASTER_PORT"),
        ({"RANK": "0", "MASTER_ADDR": "127.0.0.1"}, "not MASTER_PORT"),
        ({"RANK": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}, "RANK=2"),
        ({"RANK": "x", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}, "RANK=x"),
    ],
)
def test_half_a_launch_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    table: Path,
    tmp_path: Path,
    launched: dict[str, str],
    wrong: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"WORLD_SIZE": "2"} | launched).items():
        monkeypatch.setenv(name, value)
    assert run(["train", str(table)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"WORLD_SIZE=2 says that so many processes train together, and there is {wrong}." in said


@pytest.mark.parametrize("this_one", ["0", "1"])
def test_who_is_waited_for_in_vain_is_said(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, this_one: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    here = {"WORLD_SIZE": "2", "RANK": this_one, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for name, value in here.items():
        monkeypatch.setenv(name, value)
    machine = replace(config.machine, rendezvous_timeout="1s")
    other = f"process {1 - int(this_one)} of 2 at 127.0.0.1:{port}"
    config, heard = replace(config, machine=machine), Heard()
    with pytest.raises(TrainingError, match=rf"Waited 1 s for {other}, in vain.*_timeout="):
        _train(config, tmp_path / "run", heard)
    if this_one == "0":
        assert f"Waiting for {other}, at most 1s (the option rendezvous_timeout)." in heard.lines


def _train(config: RunConfig, out: Path, heard: Heard) -> None:
    """The part of this process."""
    if is_main():
        train_run(config, out=out, progress=heard)
    else:
        help_train(config, out=out)
