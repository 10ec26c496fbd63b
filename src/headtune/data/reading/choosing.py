"""Which table is meant, where a workbook has several sheets, or a database several tables.

    1. the only one
    2. all of them, if they are called train, validation and test (or as people call these)
    3. the only one with the columns that the user names, or with a column called as texts are

Two that could both be it are never chosen between: the error names them.
"""

from collections.abc import Mapping, Sequence

from headtune.data.reading.names import TEXT_NAMES, by_name, listed
from headtune.data.reading.part_names import PART_NAMES, part_names
from headtune.errors import DataError
from headtune.options import DataConfig

__all__ = ["chosen_tables"]


def chosen_tables(
    tables: Mapping[str, Sequence[str]], config: DataConfig, name: str, what: str
) -> tuple[dict[str, str], str]:
    """Part -> table, and a sentence about it, from the columns of each table.

    ``what`` is what such a table is called, "sheet" for one. Raises ``DataError``.
    """
    others = len(tables) - 1
    if not others:
        (only,) = tables
        return {"train": only}, f"{what} {only!r}"
    if len({PART_NAMES.get(table.lower()) for table in tables} - {None}) == len(tables) and (
        any(PART_NAMES[table.lower()] == "train" for table in tables)
    ):
        return part_names(dict(tables)), f"{what}s {listed(list(tables))} as parts"
    fitting = _with_columns(tables, config)
    if len(fitting) == 1:
        rest = [table for table in tables if table != fitting[0]]
        return {"train": fitting[0]}, f"{what} {fitting[0]!r}, the only one of {len(tables)} " + (
            f"with such columns (not {listed(rest)})"
        )
    raise DataError(
        f"{name} has {len(tables):,} {what}s that could be the table: {listed(list(tables))}.",
        way_out=f"Name one of them: {name}::{next(iter(tables))}",
    )


def _with_columns(tables: Mapping[str, Sequence[str]], config: DataConfig) -> list[str]:
    """Those with the columns that are given, else those that have one called as texts are."""
    given = {column for column in (config.text, config.label) if column is not None}
    if given:
        return [table for table, columns in tables.items() if given <= set(columns)]
    return [table for table, columns in tables.items() if by_name(columns, TEXT_NAMES)]
