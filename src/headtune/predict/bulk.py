"""A table through a classifier: columns kept, label and probabilities added, memory bounded.

The table is read, classified and written chunk by chunk (10,000 rows), so a file of ten million
rows needs no more memory than two chunks: while the model works on one, a thread reads the next and
makes token ids of it. A row without a text keeps its place, with empty predictions, and is counted;
a record that cannot be read has no place, and is counted, too; with ``strict`` the first of either
ends the work. ``writers.py`` says where the result goes, and what is left of work that was
interrupted.

Costs: as the model; reading and writing take 30 ms for 1,000 rows.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headtune.config import DataConfig
from headtune.data import (
    Columns,
    UsableRows,
    find_text_column,
    iter_tables,
    labelled_examples,
    set_aside_sentence,
    usable_rows,
)
from headtune.data.table import Table
from headtune.decision import UNSURE, answer_metrics
from headtune.errors import DataError
from headtune.metrics import Metrics, classification_metrics
from headtune.predict.predictor import Predictor
from headtune.predict.writers import open_writer, standard_output
from headtune.progress import Progress, SilentProgress
from headtune.types import Example, SetAsideRow, TokenizedExample

__all__ = ["answer_file", "evaluate_file", "evaluate_in_int8", "predict_file", "predict_table"]

T = TypeVar("T")


def predict_file(
    predictor: Predictor,
    source: object,
    *,
    out: Path | None = None,
    as_json: bool = False,
    data: DataConfig | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Classify every row of a table.

    Args:
        source: Anything ``data.read_table`` reads.
        out: CSV, TSV, JSONL or Parquet by its ending; None writes to standard output.
        as_json: Write JSON Lines to standard output, instead of CSV.
        data: How to read the source; ``text`` or ``template`` name the text.

    Returns:
        ``rows`` of the result, ``unusable_rows`` among them, ``set_aside`` (records that could not
        be read: ``count`` and ``by_reason``), and ``labels``, the number of rows of each.

    Raises:
        DataError: The table cannot be read, has no text column, or with ``data.strict`` a row
            without a text.
        PredictionError: ``out`` cannot be written, or not in this format.
    """
    data, progress = _as_trained(predictor, data or DataConfig()), progress or SilentProgress()
    progress.stage("Classifying")
    progress.start(0, "rows")
    counts = dict.fromkeys(predictor.labels.names, 0)
    if predictor.rule.abstains(predictor.labels):
        counts[UNSURE] = 0
    n_rows = n_unusable = 0
    unread = _Unread()
    names: list[str] = []
    stdout = nullcontext(standard_output(progress, as_json=as_json))
    with stdout if out is None else open_writer(out, progress) as writer:
        for chunk in _ahead(_chunks(predictor, source, data, unread)):
            if n_rows == 0:
                progress.say(chunk.text.explanation)
                names = _new_names(predictor, chunk.table)
            result = _predict_chunk(predictor, chunk, names, progress)
            writer.write(result)
            labels = result.column(names[0]).to_pylist()
            for label in filter(None, labels):
                counts[label] += 1
            n_rows += len(labels)
            n_unusable += labels.count(None)
    progress.finish()
    if n_unusable:
        progress.say(f"Rows without a text, and so without a prediction: {n_unusable:,}.")
    if unread.first is not None:
        progress.say(set_aside_sentence(unread.count, unread.first))
    return {
        "rows": n_rows,
        "unusable_rows": n_unusable,
        "set_aside": {"count": unread.count, "by_reason": dict(unread.by_reason.most_common())},
        "labels": counts,
    }


@dataclass(slots=True)
class _Unread:
    """Records that could not be read: how many, why, and the first."""

    first: SetAsideRow | None = None
    by_reason: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.by_reason.total()

    def add(self, rows: Sequence[SetAsideRow]) -> None:
        self.first = self.first or next(iter(rows), None)
        self.by_reason.update(row.reason for row in rows)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Rows of a table, where their text is, and the usable ones as token ids."""

    table: Table
    text: Columns
    usable: UsableRows
    examples: list[TokenizedExample]


def _chunks(
    predictor: Predictor, source: object, data: DataConfig, unread: _Unread
) -> Iterator[_Chunk]:
    """The text is where the first chunk has it: a later one may look different."""
    text: Columns | None = None
    for table in iter_tables(source, data):
        unread.add(table.set_aside)
        if len(table):
            text = text or _text_of(predictor, table, data)
            yield _chunk(predictor, table, text, data)


def _chunk(predictor: Predictor, table: Table, text: Columns, data: DataConfig) -> _Chunk:
    usable = usable_rows(table, text, data)
    return _Chunk(table, text, usable, predictor.encode(usable.texts))


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, each made by a thread while the caller works on the one before.

    What making one raises is raised when its turn comes.
    """
    end = object()
    with ThreadPoolExecutor(1, "headtune-read") as pool:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]


