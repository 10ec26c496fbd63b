"""Which rows can be used: those with a text and, for training, a label.

A row that cannot be used is set aside under its record number, with the reason and what it held;
with ``strict`` the first one ends the run instead. Nothing is dropped unsaid: rows used and rows
set aside add up to rows read.

Also tells which rows have the same text, whatever the whitespace around it: they stay together in
the split, and those with different labels are counted.
"""

import csv
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headtune.data.columns import Columns
from headtune.data.labels import label_names
from headtune.data.nested.fields import with_known_fields
from headtune.data.reading.arrow.values import python_value, python_values
from headtune.data.reading.table import Table, holds_strings
from headtune.errors import DataError, option
from headtune.files.plain_json import to_json
from headtune.options import DataConfig
from headtune.types import SetAsideRow
from headtune.wording.missing import is_missing
from headtune.wording.numbers import count
from headtune.wording.templates import Template
from headtune.wording.text_lists import shortened

__all__ = [
    "UsableRows",
    "check_any_usable",
    "count_conflicting",
    "refuse_if_strict",
    "set_aside_sentence",
    "text_groups",
    "usable_rows",
    "write_set_aside",
]


@dataclass(frozen=True, slots=True)
class UsableRows:
    """The rows that can be used, and those set aside, both in the order of the table.

    ``positions`` are indices into the table, ``rows`` record numbers, both of shape ``(n,)``;
    ``labels`` are label names, empty where no label column was asked for.
    """

    texts: list[str]
    labels: list[str]
    rows: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    set_aside: tuple[SetAsideRow, ...]


def usable_rows(table: Table, columns: Columns, config: DataConfig) -> UsableRows:
    """Texts (and labels) of a table, without the rows that lack one.

    Raises ``DataError`` on the first such row with ``config.strict``.
    """
    missing = frozenset(config.missing)
    wide = with_known_fields(table, [*_text_columns(columns), columns.label])
    texts, reasons = _texts(wide, columns, missing)
    _mark_not_utf8(table, _text_columns(columns), "the text", reasons)
    labels: list[str | None] = []
    if columns.label is not None:
        labels = label_names(wide.columns[columns.label], missing)
        _mark_not_utf8(table, [columns.label], "the label", reasons)
        reasons = [
            reason or ("the label is missing" if label is None else None)
            for reason, label in zip(reasons, labels, strict=True)
        ]
    set_aside = tuple(sorted([*table.set_aside, *_described(table, reasons)], key=_row))
    refuse_if_strict(set_aside, config, table.name)
    positions = np.flatnonzero([reason is None for reason in reasons])
    return UsableRows(
        texts=[texts[i] or "" for i in positions],
        labels=[labels[i] or "" for i in positions] if labels else [],
        rows=table.rows[positions],
        positions=positions,
        set_aside=set_aside,
    )


def check_any_usable(usable: UsableRows, name: str) -> None:
    """Raises ``DataError`` when all rows of a table were set aside."""
    if not usable.texts:
        first = usable.set_aside[0]
        raise DataError(
            f"None of the {len(usable.set_aside):,} rows of {name} can be used; row {first.row:,}: "
            f"{first.reason} ({first.content[:80]!r}).",
            row=first.row,
            way_out=f"Check {option('text')} and {option('label')}.",
        )


def refuse_if_strict(set_aside: Sequence[SetAsideRow], config: DataConfig, name: str) -> None:
    """Raises ``DataError`` on the first row set aside, if ``config.strict``."""
    if config.strict and set_aside:
        first = set_aside[0]
        raise DataError(
            f"Row {first.row:,} of {name} cannot be used: {first.reason} ({first.content[:80]!r}).",
            option="strict",
            row=first.row,
            way_out=f"Mend or remove it, or leave out {option('strict', True)} to set such rows "
            "aside.",
        )


