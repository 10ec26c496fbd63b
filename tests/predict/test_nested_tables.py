"""Tables whose texts are fields of fields: found again; results keep the columns."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headtune import Predictor, TextClassifier, evaluate_file, predict_file
from headtune.data import iter_tables
from headtune.predict import bulk
from tests_support import TEXTS, TOPICS, Heard

PAIRS = list(zip(TEXTS, TOPICS, strict=True))[:8]


@pytest.fixture(scope="module")
def predictor(tiny_llama: Path) -> Predictor:
    classifier = TextClassifier(str(tiny_llama), "last-1", max_steps=1)
    fitted: Predictor = classifier.fit(TEXTS, TOPICS).predictor_
    return fitted


def nested(text: str, label: str) -> dict[str, Any]:
    return {"id": 1, "data": {"text": text, "label": label}}


def chat(text: str, label: str) -> dict[str, Any]:
    said = (("user", text), ("assistant", label))
    return {"messages": [{"role": role, "content": content} for role, content in said]}


def flat(text: str, label: str) -> dict[str, Any]:
    return {"text": text, "label": label}


def predicted(predictor: Predictor, source: object, folder: Path) -> list[dict[str, Any]]:
    predict_file(predictor, source, out=folder / "out.jsonl")
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("form", [nested, chat])
@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_predictions_are_those_of_the_flat_table(
    predictor: Predictor, tmp_path: Path, form: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "iter_tables", lambda source, data: iter_tables(source, data, 3))
    records = [form(*pair) for pair in PAIRS]
    path = tmp_path / f"in.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    else:
        lines = "\n".join(map(json.dumps, records))
        path.write_text(lines if kind == "jsonl" else json.dumps(records))
    rows = predicted(predictor, path, tmp_path)
    straight = predicted(predictor, [flat(*pair) for pair in PAIRS], tmp_path)
    added = [name for name in straight[0] if name not in ("text", "label")]
    assert [{name: row[name] for name in added} for row in rows] == [
        {name: pytest.approx(row[name], abs=1e-5) for name in added} for row in straight
    ]
    assert [{k: v for k, v in row.items() if k not in added} for row in rows] == records


def test_a_later_chunk_without_the_field_has_no_prediction(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "iter_tables", lambda source, data: iter_tables(source, data, 2))
    odd: list[Any] = [{"id": 1}, {"data": None}, {"data": {"x": 1}}, {"data": "a text"}]
    rows = predicted(predictor, [*(nested(*p) for p in PAIRS[:2]), *odd], tmp_path)
    assert [row["predicted_label"] is None for row in rows] == [False, False, *[True] * 4]


def test_what_was_decided_is_said(predictor: Predictor, tmp_path: Path) -> None:
    heard = Heard()
    records = [chat(*pair) for pair in PAIRS]
    predict_file(predictor, records, out=tmp_path / "o.csv", progress=heard)
    assert any("'messages.user' (the user's message)" in said for said in heard.lines)


@pytest.mark.parametrize("form", [nested, chat])
def test_evaluation_finds_both(predictor: Predictor, form: Any) -> None:
    report = evaluate_file(predictor, [form(*pair) for pair in PAIRS])
    assert report == evaluate_file(predictor, [flat(*pair) for pair in PAIRS])
