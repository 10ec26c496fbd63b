"""Label values to label names, and the checks that a set of labels can be learned.

A name is a string, whatever the table holds: ``1``, ``1.0``, ``"1"`` and ``" 1 "`` are all "1",
so a file written by another program has the same labels. For the same reason true and false are
lower case however they are written (CSV of Python has ``True``, Excel ``TRUE``, JSON ``true``);
every other word stays as it is. Bytes are read as UTF-8. None, NaN and blank strings are missing.
Names are ordered numerically if all are numbers, else alphabetically whatever their case: 0 and 1,
false and true, ham and spam.

Each distinct value is named once. What the data have for a label (1, true) is kept beside its name,
for callers in Python who compare answers with values of their own.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.reading.arrow.values import escaped, python_value, python_values
from headtune.data.reading.names import as_float
from headtune.data.several_labels import is_lists
from headtune.errors import LabelError, option
from headtune.types import LabelSet, LabelValue
from headtune.wording.label_names import TRUE_AND_FALSE, plain_name

__all__ = [
    "check_label_counts",
    "check_label_values",
    "label_counts",
    "label_name",
    "label_names",
    "label_set",
    "typed_values",
]

MAX_SPARSE_LABELS = 50
"""More distinct labels than this must have more than five rows each, on average."""

MOST_NUMBER = 2**63
"""Labels that are larger numbers are answered by their names."""

NO_VALUES: Mapping[str, object] = MappingProxyType({})


def label_name(value: object) -> str | None:
    """The name of one label value, None where it is missing: ``"TRUE"`` -> ``"true"``.

    Raises ``LabelError`` on a list.
    """
    if isinstance(value, np.generic):
        value = value.item()
    elif isinstance(value, pa.Scalar):
        value = python_value(value)
    if isinstance(value, bytes):
        value = escaped(value)
    if isinstance(value, list | tuple | dict | set | np.ndarray):
        raise LabelError(
            f"A label must be one value; received {value!r}.",
            way_out="Several labels a text are not supported: keep the one that matters, or train "
            "a classifier for each.",
        )
    return plain_name(value)


def label_names(
    column: pa.ChunkedArray | pa.Array, missing: Collection[str] = ()
) -> list[str | None]:
    """The label name of every row; None where it is missing, or one of the ``missing`` names.

    A list of one value is that value, an empty one is missing. Raises ``LabelError`` on others.
    """
    values = python_values(column)
    if is_lists(column.type):
        values = [_only_value(value) for value in values]
    if pa.types.is_nested(column.type):
        names_of_rows = [label_name(value) for value in values]
        return [None if name in missing else name for name in names_of_rows]
    names = {value: label_name(value) for value in set(values)}
    names |= {value: None for value, name in names.items() if name in missing}
    return [names[value] if value == value else None for value in values]


def _only_value(value: object) -> object:
    if not isinstance(value, list) or len(value) > 1:
        return value
    return value[0] if value else None


def label_counts(column: pa.ChunkedArray, missing: Collection[str] = ()) -> dict[str, int]:
    """How many rows have each label name, without the ``missing``; no labels where it is nested."""
    if pa.types.is_nested(column.type):
        return {}
    counts: Counter[str] = Counter()
    found = pc.value_counts(column)
    values, numbers = python_values(found.field("values")), found.field("counts").to_pylist()
    for value, number in zip(values, numbers, strict=True):
        name = label_name(value)
        if name is not None and name not in missing:
            counts[name] += number
    return dict(counts)


def typed_values(names: Iterable[str], kind: pa.DataType) -> dict[str, object]:
    """What a column of this type has for each name: whole numbers and booleans, else the name."""
    if pa.types.is_dictionary(kind) or is_lists(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind):
        return {name: int(name) for name in set(names) if as_float(name) is not None}
    if pa.types.is_boolean(kind):
        return {name: name == "true" for name in set(names) if name in TRUE_AND_FALSE}
    return {}


def label_set(names: Iterable[str], values: Mapping[str, object] = NO_VALUES) -> LabelSet:
    """The distinct names in order. Raises ``LabelError`` when there are fewer than two.

    ``values`` is what the data have for a name; one that cannot be kept in JSON is left out.
    """
    distinct = set(names)
    numbers = {name: as_float(name) for name in distinct}
    if None in numbers.values():
        order = sorted(distinct, key=lambda name: (name.casefold(), name))
    else:
        order = sorted(distinct, key=lambda name: (numbers[name] or 0.0, name))
    own = tuple(_own_value(name, values.get(name, name)) for name in order)
    return LabelSet(tuple(order), () if own == tuple(order) else own)


def _own_value(name: str, value: object) -> LabelValue:
    """A value as JSON keeps it; the name for all others: dates, bytes, numbers beyond 64 bits."""
    if isinstance(value, np.generic):
        value = value.item()
    elif isinstance(value, pa.Scalar):
        value = python_value(value)
    if not isinstance(value, str | bool | int | float) or label_name(value) != name:
        return name
    if isinstance(value, str):
        return str(value)
    return value if isinstance(value, bool) or abs(value) < MOST_NUMBER else name


def check_label_values(names: Sequence[str], column: str, table: str) -> None:
    """Raises ``LabelError`` when a column of numbers or texts was taken for labels."""
    counts = Counter(names)
    examples = ", ".join(repr(name[:40]) for name in list(counts)[:3])
    way_out = f"Name the label column with {option('label')}."
    values = [as_float(name) for name in counts]
    if None not in values and not all(value is None or value.is_integer() for value in values):
        raise LabelError(
            f"Column {column!r} of {table} holds numbers with fractions ({examples}), not labels.",
            option="label",
            column=column,
            way_out=f"{way_out} To learn ranges, write them as words first: low, high.",
        )
    if len(counts) > MAX_SPARSE_LABELS and 5 * len(counts) >= len(names):
        raise LabelError(
            f"Column {column!r} of {table} has {len(counts):,} distinct values in {len(names):,} "
            f"rows ({examples}, …); it looks like texts or numbers, not labels.",
            option="label",
            column=column,
            way_out=way_out,
        )


def check_label_counts(names: Sequence[str], rows: Sequence[int]) -> None:
    """Raises ``LabelError`` when a label has a single row: it cannot be in train and test."""
    for name, count in Counter(names).items():
        if count == 1:
            row = int(rows[names.index(name)])
            raise LabelError(
                f"Label {name!r} has a single row (row {row:,}), which cannot be in both training "
                "and test.",
                option="split",
                row=row,
                way_out="Remove or merge that label, or use all rows for training: "
                f"{option('split', '100/0/0')}",
            )
