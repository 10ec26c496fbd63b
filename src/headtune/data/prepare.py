"""Stage 1 as a whole: any labelled table to three parts of examples, with an account of every row.

``prepare`` reads as the stage runs: read, find the columns, set aside what cannot be used, name
the labels, balance and split, and sum up. ``labelled_examples`` does the same for a table that a
finished classifier is tested on, ``prepare_texts`` for lists of Python.

Guarantees: rows used and rows set aside add up to rows read; the same source and options give the
same parts; unless the parts are given, no text is in two of them.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headtune.data.checks import check_any_usable, usable_rows
from headtune.data.columns import find_columns, find_text_column, refuse_several
from headtune.data.findings.columns import unnamed_labels
from headtune.data.findings.labels import label_findings, text_findings
from headtune.data.labels import (
    check_label_counts,
    check_label_values,
    label_name,
    label_set,
    typed_values,
)
from headtune.data.nested.fields import with_fields
from headtune.data.parts.parts import (
    PARTS,
    GivenParts,
    assign_parts,
    largest_group,
    read_given_parts,
)
from headtune.data.parts.split import parse_split
from headtune.data.reading.readers import read_parts
from headtune.data.repeats.groups import groups_together
from headtune.data.repeats.leaks import find_leaks
from headtune.data.repeats.repeats import find_repeats
from headtune.data.summary import summarize
from headtune.errors import DataError, LabelError, option
from headtune.options import DataConfig
from headtune.types import Example, LabelSet, PreparedData, SetAsideRow, known_label
from headtune.wording.text_lists import (
    HALF_PAIR,
    check_same_length,
    has_half_pair,
    label_list,
    shortened,
    text_list,
)

__all__ = ["labelled_examples", "prepare", "prepare_texts", "write_parts"]

Ints = npt.NDArray[np.int64]


def prepare(source: object, config: DataConfig) -> PreparedData:
    """A source (see ``read_table``) to labels and three parts. Raises ``DataError``."""
    given = read_given_parts(source, config)
    part_of_row = [part for part, usable in given.parts.items() for _ in usable.texts]
    texts = [text for usable in given.parts.values() for text in usable.texts]
    names = [name for usable in given.parts.values() for name in usable.labels]
    rows = np.concatenate([usable.rows for usable in given.parts.values()])
    labels = _checked_labels(given, names, rows, config)
    label_ids = labels.encode(names)
    repeats = find_repeats(texts)
    own, times = _of_all_rows(given, part_of_row)
    most_rows = largest_group(part_of_row, config, len(labels))
    groups = groups_together(texts, repeats, own, most_rows)
    parts = assign_parts(label_ids, groups, part_of_row, config, times)
    _check_all_learned(labels, label_ids, parts)
    train, validation, test = (
        tuple(Example(texts[i], int(label_ids[i]), int(rows[i])) for i in parts[part])
        for part in PARTS
    )
    prepared = PreparedData(labels, train, validation, test, given.set_aside)
    summary = summarize(source, given, prepared, label_ids, parts, config)
    summary["notes"] = _notes(summary["labels"], texts, given.label_type)
    summary["near_repeats"] = repeats.count("near") - repeats.count("exact")
    summary["leaks"] = find_leaks(texts, rows, repeats.near, parts)
    return replace(prepared, summary=summary)


def _notes(labels: Mapping[str, int], texts: Sequence[str], label_type: pa.DataType) -> list[str]:
    """What whoever trains on this should know, a sentence each."""
    unnamed = unnamed_labels(labels, label_type)
    found = (*label_findings(labels), *unnamed, *text_findings(texts))
    return [finding.sentence for finding in found]


def _of_all_rows(
    given: GivenParts, part_of_row: Sequence[str]
) -> tuple[Ints | None, npt.NDArray[np.float64] | None]:
    """The user's groups and the times, of training rows alone, as arrays over all rows.

    Rows of parts that are given are groups of their own, at time 0: they are not split.
    """
    train = np.array(part_of_row) == "train"
    own = times = None
    if given.groups is not None:
        own = np.arange(len(train)) + len(train)
        own[train] = given.groups
        own = np.unique(own, return_inverse=True)[1]
    if given.times is not None:
        times = np.zeros(len(train))
        times[train] = given.times
    return own, times


def _checked_labels(
    given: GivenParts, names: Sequence[str], rows: Ints, config: DataConfig
) -> LabelSet:
    """The label set, if the values are labels at all and each can be in every part."""
    check_label_values(names, given.columns.label or "", given.name)
    labels = label_set(names, typed_values(names, given.label_type))
    _, *others = parse_split(config.split)
    if given.given_by is None and any(others):
        check_label_counts(names, rows.tolist())
    return labels


def _check_all_learned(labels: LabelSet, label_ids: Ints, parts: dict[str, Ints]) -> None:
    missing = set(label_ids.tolist()) - set(label_ids[parts["train"]].tolist())
    if missing:
        names = ", ".join(labels.decode(sorted(missing)))
        raise LabelError(
            f"No row of the training part has label {names}, so it cannot be learned.",
            way_out="Add rows with it to the training data, or remove it from validation and test.",
        )


def prepare_texts(
    texts: Iterable[object], labels: Iterable[object], known: LabelSet | None = None
) -> tuple[LabelSet, list[Example]]:
    """Texts and their labels (lists, arrays, Series) to examples, numbered from row 1.

    ``known`` are the labels there may be; without it, those that there are, with the values they
    come with (of several that have one name, the first). Raises ``DataError`` on
    lengths that differ, and on a text or label that is missing or not known.
    """
    texts, values = text_list(texts), label_list(labels)
    check_same_length(texts, values)
    if not texts:
        raise DataError("Expected texts and their labels; received none.")
    names = [_named(value, i) for i, value in enumerate(values)]
    if known is None:
        check_label_values(names, "labels", "the data")
        known = label_set(names, dict(zip(reversed(names), reversed(values), strict=True)))
    label_ids = known.encode(names)
    examples = [
        Example(_checked_text(text, i), int(label), i + 1)
        for i, (text, label) in enumerate(zip(texts, label_ids, strict=True))
    ]
    return known, examples


def _named(value: object, position: int) -> str:
    name = label_name(value)
    if name is None:
        raise DataError(
            f"Label {position} (counted from 0) is missing: {value!r}.",
            row=position + 1,
            way_out="Leave out its text, or give it a label.",
        )
    _check_writable(name, "Label", position)
    return name


def _check_writable(text: str, what: str, position: int) -> None:
    if has_half_pair(text):
        raise DataError(
            f"{what} {position} (counted from 0) holds {HALF_PAIR}: {shortened(ascii(text))}.",
            row=position + 1,
            way_out="Mend it where it was cut in two, or leave it out.",
        )


def _checked_text(text: object, position: int) -> str:
    if not isinstance(text, str):
        raise DataError(
            f"Text {position} (counted from 0) is {type(text).__name__}, expected str: {text!r}.",
            row=position + 1,
        )
    if not text.strip():
        raise DataError(
            f"Text {position} (counted from 0) is empty: {text!r}.",
            row=position + 1,
            way_out="Leave it out.",
        )
    _check_writable(text, "Text", position)
    return str(text)


def labelled_examples(
    source: object,
    config: DataConfig,
    labels: LabelSet,
    trained_text_column: str | None,
    trained_label_column: str | None,
) -> tuple[tuple[Example, ...], tuple[SetAsideRow, ...]]:
    """A table to test a classifier on: its examples, and what was set aside.

    Of a data set with parts the test part is taken. Columns of training are tried first. Raises
    ``ColumnError`` and ``DataError``, and ``LabelError`` on a label the classifier does not know.
    """
    parts = read_parts(source, config)
    table = parts.get("test", parts["train"])
    label = config.label
    known = with_fields(table, [trained_label_column]).column_names
    if label is None and trained_label_column in known:
        label = trained_label_column
    text = find_text_column(table, config, trained_on=trained_text_column, not_text=label)
    known_text = config if text.text is None else replace(config, text=text.text)
    columns = find_columns(table, replace(known_text, label=label))
    refuse_several(table.name, columns, label)
    usable = usable_rows(table, columns, config)
    check_any_usable(usable, table.name)
    _check_known(usable.labels, usable.rows, labels)
    label_ids = labels.encode(usable.labels)
    examples = (
        Example(text, int(label_id), int(row))
        for text, label_id, row in zip(usable.texts, label_ids, usable.rows, strict=True)
    )
    return tuple(examples), usable.set_aside


def _check_known(names: Sequence[str], rows: Ints, labels: LabelSet) -> None:
    known = set(labels.names)
    unknown = dict.fromkeys(name for name in names if name not in known)
    if unknown:
        row = int(rows[names.index(next(iter(unknown)))])
        raise LabelError(
            f"The classifier does not know the label{'s' if len(unknown) > 1 else ''} "
            f"{', '.join(map(repr, list(unknown)[:5]))} (first in row {row:,}). "
            f"It knows: {', '.join(labels.names)}.",
            option="label",
            row=row,
            way_out=f"Check {option('label')}, or map the values first.",
        )


def write_parts(prepared: PreparedData, folder: Path) -> None:
    """train.csv, validation.csv and test.csv (columns text, label, row) in a folder.

    An empty part has no file. Rows are record numbers of the source.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if examples := prepared.parts[part]:
            with (folder / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
                writer.writerow(["text", "label", "row"])
                names = prepared.labels.names
                writer.writerows([e.text, names[known_label(e)], e.row] for e in examples)
