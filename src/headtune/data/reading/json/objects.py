"""The forms in which one JSON object holds a table, from what its keys and values look like.

    {"text": […], "label": […]}                  columns; pandas writes {"text": {"0": …}, …}
    {"columns": ["text", "label"], "data": [[…], …]}   rows, and their names beside them
    {"17": {"text": …}, "18": {"text": …}}       records by their key, which is kept as ``key``
    {"a text": "ham", "another": "spam"}         labels by text
    {"ham": ["a text", …], "spam": […]}          texts by label; or records by label

Guarantees: names that columns usually have decide for columns; else the content decides, and a note
says how. What is none of these is None here, for shapes.py to look below the keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from headtune.data.reading.json.arrays import are_worded, is_known, reads_like_texts
from headtune.data.reading.names import LABEL_NAMES, listed
from headtune.data.reading.part_names import PART_NAMES

__all__ = ["Object", "Rows", "are_columns", "columns_of", "has_records", "rows_of_object"]

Object: TypeAlias = Mapping[str, object]

NAMES_BESIDE = ("columns", "header", "headers", "fields", "names", "column_names")

LABELS = {name for group in LABEL_NAMES for name in group}

NO_LABELS = {
    *PART_NAMES, "premise", "hypothesis", "context", "answer", "answers", "sentence1", "sentence2"
}  # fmt: skip
"""Keys of lists of texts that are parts or columns, not labels."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as they were found: records or arrays in ``values``, or ``columns`` in place of them.

    ``names`` stand beside rows that are arrays.
    """

    values: Sequence[object] = ()
    columns: Mapping[str, Sequence[object]] | None = None
    names: Sequence[object] | None = None
    note: str = ""

    def __len__(self) -> int:
        columns = self.columns
        return len(self.values) if columns is None else len(next(iter(columns.values()), ()))

    @property
    def column_names(self) -> set[str]:
        """What its columns are called, in lower case, where they have names."""
        first = self.columns or next((row for row in self.values if isinstance(row, Mapping)), {})
        return {str(name).lower() for name in (self.names or first)}


def rows_of_object(value: Object) -> Rows | None:
    """Rows that an object holds in another form than columns; None where it does not."""
    for find in (_named_beside, _records_by_key, _labels_by_text, _by_label):
        if (found := find(value)) is not None:
            return found
    return None


def has_records(value: object) -> bool:
    """Whether some of the values could be rows: objects or arrays."""
    return isinstance(value, list | tuple) and any(
        isinstance(x, Mapping | list | tuple) for x in value
    )


def are_columns(value: Object) -> bool:
    """Whether all are lists of one length, none of them records; or what pandas writes for such."""
    lists = columns_of(value)
    if not value or len(lists) < len(value) or len(set(map(len, lists.values()))) > 1:
        return False
    if len({frozenset(column) for column in value.values() if isinstance(column, Mapping)}) > 1:
        return False
    of_objects = any(isinstance(x, Mapping) for column in lists.values() for x in column)
    return is_known(value) or not (of_objects or all(map(has_records, lists.values())))


def columns_of(value: Object) -> dict[str, Sequence[object]]:
    """The values of each column that is a list, or an object by the names of rows."""
    return {
        str(name): list(column.values()) if isinstance(column, Mapping) else column
        for name, column in value.items()
        if isinstance(column, Mapping | list | tuple)
    }


def _named_beside(value: Object) -> Rows | None:
    names = next((value[key] for key in NAMES_BESIDE if key in value), None)
    if not _is_of(names, str) or not isinstance(names, list) or len(set(names)) < len(names):
        return None
    tables = [rows for rows in value.values() if rows is not names and _is_of(rows, list)]
    rows = tables[0] if len(tables) == 1 else None
    if not isinstance(rows, list) or len(rows[0]) != len(names):
        return None
    return Rows(rows, names=names, note=f"rows, with the names of their columns: {listed(names)}")


def _records_by_key(value: Object) -> Rows | None:
    """Objects with like keys, where the inner keys are the names and the outer ones are not."""
    records = [record for record in value.values() if isinstance(record, Mapping)]
    if len(value) < 2 or len(records) < len(value):
        return None
    inner = {str(key) for record in records for key in record}
    inner_numbers, outer_numbers = (all(map(str.isdecimal, keys)) for keys in (inner, value))
    if inner_numbers or not inner or (is_known(value) and not outer_numbers):
        return None
    if outer_numbers or (is_known(inner) and "key" in inner):
        return Rows(records, note="records by their number" if outer_numbers else "records by key")
    if not is_known(inner) and len(value) <= len(inner):
        return None
    keyed = [{"key": key, **record} for key, record in zip(value, records, strict=True)]
    return Rows(keyed, note="records by key, which is in the column key")


def _labels_by_text(value: Object) -> Rows | None:
    """``{"a text": "ham"}``: few labels for many keys, or keys of words and labels of one."""
    labels = list(value.values())
    if len(value) < 2 or is_known(value) or not all(map(_is_label, labels)):
        return None
    flat = _flat(labels)
    n_labels = len(set(map(repr, flat)))
    few = n_labels >= 2 and 5 * n_labels <= len(value) and len(flat) == len(labels)
    worded = are_worded(list(value)) and not are_worded(flat) and n_labels <= len(value)
    if not few and not worded:
        return None
    if all(isinstance(each, list) and len(each) == 1 for each in labels):
        labels = flat
    return Rows(columns={"text": list(value), "label": labels}, note="labels by text")


def _is_label(value: object) -> bool:
    return isinstance(value, str | int | bool) or _is_of(value, str)


def _flat(values: Sequence[object]) -> list[object]:
    return [x for value in values for x in (value if isinstance(value, list) else [value])]


def _by_label(value: Object) -> Rows | None:
    """``{"ham": ["a text", …], "spam": […]}``, or records in place of texts."""
    if len(value) < 2 or is_known(value) or {key.lower() for key in value} & NO_LABELS:
        return None
    rows = [(label, row) for label, of_label in _lists(value) for row in of_label]
    note = f"by label: {listed(list(value))}"
    lists = [of_label for _, of_label in _lists(value)]
    if len(lists) == len(value) and all(_is_of(x, str) and reads_like_texts(x) for x in lists):
        if len(set(map(len, lists))) == 1 and not all(map(are_worded, lists)):
            return None
        columns: dict[str, Sequence[object]] = {
            "text": [row for _, row in rows],
            "label": [label for label, _ in rows],
        }
        return Rows(columns=columns, note=f"texts {note}")
    if not all(_is_of(records, Mapping) for records in value.values()):
        return None
    kinds = {frozenset(row) for _, row in rows if isinstance(row, Mapping)}
    names = {str(name).lower() for kind in kinds for name in kind}
    if len(kinds) > 1 or names & LABELS:
        return None
    labelled = [{**row, "label": label} for label, row in rows if isinstance(row, Mapping)]
    return Rows(labelled, note=f"records {note}")


def _lists(value: Object) -> Iterator[tuple[str, Sequence[object]]]:
    for key, rows in value.items():
        if isinstance(rows, list | tuple):
            yield key, rows


def _is_of(value: object, of: type) -> bool:
    """Whether it is a list of such values alone, and has some."""
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(x, of) for x in value)
