"""``predictions.parquet``: what a run answered to each row it held back.

One line a row: ``part``, ``row`` (record number in the source), ``text`` (its beginning),
``sha256`` of the whole text, ``label`` (the true one) and ``probability_<label>`` for each label,
in the order of logits. ``headtune compare`` finds by it the rows that two runs share.

Guarantees: what is read back equals what was written, probabilities as float32.
Costs: reading brings in pyarrow only.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from headtune.errors import ArtifactFormatError
from headtune.tasks import SINGLE_LABEL, Task
from headtune.types import Example, LabelSet, known_label

__all__ = ["Answers", "read_answers", "write_answers"]

Probabilities = npt.NDArray[np.floating[Any]]

EXCERPT = 200
"""Characters of a text that are kept, to be looked at."""

PREFIX = "probability_"


@dataclass(frozen=True, slots=True)
class Answers:
    """Labelled texts and what a classifier said to them.

    ``hashes`` tell texts apart; ``label_ids`` has shape ``(n,)``, ``probabilities``
    ``(n, n_labels)``.
    """

    labels: LabelSet
    rows: list[int]
    texts: list[str]
    hashes: list[str]
    label_ids: npt.NDArray[np.int64]
    probabilities: Probabilities
    task: Task = SINGLE_LABEL

    @classmethod
    def of(
        cls,
        examples: Sequence[Example],
        probabilities: Probabilities,
        labels: LabelSet,
        task: Task = SINGLE_LABEL,
    ) -> "Answers":
        """The answers to labelled examples."""
        return cls(
            labels=labels,
            rows=[example.row for example in examples],
            texts=[example.text[:EXCERPT] for example in examples],
            hashes=[hashlib.sha256(e.text.encode()).hexdigest() for e in examples],
            label_ids=task.targets(map(known_label, examples)),
            probabilities=probabilities,
            task=task,
        )

    def __len__(self) -> int:
        return len(self.rows)


def write_answers(parts: Mapping[str, Answers], path: Path) -> None:
    """Part -> its answers, to one file."""
    pq.write_table(
        pa.concat_tables(_table(part, answers) for part, answers in parts.items()),
        path,
        compression="zstd",
    )


def read_answers(path: Path, task: Task = SINGLE_LABEL) -> dict[str, Answers]:
    """The inverse of ``write_answers``; raises ``ArtifactFormatError`` on another file."""
    try:
        table = pq.read_table(path)
        names = [n.removeprefix(PREFIX) for n in table.column_names if n.startswith(PREFIX)]
        labels = LabelSet(tuple(names))
        parts = table.column("part").to_pylist()
        return {
            part: _answers(table.filter(pa.compute.equal(table["part"], part)), labels, task)
            for part in dict.fromkeys(parts)
        }
    except (pa.ArrowInvalid, KeyError, ValueError) as error:
        raise ArtifactFormatError(f"{path} holds no predictions of headtune: {error}.") from error


def _table(part: str, answers: Answers) -> pa.Table:
    probabilities = answers.probabilities.astype(np.float32)
    return pa.table(
        {
            "part": pa.array([part] * len(answers), pa.string()),
            "row": pa.array(answers.rows, pa.int64()),
            "text": pa.array(answers.texts, pa.string()),
            "sha256": pa.array(answers.hashes, pa.string()),
            "label": pa.array(answers.task.named(answers.label_ids, answers.labels), pa.string()),
            **{
                f"{PREFIX}{name}": pa.array(probabilities[:, index], pa.float32())
                for index, name in enumerate(answers.labels.names)
            },
        }
    )


def _answers(table: pa.Table, labels: LabelSet, task: Task) -> Answers:
    columns = [table.column(f"{PREFIX}{name}").to_numpy() for name in labels.names]
    return Answers(
        labels=labels,
        rows=table.column("row").to_pylist(),
        texts=table.column("text").to_pylist(),
        hashes=table.column("sha256").to_pylist(),
        label_ids=labels.encode(table.column("label").to_pylist()),
        probabilities=np.stack(columns, axis=1),
        task=task,
    )
