"""Runs that share frozen layers: the second one runs none, and nothing wrong is ever shared."""

import csv
import errno
import multiprocessing
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from headtune import RunConfig, TextClassifier, train_run
from headtune.batches import KeptExample
from headtune.errors import ModelFileError
from headtune.model import FrozenTrunk, assemble
from headtune.model.frozen import kept_files as cache
from headtune.progress import SilentProgress
from headtune.report import Report
from headtune.report.facts import facts_of
from headtune.types import TokenizedExample
from tests_support import TEXTS, TOPICS


class Listener(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def config(tiny_llama: Path, tmp_path: Path) -> RunConfig:
    """A table of 120 rows and a model folder of this test's own."""
    table = tmp_path / "messages.csv"
    with table.open("w", newline="") as file:
        rows = [
            (f"{text} {n}", label)
            for n in range(3)
            for text, label in zip(TEXTS, TOPICS, strict=True)
        ]
        csv.writer(file).writerows([("text", "topic"), *rows])
    folder = tmp_path / "model"
    shutil.copytree(tiny_llama, folder)
    values: dict[str, Any] = {
        "source": str(table),
        "model": {"model": str(folder)},
        "tune": {"tune": "last-1"},
        "train": {"epochs": 2, "learning_rate": 5e-3, "batch_size": 8},
    }
    return RunConfig.from_dict(values)


def changed(config: RunConfig, stage: str, **options: Any) -> RunConfig:
    return replace(config, **{stage: replace(getattr(config, stage), **options)})


def frozen_texts(report: Report) -> tuple[Any, Any]:
    return report.speed["frozen_texts_run"], report.speed["frozen_texts_reused"]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "trained.safetensors")


