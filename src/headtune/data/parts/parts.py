"""The parts of the data: those that are given, and those still to be cut.

Training, validation and test can come from files of their own, from a column, or from the splits
of a data set. What is given stays as it is; what is missing is cut from the training part by the
fractions of ``--split``: at random, with the user's groups (``--group-by``) together, or by time.
With a test file and 70/10/20, validation is 10 parts of 80.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headtune.data.checks import UsableRows, check_any_usable, refuse_if_strict, usable_rows
from headtune.data.columns import Columns, find_columns, refuse_several
from headtune.data.labels import label_counts, label_names
from headtune.data.nested.fields import root_of, with_fields, with_known_fields
from headtune.data.parts.balance import oversample, undersample
from headtune.data.parts.split import Fractions, parse_split, split, split_by_time
from headtune.data.parts.times import read_times
from headtune.data.reading.arrow.values import python_value
from headtune.data.reading.folders.lines import labels_beside
from headtune.data.reading.names import listed
from headtune.data.reading.part_names import PART_NAMES, PARTS
from headtune.data.reading.readers import read_parts, read_table
from headtune.data.reading.table import Table
from headtune.data.several_labels import as_one_label
from headtune.errors import ColumnError, SplitError, option
from headtune.options import DataConfig
from headtune.types import SetAsideRow

__all__ = ["PARTS", "GivenParts", "assign_parts", "largest_group", "read_given_parts"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class GivenParts:
    """Usable rows of every part that is given (``train`` at least), and what was set aside."""

    parts: Mapping[str, UsableRows]
    name: str
    """Of the training table, as errors call it: the file's, or "the data"."""

    columns: Columns
    set_aside: tuple[SetAsideRow, ...]
    n_read: int
    notes: tuple[str, ...]
    options: Mapping[str, str | int]
    """Of ``DataConfig``: how all files were read, as far as it is the same for all."""
    given_by: str | None
    """"column 'part'", "files", "splits of the data set", or None where nothing is given."""

    label_type: pa.DataType
    """Of the label column of the training table."""

    other_columns: pa.Table
    """Of the training rows: all columns but text, label and part, ``n_train`` rows."""

    groups: Ints | None = None
    """The user's group of each training row, ``(n_train,)``, numbers from 0 on."""

    times: npt.NDArray[np.float64] | None = None
    """The time of each training row, ``(n_train,)``, in any unit."""


def read_given_parts(
    source: object, config: DataConfig, *, only_looking: bool = False
) -> GivenParts:
    """Read all tables of a run. Raises ``DataError``, and ``SplitError`` when parts contradict.

    Several labels a text are refused, unless somebody is ``only_looking``.
    """
    tables = read_parts(source, config)
    given_by = _name_of_parts(source) if len(tables) > 1 else None
    files = {"validation": config.validation_file, "test": config.test_file}
    given_files = {part: path for part, path in files.items() if path is not None}
    _check_one_way(config, given_by, bool(given_files))
    columns = find_columns(tables["train"], config)
    if only_looking:
        tables = {part: as_one_label(table, columns.label) for part, table in tables.items()}
    else:
        refuse_several(tables["train"].name, columns, config.label)
    tables, notes = _with_labels(tables, columns, config)
    given_by = given_by if len(tables) > 1 else None
    for part, path in given_files.items():
        own = replace(config, label_file=labels_beside(path) if config.label_file else None)
        tables[part] = read_table(str(path), own.knowing(columns.text, columns.label))
        _check_same_columns(tables[part], columns)
    usable = {part: usable_rows(table, columns, config) for part, table in tables.items()}
    for part, table in tables.items():
        check_any_usable(usable[part], table.name)
    set_aside = _named_set_aside(usable, tables)
    n_read = sum(len(table) + len(table.set_aside) for table in tables.values())
    if config.split_column is not None:
        given_by = f"column {config.split_column!r}"
        usable, unassigned = _by_column(tables["train"], usable["train"], config.split_column)
        refuse_if_strict(unassigned, config, tables["train"].name)
        set_aside += unassigned
    groups = times = None
    if config.group_by is not None:
        groups = _own_groups(_column(tables["train"], config.group_by, "group_by"), usable)
    if config.split_by_time is not None:
        usable, times, timeless = _timed(tables["train"], usable, config.split_by_time)
        refuse_if_strict(timeless, config, tables["train"].name)
        set_aside += timeless
    return GivenParts(
        parts=usable,
        name=tables["train"].name,
        columns=columns,
        set_aside=set_aside,
        n_read=n_read,
        notes=(*tables["train"].notes, *notes, *_unused_words(tables, columns, config)),
        options=dict(set.intersection(*(set(table.options.items()) for table in tables.values()))),
        given_by="files" if given_files else given_by,
        label_type=_column(tables["train"], columns.label or "", "label").type,
        other_columns=_other_columns(tables["train"], usable["train"], columns, config),
        groups=groups,
        times=times,
    )


