"""What the columns of a table say against the way it is read: several labels a text, other columns
that could be the label as well, labels that are numbers whose names are lost.

``several_labels`` looks at label names alone where it gets no more, for whoever trains on them.
"""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from headtune.data.columns import Columns
from headtune.data.findings.finding import Finding, LabelledTexts
from headtune.data.reading.names import listed
from headtune.data.several_labels import (
    LabelColumns,
    LabelsInCells,
    SeveralLabels,
    labels_in_cells,
)
from headtune.wording.numbers import count

__all__ = ["column_findings", "several_labels", "unnamed_labels"]


def several_labels(counts: Mapping[str, int]) -> list[Finding]:
    """One finding where the labels look joined: label -> how many rows have it."""
    several = labels_in_cells(counts)
    return [] if several is None else [_several(several, "")]


def column_findings(columns: Columns, table: LabelledTexts) -> list[Finding]:
    """Several labels a text, or other columns with the values of the label."""
    several = columns.several
    if isinstance(several, LabelsInCells):
        like = (i for i, label in enumerate(table.labels) if label == several.example)
        return [replace(_several(several, columns.label or ""), rows=table.shown(like))]
    if several is not None:
        return [_several(several, columns.label or "")]
    if not columns.alike:
        return []
    n = len(columns.alike)
    others = f"{count(n, 'other column')} with the same values {'is' if n == 1 else 'are'} not"
    return [
        Finding(
            kind="other_label_columns",
            severity="medium",
            count=n,
            title=f"Column {columns.label!r} is taken for the label, and {others}: "
            f"{listed(columns.alike[:10])}" + (", …" if n > 10 else ""),
            advice="If another one is meant, name it with the option label.",
        )
    ]


def unnamed_labels(counts: Mapping[str, int], kind: pa.DataType) -> list[Finding]:
    """Labels 0, 1, … of a column of whole numbers, whose names may be lost; ``kind``: its type."""
    if not pa.types.is_integer(kind) or set(counts) != set(map(str, range(len(counts)))):
        return []
    return [
        Finding(
            kind="unnamed_labels",
            severity="low",
            count=len(counts),
            title=f"The labels are the numbers 0 to {len(counts) - 1}, and the table has no names "
            "for them",
            advice="Answers will be these numbers. If they stand for something (0 = ham), write "
            "the names into the label column.",
        )
    ]


def _several(several: SeveralLabels, column: str) -> Finding:
    if isinstance(several, LabelColumns):
        advice = (
            "A classifier learns one label a text. Name the column to learn with the option label."
        )
        n = len(several.columns)
    else:
        advice = (
            "A classifier learns one label a text: each combination would be a label of its own. "
            "Keep the label that matters in each row, or write a table for each label."
        )
        n = several.n_several
    return Finding("several_labels", "high", n, _upper(several.said(column)), advice)


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]
