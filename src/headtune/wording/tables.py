"""The tables of the terminal: headings and rows that align, no lines around them.

rich's tables take a while to import, so the files of ``cli`` import this one when they print.
"""

from typing import Any

from rich import table as rich_table
from rich.console import RenderableType
from rich.text import Text

from headtune.wording.visible import visible
from headtune.wording.visible_text import visible_text

__all__ = ["Table", "facts_table", "plain_table"]


class Table(rich_table.Table):
    """rich's, as wide as its cells are once what cannot be seen in them is written out."""

    def add_column(self, header: RenderableType = "", *more: Any, **settings: Any) -> None:
        """As rich's."""
        super().add_column(_seen(header), *more, **settings)

    def add_row(self, *cells: RenderableType | None, **settings: Any) -> None:
        """As rich's."""
        super().add_row(*(cell if cell is None else _seen(cell) for cell in cells), **settings)


def _seen(cell: RenderableType) -> RenderableType:
    if isinstance(cell, str):
        return visible(cell)
    return visible_text(cell) if isinstance(cell, Text) else cell


def plain_table(first: str, *figures: str, expand: bool = False) -> Table:
    """Words in the column ``first``, folded where there is no room; figures in the others.

    ``expand`` takes the whole width, for a last column of texts that the caller adds.
    """
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", expand=expand
    )
    table.add_column(Text(first), overflow="fold")
    for figure in figures:
        table.add_column(Text(figure), justify="right", no_wrap=True)
    return table


def facts_table() -> Table:
    """Names on the left, sentences on the right, no headings."""
    table = Table(
        box=None,
        padding=(0, 2, 0, 0),
        collapse_padding=True,
        show_header=False,
        show_edge=False,
        pad_edge=False,
    )
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table
