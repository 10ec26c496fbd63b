"""Exports of tools for annotation: records that gain a column with the label people gave.

Label Studio, Argilla, doccano, Prodigy and spaCy; each has its own file or paragraph beside this
one. The column is ``label``, or, where people were asked several questions, one for each by its
name. Everything else that a record has stays as it is.

Guarantees: a form is used only where most of the first records are of it. A text with one label has
that label; where some have several, all have lists of them. A text without a label, since its
annotation was cancelled or people disagree, keeps its row (it can be predicted); how many there are
and why is a note.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headtune.data.reading.json.argilla import has_annotation, has_responses, response_labels
from headtune.data.reading.json.label_lists import (
    has_answer,
    has_label_list,
    list_labels,
    prodigy_labels,
)
from headtune.data.reading.json.label_studio import (
    has_minimal_labels,
    has_tasks,
    minimal_labels,
    task_labels,
)
from headtune.data.reading.json.votes import Found, Record
from headtune.data.reading.names import LABEL_NAMES
from headtune.wording.numbers import count

__all__ = ["Form", "find_form"]

SAMPLE_RECORDS = 200

LABELS = {name for group in LABEL_NAMES for name in group}


@dataclass(frozen=True, slots=True)
class Form:
    """An export that is known: how a record of it looks, and the labels of such records."""

    name: str
    matches: Callable[[Record], bool]
    labels: Callable[[Sequence[Record]], list[Found]]

    def labelled(self, records: Sequence[Record]) -> tuple[list[Record], tuple[str, ...]]:
        """The records with their labels, and what is to be said of it."""
        found = self.labels(records)
        questions = dict.fromkeys(q for each in found if isinstance(each, dict) for q in each)
        reasons = Counter(each for each in found if isinstance(each, str))
        if not questions:
            return list(records), ()
        names = {question: _column(question, len(questions), records) for question in questions}
        gained = {
            names[question]: _values([_of(each, question) for each in found])
            for question in questions
        }
        labelled: list[Record] = [
            {**record, **{name: values[i] for name, values in gained.items()}}
            for i, record in enumerate(records)
        ]
        notes = [f"{self.name}: labels in {', '.join(gained)}"]
        for reason, n in reasons.most_common():
            notes.append(f"{count(n, 'row')} without a label: {reason}")
        return labelled, tuple(notes)


FORMS = (
    Form("Label Studio's export", has_tasks, task_labels),
    Form("Label Studio's export (JSON-MIN)", has_minimal_labels, minimal_labels),
    Form("Argilla's records", has_responses, response_labels),
    Form("Argilla's records", has_annotation, response_labels),
    Form("Prodigy's answers", has_answer, prodigy_labels),
    Form("lists of labels", has_label_list, list_labels),
)


def find_form(records: Sequence[Record]) -> Form | None:
    """The form that most of the first records have; None where they are just records."""
    sample = records[:SAMPLE_RECORDS]
    for form in FORMS:
        if sample and 2 * sum(map(form.matches, sample)) > len(sample):
            return form
    return None


def _column(question: str, n_questions: int, records: Sequence[Record]) -> str:
    """``label``, unless there are several questions, or that name is taken, or its own will do."""
    is_there = question.lower() in LABELS and any(question in record for record in records)
    is_taken = any("label" in record for record in records)
    return question if n_questions > 1 or is_there or is_taken else "label"


def _of(found: Found, question: str) -> list[object]:
    return [] if isinstance(found, str) else found.get(question, [])


def _values(labels: Sequence[list[object]]) -> list[object]:
    """The one label of each, None for none; lists where some have several."""
    if any(len(each) > 1 for each in labels):
        return [each or None for each in labels]
    return [each[0] if each else None for each in labels]