def set_aside_sentence(n_rows: int, first: SetAsideRow) -> str:
    """How many rows were set aside, and which was the first, and why."""
    are = "cannot be used and is" if n_rows == 1 else "cannot be used and are"
    which = "it is" if n_rows == 1 else "the first is"
    return f"{count(n_rows, 'row')} {are} set aside; {which} row {first.row:,}: {first.reason}."


def _row(row: SetAsideRow) -> int:
    return row.row


def _texts(
    table: Table, columns: Columns, missing: Collection[str]
) -> tuple[list[str | None], list[str | None]]:
    """The text of each row, and why it cannot be used (None if it can)."""
    if columns.template is not None:
        texts = _joined(table, columns.template, missing)
        return texts, [None if text is not None else "the text is empty" for text in texts]
    name = columns.text or ""
    texts = python_values(table.columns[name])
    if not holds_strings(table, name):  # in this table or chunk; other tables of the run may
        missing = "the text is missing"
        return texts, [missing if t is None else "the text is not a string" for t in texts]
    if missing:
        texts = [None if is_missing(text, missing) else text for text in texts]
    reasons = [None if text and not text.isspace() else _why_no_text(text) for text in texts]
    if odd := table.not_strings.get(name):
        for i, row in enumerate(table.rows.tolist()):
            if row in odd:
                reasons[i] = "the text is not a string"
    return texts, reasons


def _why_no_text(text: str | None) -> str:
    return "the text is missing" if text is None else "the text is empty"


def _joined(table: Table, written: str, missing: Collection[str]) -> list[str | None]:
    """The columns of each row joined by a template, missing values empty; None if all are."""
    template = Template.parse(written)
    columns = [python_values(table.columns[name]) for name in template.fields]
    rows = zip(*columns, strict=True)
    return [template.join(dict(zip(template.fields, row, strict=True)), missing) for row in rows]


def _text_columns(columns: Columns) -> list[str]:
    if columns.template is None:
        return [columns.text or ""]
    return Template.parse(columns.template).fields


def _mark_not_utf8(
    table: Table, names: Sequence[str], what: str, reasons: list[str | None]
) -> None:
    """Give rows whose bytes in these columns are no text a reason, where they have none yet."""
    broken = frozenset[int]().union(*(table.not_utf8.get(name, ()) for name in names))
    if not broken:
        return
    for i, row in enumerate(table.rows.tolist()):
        if row in broken:
            reasons[i] = reasons[i] or f"{what} holds bytes that are not UTF-8"


def _described(table: Table, reasons: Sequence[str | None]) -> list[SetAsideRow]:
    rows: list[SetAsideRow] = []
    for i, reason in enumerate(reasons):
        if reason is not None:
            content = to_json(_record(table, i))
            rows.append(SetAsideRow(int(table.rows[i]), reason, shortened(content)))
    return rows


def _record(table: Table, position: int) -> dict[str, object]:
    columns = zip(table.column_names, table.columns.columns, strict=True)
    return {name: python_value(column[position]) for name, column in columns}


def write_set_aside(rows: Iterable[SetAsideRow], path: Path) -> None:
    """A CSV with the columns row, reason and content, for the user to mend."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow(["row", "reason", "content"])
        writer.writerows([row.row, row.reason, row.content] for row in rows)


def text_groups(texts: Iterable[str]) -> npt.NDArray[np.int64]:
    """A number for each text, shape ``(n,)``; the same text has the same number."""
    numbers: dict[str, int] = {}
    groups = [numbers.setdefault(text.strip(), len(numbers)) for text in texts]
    return np.array(groups, dtype=np.int64)


def count_conflicting(groups: npt.NDArray[np.int64], values: npt.NDArray[np.int64]) -> int:
    """Texts that have more than one value: labels, or parts. Both of shape ``(n,)``."""
    pairs = np.unique(np.stack([groups, values]), axis=1)
    _, counts = np.unique(pairs[0], return_counts=True)
    return int((counts > 1).sum())
