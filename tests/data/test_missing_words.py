"""``missing``: words that stand for no value, in every place where one can stand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtune.data import iter_tables, prepare, usable_rows
from headtune.data.columns import find_text_column
from headtune.data.findings import text_findings
from headtune.data.findings.labels import label_findings
from headtune.inspection import inspect_table
from headtune.options import DataConfig, ModelConfig, RunConfig, TrainConfig
from headtune.predict import Predictor, evaluate_file, predict_file
from headtune.predict.fields import texts_through
from headtune.run import train_run

WORDS = ("NA", "N/A", "nan", "None")


def rows(n: int = 60) -> list[dict[str, Any]]:
    """A tenth of the labels are words for nothing, and a twelfth of the texts."""
    found = [
        {"text": f"a text of number {i}", "label": "ham" if i % 2 else "spam"} for i in range(n)
    ]
    for i in range(0, n, 10):
        found[i]["label"] = WORDS[i // 10 % 4]
    for i in range(5, n, 12):
        found[i]["text"] = " NA "
    return found


def test_they_are_said_and_then_missing() -> None:
    notes = prepare(rows(), DataConfig(split="100/0/0")).summary["notes"]
    labels, texts = notes
    assert labels.startswith("4 labels look like missing values: 'N/A' 2, 'NA' 2")
    assert "the option missing (N/A,NA,nan,None)" in labels
    assert texts.startswith("5 texts look like missing values: 'NA' 5")
    prepared = prepare(rows(), DataConfig(split="100/0/0", missing=WORDS))
    assert prepared.labels.names == ("ham", "spam")
    assert prepared.summary["set_aside"]["by_reason"] == {
        "the label is missing": 6,
        "the text is missing": 5,
    }
    assert prepared.summary["notes"] == []
    assert "label column 'label' (by its name, 2 values)" in prepared.summary["columns"]["found"]


def test_inspect_says_them_until_they_are_missing() -> None:
    found = {f.kind: f for f in inspect_table(rows(), DataConfig()).findings}
    assert [row.label for row in found["no_labels"].rows] == [
        "NA",
        "N/A",
        "nan",
        "None",
        "NA",
        "N/A",
    ]
    assert found["no_texts"].count == 5
    assert {row.text for row in found["no_texts"].rows} == {" NA "}
    found = {f.kind: f for f in inspect_table(rows(), DataConfig(missing=WORDS)).findings}
    assert not {"no_labels", "no_texts"} & set(found)
    assert found["unusable_rows"].count == 11


def test_case_counts_and_a_word_that_is_nowhere_is_said() -> None:
    table = [{"text": f"t {i}", "label": ["none", "None", "all"][i % 3]} for i in range(30)]
    prepared = prepare(table, DataConfig(missing=("None", "NaN")))
    assert prepared.labels.names == ("all", "none")
    assert "no text or label is 'NaN'" in prepared.summary["detected"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_form_and_chunk(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows.{kind}"
    frame = pd.DataFrame(rows())
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    config = DataConfig(missing=WORDS, split="100/0/0")
    assert prepare(path, config).summary["set_aside"]["count"] == 11
    n_used = 0
    for table in iter_tables(path, config, 7):
        text = find_text_column(table, config, trained_on="text")
        n_used += len(usable_rows(table, text, config).texts)
    assert n_used == 55


def test_numbers_may_stand_for_nothing() -> None:
    table = [{"text": f"t {i}", "label": i % 3 - 1} for i in range(30)]
    assert prepare(table, DataConfig(missing=("-1",))).labels.values == (0, 1)


def test_in_a_template_such_a_field_is_empty() -> None:
    table = [
        {
            "keyword": ["NA", "fire"][i % 2],
            "text": ["NA", f"a text of {i}"][i % 4 > 0],
            "label": i % 2,
        }
        for i in range(40)
    ]
    template = "{keyword}: {text}"
    config = DataConfig(template=template, missing=("NA",), split="100/0/0")
    prepared = prepare(table, config)
    assert prepared.summary["set_aside"]["by_reason"] == {"the text is empty": 10}
    read = [example.text for example in prepared.train]
    usable = [row for row in table if (row["keyword"], row["text"]) != ("NA", "NA")]
    assert texts_through(template, usable, ("NA",)) == read
    assert ": a text of 2" in read


@pytest.mark.parametrize("text", ["na", "NaN", "#N/A", "undefined", "NULL "])
def test_texts_that_look_like_none(text: str) -> None:
    (found,) = text_findings(["a text", text])
    assert found.title == f"1 text looks like a missing value: {text.strip()!r} 1"


@pytest.mark.parametrize("text", ["?", "-", "no", "nanny", "none of them", "unknown", "..."])
def test_texts_that_are_some(text: str) -> None:
    assert text_findings(["a text", text]) == []


def test_the_run_remembers(tiny_llama: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    pd.DataFrame(rows()).to_json(path, orient="records", lines=True)
    config = RunConfig(
        source=str(path),
        data=DataConfig(missing=WORDS),
        model=ModelConfig(model=str(tiny_llama)),
        train=TrainConfig(max_steps=1),
    )
    train_run(config, out=tmp_path / "run")
    predictor = Predictor.load(tmp_path / "run")
    assert predictor.missing == WORDS
    counts = predict_file(predictor, path, out=tmp_path / "out.csv")
    assert counts["unusable_rows"] == 5
    assert evaluate_file(predictor, path)["set_aside"] == 11
    assert replace(predictor, missing=()).reading(DataConfig()).missing == ()
    assert predictor.reading(DataConfig(missing=("x",))).missing == ("x",)


def test_label_findings_name_the_way_out() -> None:
    (found,) = label_findings({"ham": 3, "NULL": 2, "n/a": 1})
    assert "the option missing (NULL,n/a)" in found.advice
