"""A table through a classifier: columns kept, label and probabilities added, memory bounded.

The table is read, classified and written chunk by chunk (10,000 rows), so a file of ten million
rows needs no more memory than two chunks: while the model works on one, a thread reads the next and
makes token ids of it. A row without a text keeps its place, with empty predictions, and is counted;
a record that cannot be read has no place, and is counted, too; with ``strict`` the first of either
ends the work. ``writers.py`` says where the result goes, and what is left of work that was
interrupted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, TypeVar

import numpy as np
import pyarrow as pa

from headtune.data import (
    Columns,
    UsableRows,
    find_text_column,
    iter_tables,
    set_aside_sentence,
    usable_rows,
)
from headtune.data.reading.table import Table
from headtune.errors import DataError
from headtune.options import DataConfig
from headtune.predict.predictor import Predictor
from headtune.predict.writers import Writer, open_writer, standard_output
from headtune.progress import Progress, SilentProgress
from headtune.types import SetAside, SetAsideRow, TokenizedExample

__all__ = ["TableCounts", "predict_file"]

T = TypeVar("T")


class TableCounts(TypedDict):
    """What became of a table: rows of the result, those of them without a prediction, records that
    could not be read, and how many rows got each label."""

    rows: int
    unusable_rows: int
    set_aside: SetAside
    labels: dict[str, int]


def predict_file(
    predictor: Predictor,
    source: object,
    *,
    out: Path | None = None,
    as_json: bool = False,
    safe_csv: bool = False,
    data: DataConfig | None = None,
    progress: Progress | None = None,
) -> TableCounts:
    """Classify every row of a table.

    Args:
        source: Anything ``data.read_table`` reads.
        out: CSV, TSV, JSONL or Parquet by its ending; None writes to standard output.
        as_json: Write JSON Lines to standard output, instead of CSV.
        safe_csv: In CSV and TSV, an apostrophe before cells that a spreadsheet would take for
            formulas; see ``writers.py``.
        data: How to read the source; ``text`` or ``template`` name the text.

    Returns:
        ``rows`` of the result, ``unusable_rows`` among them, ``set_aside`` (records that could not
        be read: ``count`` and ``by_reason``), and ``labels``, the number of rows of each.

    Raises:
        DataError: The table cannot be read, has no text column, or with ``data.strict`` a row
            without a text.
        PredictionError: ``out`` cannot be written, or not in this format; ``safe_csv`` without
            CSV or TSV.
    """
    data, progress = predictor.reading(data or DataConfig()), progress or SilentProgress()
    progress.stage("Classifying")
    progress.start(0, "rows")
    counts = _Counts.of(predictor)
    names: list[str] = []
    target: AbstractContextManager[Writer]
    if out is None:
        target = nullcontext(standard_output(progress, as_json=as_json, safe_csv=safe_csv))
    else:
        target = open_writer(out, progress, safe_csv=safe_csv)
    with target as writer:
        for chunk in _ahead(_chunks(predictor, source, data, counts)):
            if not names:
                if chunk.table.notes:
                    progress.say(f"Read as: {'; '.join(chunk.table.notes)}.")
                progress.say(chunk.text.explanation)
                names = _new_names(predictor, chunk.table)
            result = _predict_chunk(predictor, chunk, names, progress)
            writer.write(result)
            counts.add(result.column(names[0]).to_pylist())
    progress.finish()
    counts.say(progress)
    return counts.to_dict()


@dataclass(slots=True)
class _Counts:
    """Rows by their answer, those without one, and records that could not be read at all."""

    labels: dict[str, int]
    rows: int = 0
    unusable: int = 0
    unread: Counter[str] = field(default_factory=Counter)
    first_unread: SetAsideRow | None = None

    @classmethod
    def of(cls, predictor: Predictor) -> "_Counts":
        words = predictor.task.possible_answers(predictor.labels, predictor.rule)
        return cls(dict.fromkeys(words, 0))

    def add(self, labels: Sequence[str | None]) -> None:
        for label in filter(None, labels):
            self.labels[label] += 1
        self.rows += len(labels)
        self.unusable += labels.count(None)

    def add_unread(self, rows: Sequence[SetAsideRow]) -> None:
        self.first_unread = self.first_unread or next(iter(rows), None)
        self.unread.update(row.reason for row in rows)

    def say(self, progress: Progress) -> None:
        if self.unusable:
            progress.say(f"Rows without a text, and so without a prediction: {self.unusable:,}.")
        if self.first_unread is not None:
            progress.say(set_aside_sentence(self.unread.total(), self.first_unread))

    def to_dict(self) -> TableCounts:
        set_aside: SetAside = {
            "count": self.unread.total(),
            "by_reason": dict(self.unread.most_common()),
        }
        return {
            "rows": self.rows,
            "unusable_rows": self.unusable,
            "set_aside": set_aside,
            "labels": self.labels,
        }


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Rows of a table, where their text is, and the usable ones as token ids."""

    table: Table
    text: Columns
    usable: UsableRows
    examples: list[TokenizedExample]


def _chunks(
    predictor: Predictor, source: object, data: DataConfig, counts: _Counts
) -> Iterator[_Chunk]:
    """The text is where the first chunk has it: a later one may look different."""
    text: Columns | None = None
    for table in iter_tables(source, data):
        counts.add_unread(table.set_aside)
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


def _predict_chunk(
    predictor: Predictor, chunk: _Chunk, names: Sequence[str], progress: Progress
) -> pa.Table:
    """The columns of the chunk's table, then label, set and probabilities, by ``names``."""
    table, positions = chunk.table, chunk.usable.positions
    if late := set(names) & set(table.column_names):
        raise DataError(
            f"Column {min(late)!r} of {table.name} appears first near row {table.rows[0]:,}, when "
            "predictions have that name already.",
            row=int(table.rows[0]),
            column=min(late),
            way_out="Rename it.",
        )
    probabilities = np.full((len(table), len(predictor.labels)), np.nan)
    labels = np.full(len(table), None, dtype=object)
    sets = np.full(len(table), None, dtype=object)
    if chunk.examples:
        found = predictor.probabilities(chunk.examples, progress)
        labels[positions] = predictor.task.named(predictor.decide(found), predictor.labels)
        probabilities[positions] = found
        if predictor.set_rule is not None:
            named = predictor.named_sets(predictor.sets(found, chunk.examples))
            sets[positions] = np.fromiter(named, dtype=object, count=len(named))
    first, *others = names
    result = table.columns.append_column(first, pa.array(labels, pa.string()))
    if predictor.set_rule is not None:
        name, *others = others
        result = result.append_column(name, pa.array(sets, pa.list_(pa.string())))
    for name, column in zip(others, probabilities.T, strict=True):
        result = result.append_column(name, pa.array(column, pa.float64(), from_pandas=True))
    return result


def _text_of(predictor: Predictor, table: Table, data: DataConfig) -> Columns:
    label = predictor.label_column
    return find_text_column(
        table,
        data,
        trained_on=predictor.text_column,
        not_text=label if label in table.column_names else None,
    )


def _new_names(predictor: Predictor, table: Table) -> list[str]:
    """``predicted_label``, ``label_set`` where there are sets, ``probability_<label>`` each; a
    number behind all if one is taken."""
    sets = [] if predictor.set_rule is None else ["label_set"]
    names = ["predicted_label", *sets, *(f"probability_{n}" for n in predictor.labels.names)]
    taken = set(table.column_names)
    number = 1
    while taken & set(names):
        number += 1
        names = [f"{name.removesuffix(f'#{number - 1}')}#{number}" for name in names]
    return names
