"""Exports of tools for annotation: the label that people gave, and why there is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from headtune.data import find_columns, prepare, read_table, usable_rows
from headtune.data.reading.table import Table
from headtune.options import DataConfig

AUTO = DataConfig()
TEXTS = [f"see you at number {i}" for i in range(20)]
LABELS = ["ham" if i % 2 else "spam" for i in range(20)]
ROWS = list(zip(TEXTS, LABELS, strict=True))


def choice(*labels: str, name: str = "sentiment", kind: str = "choices") -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": kind, "value": {kind: list(labels)}}


def task(text: str, *annotations: Any) -> dict[str, Any]:
    given = [a if isinstance(a, dict) else {"result": a} for a in annotations]
    return {"id": 1, "data": {"text": text}, "annotations": given, "predictions": []}


def label_studio(text: str, label: str) -> Any:
    return task(text, {"result": [choice(label)], "was_cancelled": False, "completed_by": 3})


def label_studio_ranking(text: str, label: str) -> Any:
    return task(text, [choice(label, kind="taxonomy") | {"value": {"taxonomy": [["a", label]]}}])


def completions(text: str, label: str) -> Any:
    return {"data": {"text": text}, "completions": [{"result": [choice(label)]}]}


def minimal(text: str, label: str) -> Any:
    return {"id": 1, "text": text, "choice": label, "annotator": 1, "annotation_id": 4,
            "created_at": "2024", "updated_at": "2024", "lead_time": 1.5}  # fmt: skip


def minimal_of_choices(text: str, label: str) -> Any:
    return {**minimal(text, label), "choice": {"choices": [label]}, "source": "web"}


def argilla(text: str, label: str) -> Any:
    answers = {"label": [{"value": label, "user_id": "u"}]}
    return {"id": "1", "status": "completed", "fields": {"text": text}, "responses": answers,
            "suggestions": {"label": {"value": "no", "score": None}}}  # fmt: skip


def argilla_feedback(text: str, label: str) -> Any:
    values = {"topic": {"value": label}}
    drafts = {"user_id": "v", "status": "draft", "values": {"topic": {"value": "no"}}}
    responses = [{"user_id": "u", "status": "submitted", "values": values}, drafts]
    return {"fields": {"text": text}, "responses": responses, "suggestions": [], "external_id": 1}


def argilla_flat(text: str, label: str) -> Any:
    return {"id": "1", "status": "completed", "text": text, "label.responses": [label],
            "label.responses.users": ["u"], "label.responses.status": ["submitted"],
            "label.suggestion": "no"}  # fmt: skip


def argilla_of_hub(text: str, label: str) -> Any:
    answers = [{"user_id": "u", "value": label, "status": "submitted"}]
    return {"text": text, "label": answers, "label-suggestion": "no", "external_id": "1"}


def argilla_old(text: str, label: str) -> Any:
    return {"text": text, "inputs": {"text": text}, "prediction": [["no", 0.9]],
            "annotation": label, "status": "Validated"}  # fmt: skip


def doccano(text: str, label: str) -> Any:
    return {"id": 1, "text": text, "label": [label], "Comments": []}


def doccano_data(text: str, label: str) -> Any:
    return {"id": 1, "data": text, "label": [label]}


def doccano_old(text: str, label: str) -> Any:
    return {"id": 1, "text": text, "annotations": [{"label": label, "user": 1}]}


def spacy(text: str, label: str) -> Any:
    return {"text": text, "cats": {x: float(x == label) for x in ("ham", "spam")}}


def categories(text: str, label: str) -> Any:
    return {"text": text, "cats": [label]}


def prodigy(text: str, label: str) -> Any:
    options = [{"id": "ham", "text": "Ham"}, {"id": "spam", "text": "Spam"}]
    return {"text": text, "options": options, "accept": [label], "answer": "accept",
            "_input_hash": 1, "spans": []}  # fmt: skip


def prodigy_binary(text: str, label: str) -> Any:
    return {"text": text, "label": label, "answer": "accept", "_input_hash": 1}


FORMS = [
    label_studio, label_studio_ranking, completions, minimal, minimal_of_choices,
    argilla, argilla_feedback, argilla_flat, argilla_of_hub, argilla_old,
    doccano, doccano_data, doccano_old, spacy, categories, prodigy, prodigy_binary,
]  # fmt: skip


@pytest.mark.parametrize("lines", [True, False], ids=["lines", "whole"])
@pytest.mark.parametrize("form", FORMS)
def test_an_export_gives_texts_and_labels(tmp_path: Path, form: Any, lines: bool) -> None:
    records = [form(*row) for row in ROWS]
    path = tmp_path / ("a.jsonl" if lines else "a.json")
    path.write_text("\n".join(map(json.dumps, records)) if lines else json.dumps(records))
    table = read_table(path, AUTO)
    usable = usable_rows(table, find_columns(table, AUTO), AUTO)
    assert usable.texts == TEXTS
    assert [label.removeprefix("a / ") for label in usable.labels] == LABELS
    assert not usable.set_aside
    assert [name for name in records[0] if name not in table.column_names] == []
    assert len(table.notes) == (2 if lines else 1)
    assert sorted(prepare(path, AUTO).labels.names) == sorted(set(usable.labels))


def labels_of(records: list[Any]) -> tuple[list[Any], Table]:
    table = read_table(records, AUTO)
    return table.columns["label"].to_pylist(), table


def test_annotators_of_label_studio() -> None:
    ham, spam = [choice("ham")], [choice("spam")]
    cancelled = {"result": spam, "was_cancelled": True}
    labels, table = labels_of([
        task("most", ham, spam, ham), task("two", ham, spam), task("one left", ham, cancelled),
        task("none left", cancelled), task("nobody"), task("regions", [choice("x", kind="labels")]),
        *[task("one", ham)] * 5,
    ])  # fmt: skip
    assert labels == ["ham", None, "ham", None, None, None, *["ham"] * 5]
    assert table.notes == (
        "Label Studio's export: labels in label",
        "2 rows without a label: no choice",
        "1 row without a label: the annotators disagree",
        "1 row without a label: the annotation was cancelled",
    )
    assert len(table) == 11  # all of them can be predicted


def test_several_choices_are_a_list() -> None:
    labels, _ = labels_of([task("a b", [choice("x", "y")]), task("c d", [choice("x")]),
                           task("e f", [choice("y", "x")], [choice("x", "y")])])  # fmt: skip
    assert labels == [["x", "y"], ["x"], ["y", "x"]]


def test_several_questions_are_columns() -> None:
    answers = [choice("good"), choice("food", name="topic")]
    table = read_table([task("a b", answers), task("c d", answers[:1])], AUTO)
    assert table.columns["sentiment"].to_pylist() == ["good", "good"]
    assert table.columns["topic"].to_pylist() == ["food", None]


def test_regions_alone_are_no_labels() -> None:
    table = read_table([task("a b", [choice("x", kind="labels")])] * 3, AUTO)
    assert table.column_names == ["id", "data", "annotations", "predictions"]


def test_what_argilla_does_not_count() -> None:
    discarded = {**argilla("a", "x"), "status": "discarded"}
    two = argilla("b", "x")
    two["responses"]["label"].append({"value": "y", "user_id": "v"})
    suggested = {**argilla("c", "x"), "responses": {}}
    labels, table = labels_of([argilla("d", "x"), discarded, two, suggested])
    assert labels == ["x", None, None, None]
    assert sorted(table.notes[1:]) == [
        "1 row without a label: no answer", "1 row without a label: the annotators disagree",
        "1 row without a label: the record was discarded",
    ]  # fmt: skip


def test_what_prodigy_rejected() -> None:
    one = [prodigy_binary("a", "spam"), {**prodigy_binary("b", "spam"), "answer": "reject"},
           {**prodigy_binary("c", "spam"), "answer": "ignore"}]  # fmt: skip
    assert labels_of(one)[0] == ["spam", "not spam", None]
    labels, table = labels_of([*one, prodigy_binary("d", "ham")])
    assert labels == ["spam", None, None, "ham"]
    assert "1 row without a label: it was rejected, which does not say what it is" in table.notes


def test_lists_of_several_labels_stay_lists() -> None:
    records: list[Any] = [doccano("a", "x"), doccano("b", "y") | {"label": ["x", "y"]},
                          doccano("c", "z") | {"label": []}]  # fmt: skip
    assert labels_of(records)[0] == [["x"], ["x", "y"], None]


def test_entities_and_other_lists_are_left_alone() -> None:
    entities = [{"text": "a b", "label": [[0, 1, "PER"]]}, {"text": "c d", "label": [[2, 3, "X"]]}]
    assert read_table(entities, AUTO).notes == ()
    plain = [{"text": "a", "label": "x", "tags": ["p", "q"]}] * 3
    assert read_table(plain, AUTO).columns.to_pylist() == plain
