"""A sweep on a tiny model: one model, one trunk, honest ranking, stopped and gone on with."""

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from headtune import Predictor, RunConfig, train_run
from headtune.errors import ArtifactError, ConfigError, TrainingError
from headtune.files.claims import claimed
from headtune.model import FrozenTrunk, assemble
from headtune.report import Report
from headtune.report.history import validation_figures
from headtune.sweep import search as search_module
from headtune.sweep.run import Sweep, SweepValues, run_sweep
from headtune.sweep.space import parse_space
from headtune.sweep.trial import Settings, config_of, run_trial
from tests_support import TOPICS
from typed_values import misfits

SPACE = parse_space({"tune": "head,last-1,last-2", "learning_rate": "1e-4..1e-1"})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from conftest import make_model_folder

    return make_model_folder("llama", tmp_path_factory.mktemp("llama"), num_hidden_layers=3)


@pytest.fixture
def config(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "cache"))
    table = tmp_path / "messages.csv"
    with table.open("w", newline="") as file:
        words = np.random.default_rng(0).choice(list("abcdefghijklmnopqrstuvw"), (80, 12))
        rows = [  # no two are near repeats of each other
            (f"{' '.join(letters)} {topic[:3]} {n}", topic)
            for n, (letters, topic) in enumerate(zip(words, TOPICS * 2, strict=True))
        ]
        csv.writer(file).writerows([("text", "topic"), *rows])
    values: dict[str, Any] = {
        "source": str(table),
        "data": {"split": "50/25/25"},
        "model": {"model": str(model)},
        "train": {"epochs": 2, "batch_size": 8},
    }
    return RunConfig.from_dict(values)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often the model is loaded, and how many texts go through frozen layers from the start."""
    counts = {"loads": 0, "texts": 0}
    run = FrozenTrunk.run

    def count_load(*arguments: Any, **options: Any) -> Any:
        counts["loads"] += 1
        return assemble(*arguments, **options)

    def count_texts(self: FrozenTrunk, examples: Any) -> Any:
        counts["texts"] += sum(not hasattr(example, "states") for example in examples)
        return run(self, examples)

    monkeypatch.setattr("headtune.run.loading.assemble", count_load)
    monkeypatch.setattr(FrozenTrunk, "run", count_texts)
    return counts


def test_a_sweep(config: RunConfig, work: dict[str, int], tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    found = run_sweep(config, SPACE, out=out, trials=6)
    assert work == {"loads": 1, "texts": 80}
    assert {path.name for path in out.iterdir() if not path.name.startswith(".")} == {
        "options.json", "sweep.json", "sweep.png", "trials", "best",
    }  # fmt: skip
    check_ranking(found)
    values = json.loads((out / "sweep.json").read_text())
    assert misfits(values, SweepValues) == []
    assert misfits([asdict(trial)["settings"] for trial in found.trials], list[Settings]) == []
    assert values["looks_at_validation"] == found.looks
    assert f"{found.looks} looks at the validation part" in found.sentence()
    assert f"{found.looks} looks at the validation part" in " ".join(found.report.warnings)
    assert len(list((out / "trials").glob("*.json"))) == 6
    assert Report.load(out / "best") == found.report
    assert found.winner.metrics is not None
    assert found.report.after["validation"] is not None
    assert found.report.after["validation"]["accuracy"] == found.winner.metrics["accuracy"]
    assert len(Predictor.load(out / "best").predict(["win a prize"])) == 1
    check_same_as_train(found, config, out, tmp_path)
    with pytest.raises(ConfigError, match="resume=True"):
        run_sweep(config, SPACE, out=out, trials=6)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_a_metric_that_should_be_high_is_ranked_so(
    config: RunConfig, tmp_path: Path, metric: Any
) -> None:
    """Each trial ends early, too, once the metric has not risen for so long."""
    train = replace(config.train, best_metric=metric, epochs=30, early_stopping=2)
    found = run_sweep(replace(config, train=train), SPACE, out=tmp_path / "sweep", trials=4)
    values = [trial.metrics[metric] for trial in found.trials if trial.metrics and trial.counts]
    assert len(set(values)) > 1
    assert values == sorted(values, reverse=True)
    for trial in found.trials:
        course = [figure for _, figure in validation_figures(trial.history, metric)]
        assert trial.metrics is not None
        assert trial.metrics[metric] == max(course)
        if trial.state == "complete" and len(course) < 30:
            assert course.index(max(course)) == len(course) - 3


def check_ranking(found: Sweep) -> None:
    counted = [trial for trial in found.trials if trial.counts]
    losses = [trial.metrics["loss"] for trial in counted if trial.metrics]
    assert losses == sorted(losses)
    assert found.trials[: len(counted)] == counted
    assert found.winner is found.trials[0]
    assert {trial.state for trial in found.trials} <= {"complete", "stopped"}
    assert found.looks == sum(trial.n_evaluations for trial in found.trials)


def check_same_as_train(found: Sweep, config: RunConfig, out: Path, folder: Path) -> None:
    """Each trial is what ``headtune train`` would have made of its settings."""
    for name, trial in (("winner", found.winner), ("last", found.trials[-1])):
        if trial.state != "complete":
            continue
        report = train_run(config_of(config, trial.settings), out=folder / name)
        assert report.speed["frozen_texts_run"] == 0
        assert list(report.history[1:]) == trial.history
    for name, tensor in load_file(folder / "winner" / "trained.safetensors").items():
        assert torch.equal(tensor, load_file(out / "best" / "trained.safetensors")[name])


def test_stopped_and_gone_on_with(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "sweep"
    n_trials = 0

    def stop_in_the_third(*arguments: Any, **options: Any) -> Any:
        nonlocal n_trials
        n_trials += 1
        if n_trials == 3:
            raise KeyboardInterrupt
        return run_trial(*arguments, **options)

    monkeypatch.setattr(search_module, "run_trial", stop_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(config, SPACE, out=out, trials=4)
    before = {path.name: path.read_text() for path in (out / "trials").iterdir()}
    assert len(before) == 2
    assert not (out / "best").exists()
    other = replace(config, train=replace(config.train, epochs=1))
    with pytest.raises(ConfigError, match="other options"):
        run_sweep(other, SPACE, out=out, trials=4, resume=True)
    table = Path(config.source)
    rows = table.read_text()
    table.write_text(f"{rows}a text that is new,prize\n")
    with pytest.raises(ConfigError, match="are not those that the unfinished work was begun with"):
        run_sweep(config, SPACE, out=out, trials=4, resume=True)
    table.write_text(rows)
    with claimed(out), pytest.raises(ConfigError, match="Another process is working on"):
        run_sweep(config, SPACE, out=out, trials=4, resume=True)
    found = run_sweep(config, SPACE, out=out, trials=4, resume=True)
    assert len(found.trials) == 4
    assert n_trials == 5
    for name, text in before.items():
        assert (out / "trials" / name).read_text() == text
    assert len({json.dumps(trial.settings) for trial in found.trials}) == 4
    assert (out / "best" / "headtune.json").is_file()


def test_the_time_is_a_budget(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second trial finds the time over: it is scored at once, and nothing comes after it."""
    deadlines = iter([None, 0.0])

    def in_time(*arguments: Any, deadline: Any, **options: Any) -> Any:
        return run_trial(*arguments, deadline=next(deadlines), **options)

    monkeypatch.setattr(search_module, "run_trial", in_time)
    found = run_sweep(config, SPACE, out=tmp_path / "sweep", trials=2, seconds=1e6)
    states = {trial.number: trial.state for trial in found.trials}
    assert states == {0: "complete", 1: "time"}
    second = next(trial for trial in found.trials if trial.number == 1)
    assert second.n_evaluations == 1
    assert second.best_step == 1
    with pytest.raises(TrainingError, match="more seconds=, or"):
        run_sweep(config, SPACE, out=tmp_path / "none", trials=2, seconds=1e-9)


