"""Classifiers of a template: a row of a table and its fields are one text, and get one answer."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtune import Predictor, TextClassifier, predict_file
from headtune.cli.app import run
from headtune.data import read_table
from headtune.errors import PredictionError
from headtune.explain import explain
from headtune.options import DataConfig, ModelConfig, RunConfig, TrainConfig, TuneConfig
from headtune.run.train import train_run
from headtune.wording.templates import Template
from tests_support import TEXTS, TOPICS

TEMPLATE = "{keyword}: {text}"
ROWS: list[dict[str, Any]] = [
    {"keyword": "fire", "text": "home at six", "n": 1},
    {"keyword": " ", "text": "call to claim ", "n": 2},
    {"keyword": "prize", "text": "", "n": 3},
]


@pytest.fixture(scope="module")
def runs(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Template -> run folder that was trained with it."""
    folder = tmp_path_factory.mktemp("runs")
    with (folder / "rows.csv").open("w", newline="") as file:
        rows = [
            [f"k{n % 3}", t, topic] for n, (t, topic) in enumerate(zip(TEXTS, TOPICS, strict=True))
        ]
        csv.writer(file).writerows([["keyword", "text", "topic"], *rows])

    def of(template: str) -> Path:
        out = folder / str(len(template))
        if not out.exists():
            config = RunConfig(
                source=str(folder / "rows.csv"),
                data=DataConfig(template=template, label="topic"),
                model=ModelConfig(model=str(tiny_llama)),
                tune=TuneConfig(tune="last-1"),
                train=TrainConfig(epochs=2, learning_rate=5e-3),
            )
            train_run(config, out=out)
        return out

    return of


@pytest.fixture
def predictor(runs: Callable[[str], Path]) -> Predictor:
    return Predictor.load(runs(TEMPLATE))


def test_a_row_and_its_fields_get_the_same_answer(
    predictor: Predictor, runs: Callable[[str], Path], tmp_path: Path
) -> None:
    predict_file(predictor, ROWS, out=tmp_path / "out.parquet")
    answered = read_table(tmp_path / "out.parquet", DataConfig()).columns.to_pylist()
    expected = [[row["probability_dinner"], row["probability_prize"]] for row in answered]
    np.testing.assert_allclose(predictor.predict_proba(ROWS), expected, atol=1e-6)
    estimator = TextClassifier.load(runs(TEMPLATE))
    np.testing.assert_allclose(estimator.predict_proba(ROWS), expected, atol=1e-6)
    labels = [row["predicted_label"] for row in answered]
    assert [p.label for p in predictor.predict(ROWS)] == labels
    assert estimator.predict(ROWS).tolist() == labels
    assert estimator.score(ROWS, labels) == 1.0
    assert estimator.evaluate(ROWS, labels)["accuracy"] == 1.0
    spread = np.ptp(np.array(expected)[:, 0])
    assert spread > 1e-4, "the rows are told apart"


def test_the_command_line_gives_the_same_answer(
    predictor: Predictor, runs: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(runs(TEMPLATE))
    expected = predictor.predict_proba(ROWS[:1])[0].tolist()
    given = ["--field", "keyword=fire", "--json"]
    for texts in (["home at six"], ["--field", "text=home at six"], ["--text-is", "home at six"]):
        assert run(["predict", folder, *given, *texts]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["text"] == "fire: home at six"
        assert list(answer["probabilities"].values()) == pytest.approx(expected, abs=1e-6)
    assert run(["explain", folder, *given, "home at six"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["text"] == "fire: home at six"
    assert answer["probability"] == pytest.approx(max(expected), abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["home"], "no value for keyword and text. Give --field 'keyword=…' --field 'text=…'; one"),
        (["--field", "keyword=a"], "there is no value for text. Give --field 'text=…'."),
        (["a", "--field", "keyword=a", "--field", "text=b"], "has values for all of it"),
        (["a", "--field", "keywrd=a"], "it has: keyword, text. Did you mean --field keyword=a?"),
        (["a", "--field", "keyword"], "takes NAME=VALUE, a name once; received 'keyword'."),
        (["a", "--field", "text=a", "--field", "text=b"], "received 'text' a second time."),
        (["-", "--field", "text=a"], "--field is for texts; a FILE has its columns."),
    ],
)  # fmt: skip
def test_what_is_missing_is_one_line(
    runs: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert run(["predict", str(runs(TEMPLATE)), *arguments]) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("home at six", "is one string; this classifier was trained on '{keyword}: {text}'."),
        ({"text": "a"}, "has no 'keyword', which the template '{keyword}: {text}' asks for"),
        ({"text": " ", "keyword": None}, "is empty: 'keyword' and 'text' have no value."),
        (None, "is empty or no string: None."),
    ],
)  # fmt: skip
def test_what_is_missing_in_python(predictor: Predictor, item: Any, message: str) -> None:
    for ask in (predictor.predict_proba, predictor.predict):
        with pytest.raises(PredictionError) as raised:
            ask([ROWS[0], item])
        assert str(raised.value).startswith("Text 2 of 2 ")
        assert message in str(raised.value)
        assert raised.value.row == 2


def test_a_template_of_one_field_takes_a_string(runs: Callable[[str], Path]) -> None:
    predictor = Predictor.load(runs("Message: {text}!"))
    whole = predictor.probabilities(predictor.encode(["Message: home at six!"]))
    for item in ("home at six ", {"text": "home at six"}):
        np.testing.assert_allclose(predictor.predict_proba([item]), whole, atol=1e-6)
        assert explain(predictor, item).text == "Message: home at six!"
    bare = replace(predictor, template=None).predict_proba(["home at six"])
    assert abs(bare - whole).max() > 1e-5, "the words of the template matter"
    with pytest.raises(PredictionError, match="Text 1 of 1 is empty"):
        predictor.predict([" "])


def test_a_classifier_without_a_template_takes_no_dict(predictor: Predictor) -> None:
    plain = replace(predictor, template=None)
    with pytest.raises(
        PredictionError, match="Text 1 of 1 is a dict; this classifier was trained on"
    ):
        plain.predict([ROWS[0]])
    with pytest.raises(PredictionError, match=r"template '\{a' of the run cannot be read"):
        replace(predictor, template="{a").predict(["a"])


@pytest.mark.parametrize("text", ["half \ud83d of it", "\udce9t\udce9"])
def test_half_a_surrogate_pair_is_one_line(predictor: Predictor, text: str) -> None:
    """The second is what Python makes of a terminal's bytes that are not UTF-8."""
    plain = replace(predictor, template=None)
    for ask, item in (
        (plain.predict_proba, text),
        (predictor.predict, {"keyword": "a", "text": text}),
    ):
        with pytest.raises(
            PredictionError, match="Text 2 of 2 holds half a surrogate pair"
        ) as raised:
            ask([ROWS[0] if isinstance(item, dict) else "a", item])
        assert raised.value.row == 2
        assert str(raised.value).isascii()


@pytest.mark.parametrize("nothing", [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT])
def test_what_stands_for_no_value_is_empty(nothing: object) -> None:
    template = Template.parse("{keyword}: {text}")
    assert template.join({"keyword": nothing, "text": "home at six"}) == ": home at six"
    assert template.join({"keyword": nothing, "text": nothing}) is None
