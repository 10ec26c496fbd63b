"""Run folders of format 1, written by the last commit that wrote it: they load and answer the same.

The folders and the answers of that commit lie in ``tests/fixtures/format1``; see its README.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtune import Predictor, TextClassifier
from headtune.artifact import describe_run, load_artifact
from headtune.cli.app import run
from headtune.errors import ModelNotFoundError
from headtune.options import MachineConfig

FIXTURE = Path(__file__).parents[1] / "fixtures" / "format1"
ANSWERS: dict[str, Any] = json.loads((FIXTURE / "answers.json").read_text(encoding="utf-8"))
TUNES = ("full", "last-1", "lora")
MACHINE: dict[str, Any] = {"model": str(FIXTURE / "base"), "device": "cpu", "dtype": "float32"}


def expected(tune: str) -> np.ndarray[Any, Any]:
    """Shape ``(n_texts, n_labels)``."""
    return np.array([[row[label] for label in ANSWERS["labels"]] for row in ANSWERS[tune]])


@pytest.mark.parametrize("tune", TUNES)
def test_a_predictor_answers_as_it_did(tune: str) -> None:
    predictor = Predictor.load(FIXTURE / tune, **MACHINE)
    found = [
        [prediction.probabilities[label] for label in ANSWERS["labels"]]
        for prediction in predictor.predict(ANSWERS["texts"])
    ]
    np.testing.assert_allclose(found, expected(tune), rtol=0, atol=1e-6)


@pytest.mark.parametrize("tune", TUNES)
def test_a_classifier_answers_as_it_did_and_has_its_parameters(tune: str) -> None:
    classifier = TextClassifier.load(FIXTURE / tune, **MACHINE)
    found = classifier.predict_proba(ANSWERS["texts"])
    np.testing.assert_allclose(found, expected(tune), rtol=0, atol=1e-6)
    parameters = classifier.get_params()
    assert parameters["tune"] == tune
    assert (parameters["epochs"], parameters["learning_rate"]) == (4.0, 3e-3)
    assert parameters["split_special_tokens"] is False


def test_special_tokens_act_as_they_did() -> None:
    predictor = Predictor.load(FIXTURE / "last-1", **MACHINE)
    token = predictor.tokenizer.eos_token
    assert predictor.tokenizer(f"win {token}")["input_ids"][-1] == predictor.tokenizer.eos_token_id
    assert not describe_run(FIXTURE / "last-1").split_special_tokens


@pytest.mark.parametrize("tune", TUNES)
def test_its_probes_are_answered(tune: str) -> None:
    machine = MachineConfig(device="cpu", dtype="float32")
    loaded = load_artifact(FIXTURE / tune, model=MACHINE["model"], options=machine)
    assert loaded.probes.n_changed_labels == 0
    assert loaded.probes.max_probability_difference < 1e-6


def test_without_the_folder_of_its_base_model_one_line_says_so() -> None:
    with pytest.raises(ModelNotFoundError, match="which is needed too"):
        Predictor.load(FIXTURE / "last-1")


@pytest.mark.parametrize("tune", TUNES)
def test_the_command_line_reads_it(
    tune: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = shutil.copy(FIXTURE / "messages.csv", tmp_path)
    folder = str(FIXTURE / tune)
    base = ["--model", MACHINE["model"]]
    assert run(["info", folder, *base]) == 0
    assert run(["info", folder, *base, "--verify"]) == 0
    assert "dinner" in capsys.readouterr().out
    assert run(["evaluate", folder, str(table), *base, "--device", "cpu"]) == 0
    assert "100.0 %" in capsys.readouterr().out
    assert run(["predict", folder, "win a free prize 3", *base, "--device", "cpu"]) == 0
    assert "prize" in capsys.readouterr().out


@pytest.mark.parametrize("tune", TUNES)
def test_what_it_says_of_itself(tune: str) -> None:
    info = describe_run(FIXTURE / tune, model=MACHINE["model"])
    assert info.labels == ("dinner", "prize")
    assert info.after["test"].accuracy == 1.0
    assert (info.source, info.max_length) == ("messages.csv", 256)
