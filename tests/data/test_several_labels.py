"""Several labels a text are seen in each form that tables have; labels of their own are not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headtune.data import labelled_examples, prepare
from headtune.data.several_labels import labels_in_cells
from headtune.errors import ColumnError
from headtune.inspection import inspect_table
from headtune.options import DataConfig
from headtune.types import LabelSet

AUTO = DataConfig()
N = 120


def texts(n: int = N) -> list[str]:
    return [f"words of message number {i}" for i in range(n)]


def table(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {"text": texts(), **{name: (values * N)[:N] for name, values in columns.items()}}
    )


def kinds(source: object, **options: Any) -> dict[str, str]:
    found = inspect_table(source, DataConfig(**options)).findings
    return {finding.kind: finding.title for finding in found}


def refusal(source: object, **options: Any) -> str:
    with pytest.raises(ColumnError) as raised:
        prepare(source, DataConfig(**options))
    message = str(raised.value)
    assert "\n" not in message
    assert "looks like several labels a text" in message
    return message


JOINED: Mapping[str, list[str]] = {
    "';'": ["neutral", "positive", "negative", "neutral;juice"],
    "'|'": ["a", "b", "a|b", "c", "b|c"],
    "'|' ": ["a | b", "b | c", "a | c"],
    "','": ["27", "3", "14", "3,14", "3,14,27"],
    "', '": ["joy", "anger", "fear", "joy, anger", "anger, fear"],
    "','  ": ["joy", "anger", "neutral,juice", "neutral"],
    "'/'": ["pos", "neg", "pos/neg", "neg"],
    "'+'": ["toxic", "insult", "toxic+insult"],
    "spaces": ["joy", "anger", "joy anger"],
    "written as lists": ["['a']", "['a', 'b']", "['c']"],
    "written as lists ": ['["a"]', '["a", "b"]', "[]"],
    "written as lists  ": ["{1, 2}", "{2}"],
    "line ends": ["a\nb", "a", "b"],
}


@pytest.mark.parametrize(("sign", "values"), JOINED.items())
def test_joined_labels_are_seen(sign: str, values: list[str]) -> None:
    written = sign.strip()
    found = labels_in_cells(dict.fromkeys(values, 10))
    assert found is not None
    assert written.replace(", ", ",") in found.written.replace(", ", ",")
    source = table(labels=values)
    message = refusal(source)
    assert message.endswith('To learn each combination as a label of its own: label="labels"')
    assert "hold more than one of" in kinds(source)["several_labels"]
    prepared = prepare(source, DataConfig(label="labels"))
    assert len(prepared.labels) == len(set(values) - {"[]"}) + ("[]" in values)
    assert any("hold more than one of" in note for note in prepared.summary["notes"])


OWN: Mapping[str, list[str]] = {
    "a category with a semicolon": ["Sports; Outdoor", "News", "Food; Drink"],
    "ampersands": ["R&B", "Rock & Roll", "Pop", "Rock"],
    "an answer with a comma": ["yes, definitely", "no", "yes", "maybe"],
    "an answer with a but": ["yes, but", "no, but", "yes", "no"],
    "an agreement": ["yes, definitely", "no, definitely", "yes, probably", "no, probably"],
    "agreements": [
        "yes, definitely", "no, definitely", "yes, probably", "no, probably", "yes", "no",
    ],
    "slashes": ["n/a", "Hip-Hop/Rap", "news/sport", "news/world"],
    "words": ["very good", "good", "very bad", "bad"],
    "not": ["spam", "not spam"],
    "decimal commas": ["0,5", "1,0", "1,5", "2,0", "2,5"],
    "thousands": ["1,000", "2,500", "1,000,000", "500"],
    "ranges": ["1-5", "6-10", "<1,000"],
    "dates": ["1/2", "2/1", "1/1"],
    "paths": ["Electronics|Phones", "Electronics|Laptops", "Home|Kitchen"],
    "cities": ["Paris,France", "Lyon,France", "Bonn,Germany"],
    "plain": ["ham", "spam"],
    "one list each": ["['a']", "['b']"],
    "sentences": ["Open; please see the notes that were left here by him", "Open", "Closed"],
}  # fmt: skip


@pytest.mark.parametrize("values", OWN.values(), ids=OWN)
def test_labels_of_their_own_are_left_alone(values: list[str]) -> None:
    assert labels_in_cells(dict.fromkeys(values, 10)) is None
    assert "several_labels" not in kinds(table(label=values))
    assert len(prepare(table(label=values), AUTO).labels) == len(set(values))


def test_a_few_odd_cells_hide_nothing() -> None:
    counts = {"a": 40, "b": 40, "a;b": 30, "a;a": 1, "b;": 1, ";": 1, "x" * 70 + ";a": 1}
    found = labels_in_cells(counts)
    assert found is not None
    assert (found.n_several, found.example) == (31, "a;b")


def test_a_slip_of_the_pen_is_said_and_not_refused() -> None:
    source = table(label=["a", "b"])
    big = pd.concat([source] * 10, ignore_index=True)
    big.loc[:2, "label"] = "a;b"
    assert len(prepare(big, DataConfig(split="100/0/0")).labels) == 3
    assert kinds(big)["several_labels"].startswith("0.2 % of the rows")


@pytest.mark.parametrize("parquet", [False, True])
def test_lists_are_refused_by_name_and_looked_at(parquet: bool, tmp_path: Path) -> None:
    labels = ([["joy"], ["joy", "anger"], ["fear"], []] * N)[:N]
    rows = pa.table({"text": texts(), "labels": labels})
    path = tmp_path / "lists.parquet"
    pq.write_table(rows, path)
    source = path if parquet else rows.to_pylist()
    for options in ({}, {"label": "labels"}):
        message = refusal(source, **options)
        assert "25.0 % of the rows of column 'labels' hold more than one of 3 labels" in message
        assert "Keep the label that matters" in message
    assert kinds(source)["several_labels"].startswith("25.0 % of the rows")
    inspected = inspect_table(source, AUTO)
    assert {row.label for row in inspected.findings[0].rows} == {"joy; anger"}
    assert inspected.labels == {"fear": 30, "joy": 30, "joy; anger": 30}


def test_lists_of_one_are_labels() -> None:
    rows = [{"text": t, "label": [["ham"], ["spam"], []][i % 3]} for i, t in enumerate(texts())]
    prepared = prepare(rows, AUTO)
    assert prepared.labels.names == ("ham", "spam")
    assert prepared.summary["set_aside"]["by_reason"] == {"the label is missing": 40}
    assert prepared.summary["detected"] == ["lists of labels: labels in label"]
    numbers = [{"text": t, "label": [i % 2]} for i, t in enumerate(texts())]
    assert prepare(numbers, AUTO).labels.values == (0, 1)


def test_sets_of_many_combinations_are_found_by_their_content() -> None:
    words = [f"w{i}" for i in range(12)]
    joined = [f"{a};{b}" for a in words for b in words if a < b]
    message = refusal(table(tags=joined))
    assert "100.0 % of the rows of column 'tags' hold more than one of 12" in message


FLAGS: Mapping[str, tuple[Any, Any]] = {
    "numbers": (0, 1),
    "words": ("no", "yes"),
    "strings": ("0", "1"),
    "floats": (0.0, 1.0),
    "booleans": (False, True),
    "capitals": ("FALSE", "TRUE"),
}


@pytest.mark.parametrize(("no", "yes"), FLAGS.values(), ids=FLAGS)
def test_columns_of_yes_and_no(no: Any, yes: Any) -> None:
    source = table(joy=[yes, no, no], anger=[no, yes, no], fear=[no, no, yes])
    message = refusal(source)
    assert "(joy, anger, fear), and each row has exactly one of them" in message
    assert message.endswith('label="joy"')
    assert "3 columns say yes or no" in kinds(source)["several_labels"]
    prepared = prepare(source, DataConfig(label="anger"))
    assert len(prepared.labels) == 2
    assert "the same values are in joy, fear, not taken" in prepared.summary["columns"]["found"]
    assert kinds(source, label="anger")["other_label_columns"].endswith("are not: joy, fear")


def test_a_name_of_one_label_beside_others_is_one_of_several() -> None:
    source = table(toxic=[1, 0, 0, 1], obscene=[0, 1, 0, 1], threat=[0])
    assert "3 columns say yes or no" in refusal(source)
    assert "(toxic, obscene, threat), and 25.0 % of the rows have several" in refusal(source)
    assert "several_labels" in kinds(source)
    assert len(prepare(source, DataConfig(label="toxic")).labels) == 2


@pytest.mark.parametrize("name", ["label", "class", "target", "y"])
def test_a_name_of_a_label_column_beside_others_is_taken_and_said(name: str) -> None:
    source = table(**{name: [1, 0, 0, 1], "reply": [0, 1, 0, 1], "link": [0], "likes": [1, 2, 3]})
    prepared = prepare(source, AUTO)
    assert prepared.summary["columns"]["found"].endswith(
        f"label column {name!r} (by its name, 2 values, the same values are in reply, link, "
        "not taken)"
    )
    title = kinds(source)["other_label_columns"]
    assert title.endswith("2 other columns with the same values are not: reply, link")


def test_one_flag_beside_a_label_is_no_several() -> None:
    source = table(spam=[1, 0, 0, 1], seen=[0, 1, 0, 1])
    assert "the same values are in seen" in prepare(source, AUTO).summary["columns"]["found"]
    assert "other_label_columns" not in kinds(table(spam=[1, 0], when=[5, 6]))


def test_a_table_to_test_on_is_refused_where_its_label_is_not_known() -> None:
    source = table(joy=[1, 0, 0], anger=[0, 1, 0])
    labels = LabelSet(("0", "1"))
    with pytest.raises(ColumnError, match="looks like several labels a text"):
        labelled_examples(source, AUTO, labels, "text", "topic")
    examples, _ = labelled_examples(source, AUTO, labels, "text", "joy")
    assert len(examples) == N
