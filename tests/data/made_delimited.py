"""Small delimited tables in forms that people have, made of words; the same rows in every form."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from headtune.data import Table, read_table
from headtune.options import DataConfig

Row = tuple[str, str]
WORDS = [
    "bus",
    "prize",
    "dinner",
    "call",
    "see",
    "claim",
    "mom",
    "offer",
    "tonight",
    "cash",
    "home",
    "win",
    "later",
    "urgent",
]


def plain_rows(n: int = 24) -> list[Row]:
    """Texts of six words that all differ, and their labels, ham and spam in turn."""
    return [
        (
            " ".join(WORDS[(i * step + step) % len(WORDS)] for step in (1, 3, 5, 9, 11)) + f" {i}a",
            "ham" if i % 2 == 0 else "spam",
        )
        for i in range(n)
    ]


def quoted_rows(n: int = 24) -> list[Row]:
    """The same with both kinds of quotes, commas, semicolons, bars and backslashes in some."""
    forms: list[Callable[[str], str]] = [
        lambda text: f'she said "{text}", then left',
        lambda text: f'he wrote "ok"; {text}',
        lambda text: f"it's {text} | at 'noon'",
        lambda text: f"{text}, in C:\\new\\folder",
        lambda text: text,
    ]
    return [(forms[i % len(forms)](text), label) for i, (text, label) in enumerate(plain_rows(n))]


def joined(rows: Sequence[Sequence[str]], delimiter: str, end: str = "\n") -> str:
    """Rows without any quotes."""
    return "".join(delimiter.join(row) + end for row in rows)


def read(folder: Path, content: str, name: str = "table.csv", **options: Any) -> Table:
    """What a file of this content is read as."""
    path = folder / name
    path.write_text(content, encoding="utf-8", newline="")
    return read_table(path, DataConfig(**options))


def rows_of(table: Table, *columns: str) -> list[tuple[Any, ...]]:
    """The values of some columns (all), row by row."""
    names = columns or tuple(table.column_names)
    return list(zip(*(table.columns[name].to_pylist() for name in names), strict=True))


def aside(table: Table) -> list[tuple[int, str]]:
    """Number and reason of each row that was set aside."""
    return [(row.row, row.reason) for row in table.set_aside]


def read_again(table: Table, path: Path) -> Table:
    """The same file, by the options that the first reading found."""
    found: dict[str, Any] = dict(table.options)
    return read_table(path, DataConfig(**found))
