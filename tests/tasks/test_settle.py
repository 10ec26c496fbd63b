"""A run from end to end: temperature, thresholds and "unsure" are found, kept and applied."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtune import Predictor, RunConfig, TextClassifier, train_run
from headtune.cli.app import run
from headtune.errors import ArtifactFormatError, ConfigError
from headtune.report import Report

NOISE = 0.25  # share of labels that are wrong, in every part alike


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 texts on two topics; a quarter has the wrong label, so nobody can be sure."""
    generator = np.random.default_rng(0)
    words = ("win a free prize", "call to claim cash"), ("see you at dinner", "home for tea")
    path = tmp_path_factory.mktemp("data") / "noisy.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "topic"])
        for n in range(1_200):
            topic = n % 2
            said = topic if generator.random() > NOISE else 1 - topic
            text = f"{generator.choice(words[topic])} {generator.integers(10**6)}"
            writer.writerow([text, ("prize", "dinner")[said]])
    return path


@pytest.fixture(scope="module")
def config(table: Path, tiny_llama: Path) -> RunConfig:
    """Trained far too long, and its last weights are kept."""
    return RunConfig.from_dict(
        {
            "source": str(table),
            "model": {"model": str(tiny_llama)},
            "data": {"split": "30/35/35"},
            "tune": {"tune": "last-1"},
            "train": {"max_steps": 250, "batch_size": 32, "learning_rate": 1e-2,
                      "schedule": "constant", "keep_best": False},
            "decide": {"abstain_below": 0.75, "target_recall": ["prize=0.9"], "coverage": 0.9},
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def overtrained(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    out = tmp_path_factory.mktemp("runs") / "noisy"
    return out, train_run(config, out=out)


def test_the_temperature_halves_the_calibration_error(overtrained: tuple[Path, Report]) -> None:
    _, report = overtrained
    found = report.calibration
    assert found["temperature"] > 1.5
    assert found["fitted_on"] == "validation"
    assert found["measured_on"] == "test"
    assert found["n"] == 420
    assert found["before"]["ece"] > 0.1
    assert found["after"]["ece"] <= found["before"]["ece"] / 2
    right = {
        when: sum(row["n"] * row["accuracy"] for row in found[when]["bins"])
        for when in ("before", "after")
    }
    assert right["before"] == pytest.approx(right["after"])
    assert report.after["test"] is not None
    assert right["after"] / 420 == pytest.approx(report.after["test"]["accuracy"])


def test_what_was_settled_is_kept_and_applied(overtrained: tuple[Path, Report]) -> None:
    out, report = overtrained
    manifest = json.loads((out / "headtune.json").read_text())
    assert manifest["temperature"] == report.calibration["temperature"]
    assert manifest["thresholds"] == report.thresholds
    assert manifest["abstain_below"] == 0.75
    assert list(report.thresholds) == ["prize"]
    predictor = Predictor.load(out)
    texts = ["win a free prize 12345", "home for tea 4", "zzz 9"] * 3
    raw = Predictor.load(out)
    object.__setattr__(raw, "temperature", 1.0)
    calibrated, certain = predictor.predict_proba(texts), raw.predict_proba(texts)
    logits = np.log(certain) / manifest["temperature"]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert calibrated == pytest.approx(expected, abs=1e-6)
    assert [answer.label for answer in predictor.predict(texts)] == TextClassifier.load(
        out
    ).predict(texts).tolist()


def test_the_wanted_recall_is_reached_on_validation(overtrained: tuple[Path, Report]) -> None:
    """On test it is about that: 210 rows of the label leave 6 points of chance either way."""
    out, report = overtrained
    threshold = report.thresholds["prize"]
    assert 0 < threshold < 0.9
    metrics = json.loads((out / "report.json").read_text())["abstain"]
    assert metrics["below"] == 0.75
    assert 0 < metrics["coverage"] < 1
    coverages = [row["coverage"] for row in metrics["curve"]]
    assert coverages == sorted(coverages, reverse=True)
    assert coverages[0] == 1.0


def test_predict_gives_unsure_and_options_replace_the_runs(
    overtrained: tuple[Path, Report], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = overtrained
    new = tmp_path / "new.csv"
    new.write_text("text\nwin a free prize 5\nhome for tea 8\n")

    def labels(*options: str) -> list[str]:
        assert run(["predict", str(out), str(new), "--out", str(tmp_path / "o.csv"), *options]) == 0
        with (tmp_path / "o.csv").open() as file:
            return [row["predicted_label"] for row in csv.DictReader(file)]

    best = (
        Predictor.load(out).predict_proba(["win a free prize 5", "home for tea 8"]).argmax(axis=1)
    )
    plain = labels("--threshold", "prize=0.5", "--abstain-below", "0")
    assert plain == [("dinner", "prize")[index] for index in best]
    assert labels("--threshold", "dinner=1", "--threshold", "prize=1") == ["unsure", "unsure"]
    assert labels("--threshold", "prize=0.01") == ["prize", "prize"]
    capsys.readouterr()
    asked = ["home for tea 8", "--abstain-below", "1", "--threshold", "prize=1", "--json"]
    assert run(["predict", str(out), *asked]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["label"], answer["unsure"]) == ("unsure", True)
    assert run(["predict", str(out), "a text", "--threshold", "eggs=0.5"]) == 1
    assert "'eggs', which is not among the labels" in capsys.readouterr().err


def test_evaluate_says_how_the_answers_do(
    overtrained: tuple[Path, Report], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = overtrained
    assert run(["evaluate", str(out), str(table), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert 0 < found["answers"]["coverage"] <= 1
    assert found["answers"]["per_label"]["prize"]["recall"] > 0.5
    assert run(["evaluate", str(out), str(table)]) == 0
    assert "of the rows get an answer" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"thresholds": {"eggs": 0.5}}, "thresholds"),
        ({"thresholds": []}, "thresholds"),
        ({"abstain_below": "often"}, "abstain_below"),
    ],
)
def test_a_manifest_that_decides_nonsense_is_refused(
    overtrained: tuple[Path, Report], change: dict[str, Any], message: str
) -> None:
    from headtune.artifact import Manifest

    out, _ = overtrained
    values = json.loads((out / "headtune.json").read_text())
    with pytest.raises(ArtifactFormatError, match=message):
        Manifest.from_dict(values | change, out)


@pytest.mark.parametrize(
    ("decide", "split", "message"),
    [
        ({"threshold": "eggs=0.5"}, "30/35/35", "'eggs', which is not among"),
        ({"target_precision": "prize=0.9"}, "80/0/20", "there is none; see split="),
    ],
)
def test_decisions_that_cannot_be_made_stop_the_run_before_training(
    config: RunConfig, decide: dict[str, Any], split: str, message: str, tmp_path: Path
) -> None:
    values = config.to_dict() | {"decide": decide}
    values["data"]["split"] = split
    with pytest.raises(ConfigError, match=message):
        train_run(RunConfig.from_dict(values), out=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_sets_hold_the_label_as_often_as_asked(overtrained: tuple[Path, Report]) -> None:
    out, report = overtrained
    manifest = json.loads((out / "headtune.json").read_text())
    assert manifest["coverage"] == 0.9
    assert 0 < manifest["set_bound"] < 1
    sets = report.sets
    assert (sets["fitted_on"], sets["rows"], sets["part"]) == ("validation", 420, "test")
    figures = sets["figures"]
    assert figures["n"] == 420
    # Both parts have 420 rows, so that the share has a standard error of 2.1 points.
    assert figures["coverage"] == pytest.approx(0.9, abs=0.05)
    low, high = figures["interval"]
    assert low < figures["coverage"] < high
    assert sum(figures["sizes"].values()) == 420
    assert report.after["test"] is not None
    assert {name: row["n"] for name, row in figures["per_label"].items()} == {
        name: row["support"] for name, row in report.after["test"]["per_label"].items()
    }  # fmt: skip
    assert "sets of labels" in (out / "report.html").read_text().lower()


def test_a_set_is_the_same_wherever_it_is_asked_for(
    overtrained: tuple[Path, Report], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = overtrained
    texts = [f"{words} {n}" for n in range(20) for words in ("win a free prize", "home for tea")]
    expected = [answer.label_set for answer in Predictor.load(out).predict(texts)]
    assert all(each is not None for each in expected)
    assert len(set(expected)) > 1
    assert [tuple(each) for each in TextClassifier.load(out).predict_set(texts)] == expected
    new = tmp_path / "new.csv"
    new.write_text("text\n" + "\n".join(texts) + "\n")
    for name in ("o.jsonl", "o.csv"):
        assert run(["predict", str(out), str(new), "--out", str(tmp_path / name)]) == 0
    of_lines = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert [tuple(row["label_set"]) for row in of_lines] == expected
    with (tmp_path / "o.csv").open() as file:
        assert [tuple(json.loads(row["label_set"])) for row in csv.DictReader(file)] == expected
    capsys.readouterr()
    assert run(["predict", str(out), texts[0]]) == 0
    assert "one of:" in capsys.readouterr().out


def test_evaluate_says_how_sets_do(
    overtrained: tuple[Path, Report], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = overtrained
    assert run(["evaluate", str(out), str(table), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["sets"]
    assert found["wanted"] == 0.9
    assert found["n"] == 1_200


def test_a_coverage_needs_validation_and_sense(table: Path, tiny_llama: Path) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        RunConfig.from_dict({"source": "", "decide": {"coverage": 1.0}})
    config = RunConfig.from_dict(
        {
            "source": str(table),
            "model": {"model": str(tiny_llama)},
            "data": {"split": "80/20"},
            "decide": {"coverage": 0.9},
        }
    )
    with pytest.raises(ConfigError, match="there is none"):
        train_run(config, out=table.parent / "none")
