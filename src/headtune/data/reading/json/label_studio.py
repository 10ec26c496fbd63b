"""Label Studio's exports: JSON, with every annotation of a task, and JSON-MIN, a row an annotation.

JSON has the text under ``data`` and, under ``annotations`` (``completions`` in old versions), what
each person gave: ``result`` with ``choices``, ``taxonomy`` (a path a choice) or ``rating``. Regions
of a text (``labels``) are no labels of it. Cancelled annotations do not count; ``predictions`` are
a model's, and do not either.
"""

from collections.abc import Iterator, Sequence

from headtune.data.reading.json.votes import Answers, Found, Record, as_labels, majority
from headtune.data.reading.names import TEXT_NAMES

__all__ = ["has_minimal_labels", "has_tasks", "minimal_labels", "task_labels"]

TEXTS = {name for group in TEXT_NAMES for name in group}

OF_THE_TOOL = {
    "id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement",
    "file_upload", "project", "was_cancelled", "task",
}  # fmt: skip


def has_tasks(record: Record) -> bool:
    """Whether a record is a task of the JSON export that has been looked at."""
    annotations = record.get("annotations", record.get("completions"))
    return isinstance(record.get("data"), dict) and isinstance(annotations, list)


def task_labels(records: Sequence[Record]) -> list[Found]:
    """What the people who annotated each task agree on, by the name of the question."""
    return [_task(record) for record in records]


def _task(record: Record) -> Found:
    annotations = record.get("annotations", record.get("completions"))
    given = [a for a in annotations if isinstance(a, dict)] if isinstance(annotations, list) else []
    kept = [a for a in given if not a.get("was_cancelled") and not a.get("skipped")]
    answers: Answers = {}
    for annotation in kept:
        for question, labels in _answers(annotation).items():
            answers.setdefault(question, []).append(labels)
    return majority(answers, "the annotation was cancelled" if given and not kept else "no choice")


def _answers(annotation: Record) -> dict[str, list[object]]:
    """By question, what one person gave."""
    found: dict[str, list[object]] = {}
    results = annotation.get("result")
    for result in results if isinstance(results, list) else []:
        if isinstance(result, dict) and isinstance(result.get("value"), dict):
            question = str(result.get("from_name", "label"))
            labels = list(_labels(result["value"]))
            known = found.setdefault(question, [])
            known += [label for label in labels if label not in known]
    return {question: labels for question, labels in found.items() if labels}


def _labels(value: Record) -> Iterator[object]:
    yield from as_labels(value.get("choices"))
    yield from as_labels(value.get("rating"))
    paths = value.get("taxonomy")
    for path in paths if isinstance(paths, list) else []:
        yield " / ".join(map(str, path if isinstance(path, list) else [path]))


def has_minimal_labels(record: Record) -> bool:
    """Whether a record is a row of JSON-MIN."""
    return "annotation_id" in record and ("lead_time" in record or "annotator" in record)


def minimal_labels(records: Sequence[Record]) -> list[Found]:
    """The one column that is neither the tool's nor the text; none where there are several."""
    return [_minimal(record) for record in records]


def _minimal(record: Record) -> Found:
    others = [key for key in record if key not in OF_THE_TOOL and key.lower() not in TEXTS]
    chosen = [
        key for key in others if isinstance(record[key], dict) and "choices" in _of(record, key)
    ]
    (*_, question) = chosen or others or [""]
    if len(chosen or others) != 1:
        return {key: as_labels(_of(record, key).get("choices")) for key in chosen} or "no choice"
    labels = as_labels(_of(record, question).get("choices") if chosen else record[question])
    return {question: labels} if labels else "no choice"


def _of(record: Record, key: str) -> Record:
    value = record.get(key)
    return value if isinstance(value, dict) else {}
