"""Records whose label is a list, an object of scores, or an answer to "is it this one?".

doccano    {"text": …, "label": ["ham"]}; old: {"annotations": [{"label": 3, "user": 1}]}
spaCy      {"text": …, "cats": {"ham": 1.0, "spam": 0.0}}: those of at least one half
Prodigy    {"text": …, "options": …, "accept": ["ham"], "answer": "accept"}
           {"text": …, "label": "spam", "answer": "reject"}: "not spam", where all records are
           asked about the same label; otherwise such an answer says nothing of the others
"""

from collections.abc import Mapping, Sequence

from headtune.data.reading.json.votes import Found, Record, as_labels

__all__ = ["has_answer", "has_label_list", "list_labels", "prodigy_labels"]

LISTS = ("label", "labels", "cats", "categories")


def has_label_list(record: Record) -> bool:
    """Whether a label of the record is a list of names, or an object of scores."""
    return bool(_list_keys(record)) or _has_marks(record)


def _list_keys(record: Record) -> list[str]:
    return [key for key in LISTS if _is_list(record.get(key)) or _is_scores(record.get(key))]


def _is_list(value: object) -> bool:
    return isinstance(value, list) and len(as_labels(value)) == len(value)


def _is_scores(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(score, int | float) for score in value.values())
    )


def _has_marks(record: Record) -> bool:
    """doccano's old form: who marked the text with what."""
    marks = record.get("annotations")
    return (
        "text" in record
        and isinstance(marks, list)
        and bool(marks)
        and all(
            isinstance(mark, Mapping) and "label" in mark and "start_offset" not in mark
            for mark in marks
        )
    )


def list_labels(records: Sequence[Record]) -> list[Found]:
    """The labels of each record, under the name that they have there."""
    return [_labels(record) for record in records]


def _labels(record: Record) -> Found:
    if _has_marks(record):
        marks = record["annotations"]
        given = [m["label"] for m in marks] if isinstance(marks, list) else []
        return {"label": as_labels(list(dict.fromkeys(given)))}
    found: dict[str, list[object]] = {}
    for key in _list_keys(record) or [key for key in LISTS if key in record]:
        value = record[key]
        if isinstance(value, Mapping):
            found[key] = [name for name, score in value.items() if float(str(score)) >= 0.5]
        else:
            found[key] = as_labels(value)
    return found or "no label"


def has_answer(record: Record) -> bool:
    """Whether a record is Prodigy's."""
    return record.get("answer") in ("accept", "reject", "ignore") and bool(
        {"accept", "label", "_input_hash"} & set(record)
    )


def prodigy_labels(records: Sequence[Record]) -> list[Found]:
    """What was accepted; of records that are all asked about one label also what was rejected."""
    asked = {record["label"] for record in records if isinstance(record.get("label"), str)}
    return [_answer(record, is_one=len(asked) == 1) for record in records]


def _answer(record: Record, *, is_one: bool) -> Found:
    answer, label = record.get("answer"), record.get("label")
    if answer == "ignore":
        return "the annotator ignored it"
    if "accept" in record:
        chosen = as_labels(record["accept"]) if answer == "accept" else []
        return {"label": chosen} if chosen else "nothing was accepted"
    if answer == "accept" and label is not None:
        return {"label": as_labels(label)}
    if is_one and isinstance(label, str):
        return {"label": [f"not {label}"]}
    return "it was rejected, which does not say what it is"
