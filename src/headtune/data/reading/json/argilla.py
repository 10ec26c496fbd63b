"""Argilla's records, in the forms that its versions write.

    2, nested    {"fields": {…}, "responses": {"label": [{"value": …, "user_id": …}]},
                  "suggestions": …}
    2, flat      {"text": …, "label.responses": […], "label.responses.users": […],
                  "label.responses.status": […]}
    1, feedback  {"fields": {…}, "responses": [{"status": "submitted",
                  "values": {"label": {"value": …}}}]}
    1, the hub   {"text": …, "label": [{"user_id": …, "value": …, "status": …}],
                  "label-suggestion": …}
    1, old       {"text": …, "inputs": …, "prediction": …, "annotation": "ham",
                  "status": "Validated"}

Answers that were discarded, or are drafts, do not count. Suggestions and predictions are a
model's: they are no labels.
"""

from collections.abc import Mapping, Sequence

from headtune.data.reading.json.votes import Answers, Found, Record, as_labels, majority

__all__ = ["has_annotation", "has_responses", "response_labels"]

FLAT = ".responses"

NOT_COUNTED = ("discarded", "draft", "pending")


def has_responses(record: Record) -> bool:
    """Whether a record is one of Argilla's, and not of the oldest form."""
    nested = isinstance(record.get("fields"), Mapping) and bool(
        {"responses", "suggestions"} & set(record)
    )
    flat = any(key.endswith(FLAT) and f"{key}.users" in record for key in record)
    return nested or flat or any(map(_are_responses, record.values()))


def has_annotation(record: Record) -> bool:
    """Whether a record is of the oldest form."""
    return {"annotation", "status"} <= set(record) and bool({"prediction", "inputs"} & set(record))


def response_labels(records: Sequence[Record]) -> list[Found]:
    """What the people who answered agree on, by the name of the question."""
    return [_old(record) if has_annotation(record) else _labels(record) for record in records]


def _old(record: Record) -> Found:
    if str(record["status"]).lower() in NOT_COUNTED[:1]:
        return "the record was discarded"
    labels = as_labels(record["annotation"])
    return {"label": labels} if labels else "no answer"


def _labels(record: Record) -> Found:
    if str(record.get("status", "")).lower() in NOT_COUNTED[:1]:
        return "the record was discarded"
    responses = record.get("responses")
    if isinstance(responses, Mapping):
        return majority({str(q): _values(each) for q, each in responses.items()}, "no answer")
    if isinstance(responses, list):
        return majority(_by_question(responses), "no answer")
    flat = {key.removesuffix(FLAT): key for key in record if f"{key}.users" in record}
    if flat:
        answers = {q: _flat_values(record, key) for q, key in flat.items()}
        return majority(answers, "no answer")
    of_hub = {q: _values(value) for q, value in record.items() if _are_responses(value)}
    return majority(of_hub, "no answer")


def _by_question(responses: Sequence[object]) -> Answers:
    answers: Answers = {}
    for response in responses:
        if not isinstance(response, Mapping) or not _counts(response.get("status")):
            continue
        values = response.get("values")
        for question, value in values.items() if isinstance(values, Mapping) else ():
            given = value.get("value") if isinstance(value, Mapping) else value
            answers.setdefault(str(question), []).append(as_labels(given))
    return answers


def _values(responses: object) -> list[list[object]]:
    given = responses if isinstance(responses, list) else []
    return [
        as_labels(response.get("value"))
        for response in given
        if isinstance(response, Mapping) and _counts(response.get("status"))
    ]


def _flat_values(record: Record, key: str) -> list[list[object]]:
    values, status = record[key], record.get(f"{key}.status")
    if not isinstance(values, list):
        return []
    known = (
        status if isinstance(status, list) and len(status) == len(values) else [None] * len(values)
    )
    return [as_labels(v) for v, said in zip(values, known, strict=True) if _counts(said)]


def _counts(status: object) -> bool:
    return str(status or "").lower() not in NOT_COUNTED


def _are_responses(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(x, Mapping) and {"user_id", "value", "status"} <= set(x) for x in value)
    )