def test_a_loss_that_is_not_finite_is_a_failed_trial(config: RunConfig, tmp_path: Path) -> None:
    space = parse_space({"tune": "last-1", "learning_rate": "1e-3,1e38"})
    found = run_sweep(config, space, out=tmp_path / "sweep", trials=6)
    states = {trial.settings["learning_rate"]: trial.state for trial in found.trials}
    assert states[1e-3] == "complete"
    assert states[1e38] == "failed"


def test_targets_are_checked_before_any_work(config: RunConfig, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(ArtifactError, match="not a sweep"):
            run_sweep(config, SPACE, out=tmp_path / "taken", trials=1, overwrite=overwrite)
    with pytest.raises(ConfigError, match="no sweep"):
        run_sweep(config, SPACE, out=tmp_path / "new", trials=1, resume=True)
    no_validation = replace(config, data=replace(config.data, split="80/0/20"))
    with pytest.raises(ConfigError, match="validation"):
        run_sweep(no_validation, SPACE, out=tmp_path / "new", trials=1)
    missing = replace(config, source="missing.csv")
    with pytest.raises(FileNotFoundError, match="missing"):
        run_sweep(missing, SPACE, out=tmp_path / "new", trials=1)
    assert not (tmp_path / "new").exists()


def test_more_blocks_than_there_are(config: RunConfig, tmp_path: Path) -> None:
    space = parse_space({"tune": "last-3", "learning_rate": "1e-3"})
    with pytest.raises(ValueError, match="last-3"):
        run_sweep(config, space, out=tmp_path / "sweep", trials=1)
