"""A report on the terminal.

From the answer down to the details: what spoils the answer (test texts that were trained on), the
sentence, then a table of accuracy with its interval,
macro F1 and log loss for each part (before, after, baselines), then each label, then data, model,
speed and warnings.

Guarantees: fits 80 columns; nothing is told by colour alone, so a pipe or NO_COLOR loses nothing;
what a user or a file wrote is printed as it is, never read as markup.
"""

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from headtune.report.facts import MOST_LABELS, facts_of
from headtune.report.leaks import leak_sentence
from headtune.report.report import Report
from headtune.report.sentence import BASELINE_NAMES
from headtune.tasks.figures import HELD_BACK, HeldBack, LabelFigures, Metrics
from headtune.tasks.metrics import accuracy_interval, count_correct
from headtune.wording.numbers import count, interval, percent
from headtune.wording.tables import Table, facts_table, plain_table

__all__ = ["render_report"]

WIDEST_TEXT = 100
"""Columns of running text, also on a wider terminal: long lines are hard to read."""


def render_report(report: Report, console: Console) -> None:
    """Prints the report; see the top of this file."""
    console.print(Text(_title(report), style="bold"))
    console.print()
    if leaked := leak_sentence(report.data):
        warning = Text("Warning: ", style="bold red").append(leaked, style="not bold default")
        console.print(warning, width=min(console.width, WIDEST_TEXT))
        console.print()
    console.print(Text(report.sentence()), width=min(console.width, WIDEST_TEXT))
    for part in reversed(HELD_BACK):
        if (after := report.after[part]) is not None:
            console.print()
            console.print(_part_table(report, part, after))
    part = "test" if report.after["test"] is not None else "validation"
    after = report.after[part]
    if after is not None:
        console.print()
        _print_labels(after, part, console)
    console.print()
    console.print(_facts_table(report), width=min(console.width, WIDEST_TEXT))


def _title(report: Report) -> str:
    source = report.config.get("source")
    return f"{report.model['id']} on {source}" if source else str(report.model["id"])


def _part_table(report: Report, part: HeldBack, after: Metrics) -> Table:
    """Before, after and the baselines on one part."""
    headings = ("accuracy", "95 % interval", "macro F1", "log loss")
    table = plain_table(f"{part}: {count(after['n'], 'text')}", *headings)
    rows = {
        "before tuning": report.before[part],
        "after tuning": after,
        **{BASELINE_NAMES.get(name, name): b[part] for name, b in report.baselines.items()},
    }
    for name, metrics in rows.items():
        if metrics is not None:
            style = "bold" if metrics is after else None
            table.add_row(Text(name), *_headline(metrics), style=style)
    return table


def _headline(metrics: Metrics) -> list[str]:
    return [
        percent(metrics["accuracy"]),
        interval(*accuracy_interval(count_correct(metrics), metrics["n"])),
        percent(metrics["macro_f1"]),
        f"{metrics['log_loss']:.3f}",
    ]


def _print_labels(metrics: Metrics, part: str, console: Console) -> None:
    """Precision, recall and F1 of each label, after tuning."""
    table = plain_table(f"label (after tuning, {part})", "texts", "precision", "recall", "F1")
    names = _listed(metrics["per_label"])
    for name in names:
        figures = metrics["per_label"][name]
        rates = [percent(x) for x in (figures["precision"], figures["recall"], figures["f1"])]
        table.add_row(Text(name), f"{figures['support']:,}", *rates)
    console.print(table)
    left_out = len(metrics["per_label"]) - len(names)
    if left_out:
        console.print(Text(f"and {count(left_out, 'label')} with no lower F1, in report.json"))


def _listed(per_label: Mapping[str, LabelFigures]) -> list[str]:
    """All labels in their order, or those with the lowest F1 first."""
    if len(per_label) <= MOST_LABELS:
        return list(per_label)
    return sorted(per_label, key=lambda name: per_label[name]["f1"])[:MOST_LABELS]


def _facts_table(report: Report) -> Table:
    """Names on the left, sentences on the right."""
    table = facts_table()
    for name, facts in facts_of(report).items():
        for position, fact in enumerate(facts):
            # Each warning has its name, so that a search for "warning" finds all of them.
            table.add_row(name if position == 0 or name == "warning" else "", Text(fact))
    return table