def _name_of_parts(source: object) -> str:
    is_folder = isinstance(source, str | Path) and Path(source).expanduser().is_dir()
    return "the parts of the folder" if is_folder else "the splits of the data set"


def _other_columns(
    table: Table, train: UsableRows, columns: Columns, config: DataConfig
) -> pa.Table:
    used = {columns.text, columns.label, config.split_column, *table.derived}
    roots = {root_of(table, name) for name in used if name is not None}
    others = [name for name in table.column_names if name not in used | roots]
    return table.columns.select(others).take(train.positions)


def _check_one_way(config: DataConfig, given_by: str | None, has_files: bool) -> None:
    if config.split_by_time is not None and config.group_by is not None:
        raise SplitError(
            f"{option('split_by_time')} puts old rows in training and new ones in test, "
            f"{option('group_by')} keeps rows together whatever their time.",
            option="group_by",
            way_out="Keep one of them.",
        )
    ways = [
        option("split_column") if config.split_column is not None else None,
        f"{option('validation_file')} or {option('test_file')}" if has_files else None,
        given_by,
    ]
    ways = [way for way in ways if way]
    if len(ways) > 1:
        raise SplitError(
            f"The parts are given twice, by {' and by '.join(map(str, ways))}.",
            way_out="Keep one of them; a single split of a hub data set is owner/name@train.",
        )


def _check_same_columns(table: Table, columns: Columns) -> None:
    known = with_fields(table, [columns.text, columns.label]).column_names
    for name in (columns.text, columns.label):
        if name is not None and name not in known:
            raise ColumnError(
                f"Column {name!r} is not in {table.name}. It has: {listed(table.column_names)}.",
                column=name,
                way_out="A file of its own for validation or test needs the columns of the "
                "training data.",
            )


def _with_labels(
    tables: Mapping[str, Table], columns: Columns, config: DataConfig
) -> tuple[dict[str, Table], tuple[str, ...]]:
    """The parts without those that have no label at all, such as a competition's test split."""
    kept: dict[str, Table] = {}
    notes: list[str] = []
    for part, table in tables.items():
        label = columns.label or ""
        wide = with_known_fields(table, [label])
        column = wide.columns[label] if label in wide.column_names else None
        if part != "train" and (column is None or not any(label_names(column, config.missing))):
            notes.append(f"{part} left out: it has no labels")
        else:
            kept[part] = table
    return kept, tuple(notes)


def _unused_words(
    tables: Mapping[str, Table], columns: Columns, config: DataConfig
) -> tuple[str, ...]:
    """A note where a word that was said to stand for no value is nowhere: it may be misspelled."""
    if columns.template is not None or not config.missing:
        return ()
    chosen = [name for name in (columns.text, columns.label) if name is not None]
    found = {
        value
        for table in tables.values()
        for name in chosen
        for value in label_counts(with_known_fields(table, chosen).columns[name])
    }
    nowhere = [word for word in config.missing if word not in found]
    if not nowhere:
        return ()
    return (f"no text or label is {' or '.join(map(repr, nowhere))}",)


def _named_set_aside(
    usable: Mapping[str, UsableRows], tables: Mapping[str, Table]
) -> tuple[SetAsideRow, ...]:
    """All of them; those of a further table say which."""
    return tuple(
        row
        if part == "train"
        else replace(row, reason=f"{row.reason} ({part}: {tables[part].name})")
        for part, rows in usable.items()
        for row in rows.set_aside
    )


def _by_column(
    table: Table, usable: UsableRows, column: str
) -> tuple[dict[str, UsableRows], tuple[SetAsideRow, ...]]:
    """The usable rows by the part that their split column says."""
    said = label_names(_column(table, column, "split_column"))
    parts = [PART_NAMES.get((said[i] or "").lower()) for i in usable.positions]
    unknown = {said[i] for i, part in zip(usable.positions, parts, strict=True) if part is None}
    if names := sorted(name for name in unknown if name):
        raise SplitError(
            f"Column {column!r} of {table.name} holds {', '.join(names[:5])}; expected train, "
            "validation (or valid, val, dev) or test.",
            option="split_column",
            column=column,
        )
    by_part = {
        part: _selected(usable, np.flatnonzero([p == part for p in parts]))
        for part in PARTS
        if part in parts
    }
    if "train" not in by_part:
        raise SplitError(
            f"Column {column!r} of {table.name} says train for no row.",
            option="split_column",
            column=column,
        )
    lost = [i for i, part in enumerate(parts) if part is None]
    reason = f"column {column!r} does not say the part"
    return by_part, tuple(SetAsideRow(int(usable.rows[i]), reason, usable.texts[i]) for i in lost)


