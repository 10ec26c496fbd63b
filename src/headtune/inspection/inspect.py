"""A table to everything that is odd about it.

    read, find the columns  ->  repeats  ->  each function of data/findings  ->  worst first

Nothing is split and nothing is trained. Parts that are given (a column, files, splits of a data
set) are looked at for copies of training rows.

Guarantees: every finding has a count and rows to look at; the same table gives the same findings.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headtune.data import find_repeats, label_set
from headtune.data.findings import (
    Finding,
    LabelledTexts,
    Lengths,
    ShownRow,
    alike_labels,
    column_findings,
    conflicts,
    constant_columns,
    cut_texts,
    giveaways,
    leaks,
    lengths_by_label,
    no_labels,
    no_texts,
    nothing_left,
    odd_characters,
    other_scripts,
    rare_labels,
    repeated,
    unnamed_labels,
)
from headtune.data.labels import check_label_values
from headtune.data.parts.parts import GivenParts, read_given_parts
from headtune.inspection.lengths import measure_lengths
from headtune.options import DataConfig
from headtune.types import LabelSet
from headtune.wording.numbers import count

__all__ = ["Inspection", "inspect_table"]

SEVERITIES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a table holds, and what is odd about it; ``findings`` begin with the worst."""

    source: str
    columns: str
    """How text and label were found, in words."""

    detected: tuple[str, ...]
    rows_read: int
    rows_used: int
    labels: dict[str, int]
    parts: dict[str, int]
    """Rows of each given part; "train" alone where none is given."""

    unit: str
    """Of the lengths: "tokens" or "words"."""

    model: str | None
    max_length: int | None
    lengths: tuple[Lengths, ...]
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: the findings, and the lengths of each label."""
        from headtune.inspection.page import inspection_fragment  # Jinja2: when it is shown

        return inspection_fragment(self)


def inspect_table(
    source: object, config: DataConfig, *, model: str | None = None, max_length: int | None = None
) -> Inspection:
    """Everything that is odd about a labelled table (see ``read_table``).

    Args:
        model: Whose tokens lengths are counted in; words without one.
        max_length: Count the texts that are longer, in the same unit.

    Raises:
        DataError: The table cannot be read, or its columns cannot be found.
        ModelError, TokenizationError: The model has no tokenizer to be found.
    """
    given = read_given_parts(source, config, only_looking=True)
    table = _table(given)
    if given.columns.several is None:
        check_label_values(table.labels, given.columns.label or "", given.name)
    labels = label_set(table.labels)
    lengths, unit = measure_lengths(table.texts, model, table.rows.tolist())
    counts = Counter(table.labels)
    return Inspection(
        source=str(source) if isinstance(source, str | Path) else type(source).__name__,
        columns=given.columns.explanation,
        detected=tuple(given.notes),
        rows_read=given.n_read,
        rows_used=len(table.texts),
        labels={name: counts[name] for name in labels.names},
        parts=dict(Counter(table.parts)),
        unit=unit,
        model=model,
        max_length=max_length,
        lengths=tuple(lengths_by_label(lengths, table.labels, labels.names, max_length)),
        findings=_worst_first(
            [
                *_findings(table, given, labels),
                *cut_texts(table, lengths, max_length, unit),
            ]
        ),
    )


def _table(given: GivenParts) -> LabelledTexts:
    usable = given.parts.values()
    return LabelledTexts(
        texts=[text for part in usable for text in part.texts],
        labels=[label for part in usable for label in part.labels],
        rows=np.concatenate([part.rows for part in usable]),
        parts=[name for name, part in given.parts.items() for _ in part.texts],
    )


def _findings(table: LabelledTexts, given: GivenParts, labels: LabelSet) -> list[Finding]:
    repeats = find_repeats(table.texts)
    train = given.parts["train"]
    others = given.other_columns
    train_ids = labels.encode(train.labels)
    return [
        *column_findings(given.columns, table),
        *_unusable(given),
        *leaks(table, repeats),
        *conflicts(table, repeats),
        *repeated(table, repeats),
        *alike_labels(table),
        *no_labels(table),
        *no_texts(table),
        *unnamed_labels(Counter(table.labels), given.label_type),
        *rare_labels(table),
        *giveaways(others, train_ids),
        *constant_columns(others),
        *odd_characters(table),
        *nothing_left(table),
        *other_scripts(table),
    ]


def _unusable(given: GivenParts) -> list[Finding]:
    """Rows that training would set aside."""
    if not given.set_aside:
        return []
    reasons = Counter(row.reason for row in given.set_aside).most_common(5)
    listed = ", ".join(f"{reason} {n:,}" for reason, n in reasons)
    return [
        Finding(
            kind="unusable_rows",
            severity="medium",
            count=len(given.set_aside),
            title=f"{count(len(given.set_aside), 'unusable row')}: {listed}",
            advice="Training sets them aside, in a file. Mend those that should count.",
            rows=tuple(ShownRow("", r.row, "", r.content[:200]) for r in given.set_aside[:6]),
        )
    ]


def _worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))