def predict_table(
    predictor: Predictor, table: Table, data: DataConfig, progress: Progress
) -> pa.Table:
    """The columns of ``table``, then ``predicted_label`` and ``probability_<label>`` each.

    A name that the table has already gets a number behind it. Raises ``DataError`` on a row
    without a text with ``data.strict``.
    """
    text = _text_of(predictor, table, data)
    chunk = _chunk(predictor, table, text, data)
    return _predict_chunk(predictor, chunk, _new_names(predictor, table), progress)


def _predict_chunk(
    predictor: Predictor, chunk: _Chunk, names: Sequence[str], progress: Progress
) -> pa.Table:
    table, positions = chunk.table, chunk.usable.positions
    if late := set(names) & set(table.column_names):
        raise DataError(
            f"Column {min(late)!r} of {table.name} appears first near row {table.rows[0]:,}, when "
            "predictions have that name already. Rename it."
        )
    probabilities = np.full((len(table), len(predictor.labels)), np.nan)
    labels = np.full(len(table), None, dtype=object)
    if chunk.examples:
        found = predictor.probabilities(chunk.examples, progress)
        decided = predictor.rule.decide(found, predictor.labels)
        labels[positions] = np.array([*predictor.labels.names, UNSURE], object)[decided]
        probabilities[positions] = found
    first, *others = names
    result = table.columns.append_column(first, pa.array(labels, pa.string()))
    for name, column in zip(others, probabilities.T, strict=True):
        result = result.append_column(name, pa.array(column, pa.float64(), from_pandas=True))
    return result


def evaluate_file(
    predictor: Predictor,
    source: object,
    *,
    data: DataConfig | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """Metrics of a classifier on a labelled table (keys of ``classification_metrics``).

    ``set_aside`` counts the rows that could not be used; ``answers`` says how the answers do where
    thresholds or "unsure" make them differ from the most probable label. Raises ``DataError``.
    """
    examples, set_aside, probabilities = answer_file(predictor, source, data, progress)
    ids = np.array([example.label for example in examples], dtype=np.int64)
    metrics = classification_metrics(probabilities, ids, predictor.labels)
    if not predictor.rule.is_plain:
        metrics["answers"] = answer_metrics(predictor.rule, probabilities, ids, predictor.labels)
    return {**metrics, "set_aside": len(set_aside)}


def answer_file(
    predictor: Predictor,
    source: object,
    data: DataConfig | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[Example, ...], tuple[SetAsideRow, ...], npt.NDArray[np.float64]]:
    """The usable rows of a labelled table, the others, and probabilities ``(n, n_labels)``."""
    data, progress = _as_trained(predictor, data or DataConfig()), progress or SilentProgress()
    progress.stage("Reading")
    examples, set_aside = labelled_examples(
        source, data, predictor.labels, predictor.text_column, predictor.label_column
    )
    if set_aside:
        progress.say(set_aside_sentence(len(set_aside), set_aside[0]))
    progress.stage("Classifying")
    progress.start(len(examples), "examples")
    texts = [example.text for example in examples]
    probabilities = predictor.predict_proba(texts, progress)
    progress.finish()
    return examples, set_aside, probabilities


def evaluate_in_int8(
    predictor: Predictor,
    source: object,
    *,
    data: DataConfig | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """``evaluate_file`` in 8-bit integers, and what they cost: the table is classified twice.

    The metrics are those of int8, with ``plain``, the metrics without it. The classifier is
    quantized in place. Raises ``ModelError`` where that cannot be done.
    """
    progress = progress or SilentProgress()
    found = [
        evaluate_file(each, source, data=data, progress=progress)
        for each in _plain_and_quantized(predictor, progress)
    ]
    plain, quantized = found
    progress.say(
        f"Accuracy {plain['accuracy']:.2%} without int8, {quantized['accuracy']:.2%} with it, on "
        f"{quantized['n']:,} rows."
    )
    return {**quantized, "plain": plain}


def _plain_and_quantized(predictor: Predictor, progress: Progress) -> Iterator[Predictor]:
    yield predictor
    quantized = predictor.in_int8()
    progress.say(quantized.note)
    yield quantized


def _as_trained(predictor: Predictor, data: DataConfig) -> DataConfig:
    """The template of training, unless the user says where the text is."""
    if predictor.template is not None and data.text is None and data.template is None:
        return replace(data, template=predictor.template)
    return data


def _text_of(predictor: Predictor, table: Table, data: DataConfig) -> Columns:
    label = predictor.label_column
    return find_text_column(
        table,
        data,
        trained_on=predictor.text_column,
        not_text=label if label in table.column_names else None,
    )


def _new_names(predictor: Predictor, table: Table) -> list[str]:
    names = ["predicted_label", *(f"probability_{name}" for name in predictor.labels.names)]
    taken = set(table.column_names)
    number = 1
    while taken & set(names):
        number += 1
        names = [f"{name.removesuffix(f'#{number - 1}')}#{number}" for name in names]
    return names
