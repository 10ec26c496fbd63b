"""The tables of the terminal: headings and rows that align, no lines around them.

Leaf module. rich's tables take 30 ms to import, a tenth of what ``--help`` may take, so the files
of ``cli`` import this one when they print.
"""

from rich.table import Table
from rich.text import Text

__all__ = ["Table", "facts_table", "plain_table"]


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
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table