@pytest.mark.parametrize("tune", ["head", "last-1"])
def test_no_frozen_layer_runs_in_a_second_run(
    config: RunConfig, tune: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = changed(config, "tune", tune=tune)
    first = train_run(config, out=tmp_path / "first")
    assert frozen_texts(first) == (120, 0)

    def run(self: FrozenTrunk, examples: object) -> None:
        raise AssertionError("frozen layers ran")

    monkeypatch.setattr(FrozenTrunk, "run", run)
    other = changed(changed(config, "train", learning_rate=1e-3, seed=7), "data", balance="weights")
    second = train_run(other, out=tmp_path / "second")
    assert frozen_texts(second) == (0, 120)
    assert "0 texts run, 120 reused from the cache" in " ".join(facts_of(second)["speed"])
    again = train_run(config, out=tmp_path / "again")
    assert again.comparable() == first.comparable()
    assert weights(tmp_path / "again").keys() == weights(tmp_path / "first").keys()
    for name, tensor in weights(tmp_path / "again").items():
        assert torch.equal(tensor, weights(tmp_path / "first")[name])


@pytest.mark.parametrize("first", ["last-1", "lora"])
def test_a_longer_trunk_goes_on_from_a_shorter_one(
    config: RunConfig, first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``head`` after ``last-1``: only the last block runs, and it gives what all blocks give."""
    layers = {"lora_layers": "last-1"} if first == "lora" else {}
    train_run(changed(config, "tune", tune=first, **layers), out=tmp_path / "first")
    head = changed(config, "tune", tune="head")
    listener, run = Listener(), FrozenTrunk.run

    def go_on(self: FrozenTrunk, examples: Sequence[TokenizedExample]) -> list[torch.Tensor]:
        assert all(isinstance(example, KeptExample) for example in examples)
        return run(self, examples)

    with monkeypatch.context() as patch:
        patch.setattr(FrozenTrunk, "run", go_on)
        report = train_run(head, out=tmp_path / "head", progress=listener)
    assert frozen_texts(report) == (120, 0)
    assert "120 texts went part of the way in an earlier run; 0 are new." in " ".join(listener.said)
    train_run(changed(head, "machine", cache_limit=0), out=tmp_path / "plain")
    for name, tensor in weights(tmp_path / "plain").items():
        torch.testing.assert_close(tensor, weights(tmp_path / "head")[name], atol=1e-5, rtol=1e-5)


def test_what_a_shorter_trunk_lacks_is_run_from_the_start(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a trunk that is attached for the others is not left behind."""
    fewer = Path(config.source).with_name("fewer.csv")
    fewer.write_text("".join(Path(config.source).read_text().splitlines(keepends=True)[:91]))
    train_run(replace(config, source=str(fewer)), out=tmp_path / "first")
    head, listener = changed(config, "tune", tune="head"), Listener()
    report = train_run(head, out=tmp_path / "head", progress=listener)
    assert frozen_texts(report) == (120, 0)
    assert "90 texts went part of the way in an earlier run; 30 are new." in " ".join(listener.said)
    plain = train_run(changed(head, "machine", cache_limit=0), out=tmp_path / "plain")
    found, expected = report.after["test"], plain.after["test"]
    assert found is not None
    assert expected is not None
    assert found["accuracy"] == expected["accuracy"]
    assert found["log_loss"] == pytest.approx(expected["log_loss"])


def test_without_a_cache_the_result_is_the_same(config: RunConfig, tmp_path: Path) -> None:
    kept = train_run(config, out=tmp_path / "kept")
    plain = train_run(changed(config, "machine", cache_limit=0), out=tmp_path / "plain")
    assert frozen_texts(plain) == (120, 0)
    assert len(cache.kept_files()) == 1
    assert plain.after == kept.after
    for name, tensor in weights(tmp_path / "plain").items():
        assert torch.equal(tensor, weights(tmp_path / "kept")[name])


def test_what_trains_everywhere_keeps_nothing(config: RunConfig, tmp_path: Path) -> None:
    report = train_run(changed(config, "tune", tune="lora"), out=tmp_path / "run")
    assert frozen_texts(report) == (None, None)
    assert cache.kept_files() == []


def test_a_changed_model_folder_is_another_model(config: RunConfig, tmp_path: Path) -> None:
    train_run(config, out=tmp_path / "before")
    file = Path(config.model.model) / "model.safetensors"
    tensors = load_file(file)
    name = "model.layers.0.mlp.up_proj.weight"
    save_file(tensors | {name: 2 * tensors[name]}, file, metadata={"format": "pt"})
    after = train_run(config, out=tmp_path / "after")
    assert frozen_texts(after) == (120, 0)
    plain = train_run(changed(config, "machine", cache_limit=0), out=tmp_path / "plain")
    assert after.after == plain.after


def test_a_model_folder_that_changes_while_it_is_read(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_and_change(*arguments: Any, **options: Any) -> Any:
        classifier = assemble(*arguments, **options)
        settings = Path(config.model.model) / "config.json"
        settings.write_text(settings.read_text() + "\n")
        return classifier

    monkeypatch.setattr("headtune.run.loading.assemble", load_and_change)
    with pytest.raises(ModelFileError, match="changed while"):
        train_run(config, out=tmp_path / "run")
    assert cache.kept_files() == []


def test_a_cache_that_cannot_be_written_is_said_in_one_line(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    listener = Listener()
    with monkeypatch.context() as patch:
        patch.setattr(cache, "publish", full)
        report = train_run(config, out=tmp_path / "full", progress=listener)
    assert sum("No space left on device" in message for message in listener.said) == 1
    plain = train_run(changed(config, "machine", cache_limit=0), out=tmp_path / "plain")
    assert report.after == plain.after


def test_two_runs_at_once(config: RunConfig, tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    outs = [tmp_path / "one", tmp_path / "two"]
    runs = [fork.Process(target=train_run, args=(config,), kwargs={"out": out}) for out in outs]
    for process in runs:
        process.start()
    for process in runs:
        process.join()
    assert [process.exitcode for process in runs] == [0, 0]
    one, two = (Report.load(out) for out in outs)
    assert one.after == two.after
    assert sum(frozen_texts(one)) == sum(frozen_texts(two)) == 120


def test_folds_of_a_cross_validation_share_the_cache(config: RunConfig) -> None:
    def fit(texts: list[str], topics: list[str]) -> TextClassifier:
        classifier = TextClassifier(config.model.model, epochs=1, batch_size=8)
        return classifier.fit(texts, topics)

    assert fit(TEXTS[:30], TOPICS[:30]).fitted_.speed()["frozen_texts_run"] == 30
    speed = fit(TEXTS[5:], TOPICS[5:]).fitted_.speed()
    assert (speed["frozen_texts_run"], speed["frozen_texts_reused"]) == (10, 25)