def _column(table: Table, name: str, which: str) -> pa.ChunkedArray:
    """A column, or a field of one, that an option names. Raises ``ColumnError`` without it."""
    table = with_fields(table, [name])
    if name not in table.column_names:
        raise ColumnError(
            f"Column {name!r} is not in {table.name}. It has: {listed(table.column_names)}.",
            option=which,
            column=name,
            way_out=f"Name one of them with {option(which)}.",
        )
    return table.columns[name]


def _own_groups(column: pa.ChunkedArray, usable: Mapping[str, UsableRows]) -> Ints:
    """A number for each training row; a row without a value is a group of its own."""
    names = label_names(column)
    numbers: dict[object, int] = {}
    groups = [numbers.setdefault(names[i] or (i,), len(numbers)) for i in usable["train"].positions]
    return np.array(groups, dtype=np.int64)


def _timed(
    table: Table, usable: Mapping[str, UsableRows], name: str
) -> tuple[dict[str, UsableRows], npt.NDArray[np.float64], tuple[SetAsideRow, ...]]:
    """The training rows whose time can be read, their times, and the rows set aside for it."""
    column, train = _column(table, name, "split_by_time"), usable["train"]
    times = read_times(column, name)[train.positions]
    timed = np.isfinite(times)
    lost = tuple(
        SetAsideRow(
            int(train.rows[i]),
            f"column {name!r} has no time that can be read",
            repr(python_value(column[int(train.positions[i])])),
        )
        for i in np.flatnonzero(~timed)
    )
    return {**usable, "train": _selected(train, np.flatnonzero(timed))}, times[timed], lost


def _selected(usable: UsableRows, indices: Ints) -> UsableRows:
    return replace(
        usable,
        texts=[usable.texts[i] for i in indices],
        labels=[usable.labels[i] for i in indices],
        rows=usable.rows[indices],
        positions=usable.positions[indices],
        set_aside=(),
    )


def largest_group(part_of_row: Sequence[str], config: DataConfig, n_labels: int) -> float:
    """Rows that near repeats may have and stay together; see ``groups_together``.

    Half of what the smallest part that is cut from the training rows holds of a label, on average.
    """
    fractions = _remaining(parse_split(config.split), set(part_of_row))
    smallest = min(f for f in fractions if f > 0) * list(part_of_row).count("train")
    return smallest / n_labels / 2


def assign_parts(
    label_ids: Ints,
    groups: Ints,
    part_of_row: Sequence[str],
    config: DataConfig,
    times: npt.NDArray[np.float64] | None = None,
) -> dict[str, Ints]:
    """Indices of the rows of each part, balanced as asked. ``label_ids``, ``groups``: ``(n,)``.

    ``part_of_row`` is the given part of each row, or "train" for all where none is given; with
    ``times``, ``(n,)``, the training rows are cut by these, and ``groups`` play no role.
    Undersampling and oversampling leave given validation and test parts as they are.
    Raises ``SplitError`` when a part that was asked for would be empty.
    """
    given = np.array(part_of_row)
    parts = {part: np.flatnonzero(given == part) for part in PARTS}
    fractions = _remaining(parse_split(config.split), set(part_of_row))
    pool = parts["train"]
    if config.balance == "undersample":
        pool = pool[undersample(label_ids[pool], config.split_seed)]
    if times is None:
        cut = split(label_ids[pool], groups[pool], fractions, config.split_seed)
    else:
        cut = split_by_time(times[pool], fractions)
    for part, fraction, chosen in zip(PARTS, fractions, cut, strict=True):
        if fraction > 0:
            parts[part] = pool[chosen]
            _check_not_empty(part, parts[part], len(pool), config)
    if config.balance == "oversample":
        train = parts["train"]
        parts["train"] = train[oversample(label_ids[train], config.split_seed)]
    return parts


def _remaining(fractions: Fractions, given: set[str]) -> Fractions:
    """The fractions that the training rows are cut into, given parts left out."""
    train, *others = fractions
    validation, test = (
        0.0 if part in given else f for part, f in zip(PARTS[1:], others, strict=True)
    )
    total = train + validation + test
    return (train / total, validation / total, test / total)


def _check_not_empty(part: str, rows: Ints, n_rows: int, config: DataConfig) -> None:
    asked = option("split", config.split)
    if len(rows) == 0 and (column := config.split_by_time or config.group_by) is not None:
        raise SplitError(
            f"With rows of one {column!r} together, the {part} part of {asked} "
            f"would be empty: too few distinct values in {n_rows:,} rows.",
            option="split",
            column=column,
            way_out="Ask for fewer parts (80/20), or split by another column.",
        )
    if len(rows) == 0:
        raise SplitError(
            f"{n_rows:,} rows are too few for {asked}: the {part} part would be empty.",
            option="split",
            way_out="Give more rows, or ask for fewer parts: 80/20 or 100/0/0.",
        )
