"""An inspection on the terminal: what the table holds, then what is odd about it, worst first.

Guarantees: fits 80 columns; nothing is told by colour alone; texts of the data are printed as they
are, on one line, never read as markup.
"""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from headtune.data.findings import Finding, ShownRow
from headtune.inspection.inspect import Inspection
from headtune.wording.numbers import count
from headtune.wording.tables import Table, plain_table

__all__ = ["render_inspection"]

WIDEST_TEXT = 100
STYLES = {"high": "bold red", "medium": "bold yellow", "low": "bold"}
WORDS = {"high": "serious", "medium": "look at", "low": "note"}
MOST_LABELS = 20


def render_inspection(inspection: Inspection, console: Console) -> None:
    """Prints it; see the top of this file."""
    width = min(console.width, WIDEST_TEXT)
    console.print(Text(inspection.source, style="bold"))
    for line in _facts(inspection):
        console.print(Text(line), width=width)
    console.print()
    console.print(_lengths(inspection))
    if not inspection.findings:
        console.print()
        console.print("Nothing odd was found.")
    for finding in inspection.findings:
        console.print()
        _print_finding(finding, console, width)


def _facts(inspection: Inspection) -> Iterator[str]:
    yield f"{count(inspection.rows_read, 'row')} read, {inspection.rows_used:,} used"
    if inspection.detected:
        yield f"read as: {'; '.join(inspection.detected)}"
    yield inspection.columns
    if len(inspection.parts) > 1:
        yield "given parts: " + ", ".join(f"{p} {n:,}" for p, n in inspection.parts.items())


def _lengths(inspection: Inspection) -> Table:
    """A row for each label: texts, lengths, what is cut."""
    of = f" of {inspection.model}" if inspection.model else ""
    headings = ["texts", "median", "95 %", "longest"]
    if inspection.max_length is not None:
        headings.append(f"over {inspection.max_length:,}")
    table = plain_table(f"label ({inspection.unit}{of})", *headings)
    for row in inspection.lengths[:MOST_LABELS]:
        figures = [row.texts, row.median, row.p95, row.longest]
        figures += [row.cut] if inspection.max_length is not None else []
        table.add_row(Text(row.label), *(f"{figure:,}" for figure in figures))
    if len(inspection.lengths) > MOST_LABELS:
        table.add_row(Text(f"and {len(inspection.lengths) - MOST_LABELS:,} more"))
    return table


def _print_finding(finding: Finding, console: Console, width: int) -> None:
    title = Text(f"{WORDS[finding.severity]}: ", style=STYLES[finding.severity])
    console.print(title.append(finding.title, style="not red not yellow default"), width=width)
    console.print(Text(finding.advice), width=width)
    for row in finding.rows:
        line = Text(f"  {_where(row)}  ", style="dim").append(_one_line(row.text), style="not dim")
        console.print(line, width=width, no_wrap=True, overflow="ellipsis")


def _where(row: ShownRow) -> str:
    part = f"{row.part} " if row.part not in ("", "train") else ""
    like = f" like {row.like:,}" if row.like is not None else ""
    label = f" [{row.label}]" if row.label else ""
    return f"{part}row {row.row:,}{like}{label}"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
