"""Which field inside of a column is evidently the text, or the label, by how it is called.

Asked where no column itself is called so. The conversations and pairs of tuning.py go first, then
fields whose last name is that of texts or labels: ``data.text``, ``data.label``. A label beside the
text, in the same record, goes before one elsewhere.
"""

from collections.abc import Sequence

from headtune.data.label_columns import two_could_be
from headtune.data.nested.fields import with_leaves
from headtune.data.nested.tuning import Asked, answer_field, asked_field
from headtune.data.reading.names import LABEL_NAMES, TEXT_NAMES, by_name
from headtune.data.reading.table import Table, holds_strings

__all__ = ["label_field", "text_field"]


def text_field(table: Table, names: Sequence[str]) -> Asked | None:
    """The field, or template of fields, of the text below these columns; None without a plain one.

    Raises ``ColumnError`` where two could be it.
    """
    if (asked := asked_field(table, names)) is not None:
        return asked
    wide, inner = with_leaves(table, names)
    named = by_name([n for n in inner if holds_strings(wide, n)], TEXT_NAMES, of_fields=True)
    if len(named) > 1:
        raise two_could_be("text", table, named, of="field")
    return Asked(named[0], None, "a field, by its name") if named else None


def label_field(table: Table, names: Sequence[str], text: str | None) -> tuple[str, str] | None:
    """The field of the label below these columns, and how it was found; None without a plain one.

    ``text`` is where the text is. Raises ``ColumnError`` where two could be it.
    """
    if (answer := answer_field(table, names, text)) is not None:
        return answer
    _, inner = with_leaves(table, names)
    named = by_name([name for name in inner if name != text], LABEL_NAMES, of_fields=True)
    record = (text or "").rpartition(".")[0]
    named = [name for name in named if name.rpartition(".")[0] == record] or named
    if len(named) > 1:
        raise two_could_be("label", table, named, of="field")
    return (named[0], "a field, by its name") if named else None
