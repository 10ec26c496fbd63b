"""How predictions and metrics look on a terminal.

Figures are aligned and texts come last, cut off where the line ends; ``--json`` has everything.
What a user or a file wrote is printed as rich's ``Text``, so that "[b]" in it stays "[b]".
Costs: imports scikit-learn with the metrics, so a command imports this file when it runs.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from headtune.tasks.figures import AnsweredLabel, FileMetrics, LabelFigures
from headtune.tasks.metrics import accuracy_interval, count_correct
from headtune.wording.numbers import count, duration, interval, p_value, percent, points, rate, size
from headtune.wording.tables import Table, plain_table
from headtune.wording.visible import visible_name

if TYPE_CHECKING:
    from headtune.predict.bulk import TableCounts
    from headtune.report.entries import ComparedRuns, Costs, Disagreement, Pair
    from headtune.types import Prediction

__all__ = [
    "counts_line",
    "prediction_lines",
    "predictions_table",
    "print_comparison",
    "print_metrics",
]

MOST_LINES = 10
"""Labels listed for one text."""

MOST_COLUMNS = 5
"""Up to so many labels get a column each; with more, only the best one's probability is shown."""


def prediction_lines(prediction: "Prediction") -> list[str]:
    """One line a label, the most probable first: ``spam  97.3 %``."""
    ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    shown = [(visible_name(name), p) for name, p in ranked[:MOST_LINES]]
    width = max(len(name) for name, _ in shown)
    lines = [f"{name:<{width}}  {percent(p):>7}" for name, p in shown]
    if prediction.label != ranked[0][0]:  # a threshold decided, or the answer is unsure
        lines.insert(0, f"answer: {visible_name(prediction.label)}")
    if len(ranked) > MOST_LINES:
        lines.append(f"… and {len(ranked) - MOST_LINES} more labels (--json has them all)")
    if prediction.label_set is not None:
        lines.append(f"one of: {_set_words(prediction.label_set)}")
    return lines


def _set_words(names: Sequence[str]) -> str:
    """``ham, spam``; the first few of many."""
    shown = ", ".join(map(visible_name, names[:MOST_LINES]))
    more = f" and {len(names) - MOST_LINES} more" if len(names) > MOST_LINES else ""
    return f"{shown}{more}" if names else "none that is probable enough"


def predictions_table(texts: Sequence[str], predictions: Sequence["Prediction"]) -> Table:
    """One row a text: its label, the probabilities, the text."""
    names = list(predictions[0].probabilities)
    each = len(names) <= MOST_COLUMNS
    sets = ["one of"] if predictions[0].label_set is not None else []
    table = plain_table("label", *(names if each else ["probability"]), *sets, expand=True)
    table.add_column("text", no_wrap=True, ratio=1)  # what the other columns leave
    for text, prediction in zip(texts, predictions, strict=True):
        best = max(prediction.probabilities, key=prediction.probabilities.__getitem__)
        shown = names if each else [best if prediction.unsure else prediction.label]
        figures = [percent(prediction.probabilities[name]) for name in shown]
        if prediction.label_set is not None:
            figures.append(_set_words(prediction.label_set))
        table.add_row(Text(prediction.label), *figures, Text(" ".join(text.split())))
    return table


def counts_line(summary: "TableCounts") -> str:
    """``3 rows: 2 ham, 1 spam``, the most frequent first, of what ``predict_file`` returns."""
    ranked = sorted(summary["labels"].items(), key=lambda item: -item[1])
    labels = [f"{n:,} {visible_name(name)}" for name, n in ranked[:MOST_LINES]]
    more = [f"{len(ranked) - MOST_LINES} more labels"] if len(ranked) > MOST_LINES else []
    return f"{count(summary['rows'], 'row')}: {', '.join(labels + more)}"


def print_metrics(metrics: FileMetrics, console: Console) -> None:
    """All rows in a few lines, then each label."""
    within = interval(*accuracy_interval(count_correct(metrics), metrics["n"]))
    console.print(f"rows      {metrics['n']:>9,}")
    if metrics.get("set_aside"):
        console.print(f"set aside {metrics['set_aside']:>9,}")
    console.print(f"accuracy  {percent(metrics['accuracy']):>9}  (95 % interval: {within})")
    console.print(f"macro F1  {percent(metrics['macro_f1']):>9}")
    console.print(f"log loss  {metrics['log_loss']:>9.4f}\n")
    console.print(_label_table(metrics["per_label"], metrics["per_label"]))
    if "answers" in metrics:
        answers, right = metrics["answers"], metrics["answers"]["accuracy"]
        console.print(
            f"\nWith thresholds, {percent(answers['coverage'])} of the rows get an answer"
            + ("." if right is None else f", {percent(right)} of them right.")
        )
        console.print(_label_table(metrics["per_label"], answers["per_label"]))
    if "sets" in metrics:
        sets = metrics["sets"]
        console.print(
            f"\nSets of labels hold the true one in {percent(sets['coverage'])} of the rows "
            f"({percent(sets['wanted'])} asked for), {sets['mean_size']:.2f} labels a set."
        )


def _label_table(
    labels: Mapping[str, LabelFigures], shown: Mapping[str, LabelFigures | AnsweredLabel]
) -> Table:
    """Rows of each label, and precision, recall and F1 as ``shown`` has them; F1 of answers is that
    of these two."""
    table = plain_table("label", "rows", "precision", "recall", "F1")
    for name, figures in labels.items():
        precision, recall = shown[name]["precision"], shown[name]["recall"]
        total = (precision or 0.0) + (recall or 0.0)
        f1 = 2 * (precision or 0.0) * (recall or 0.0) / total if total else 0.0
        rates = ["-" if rate is None else percent(rate) for rate in (precision, recall, f1)]
        table.add_row(Text(name), f"{figures['support']:,}", *rates)
    return table


def print_comparison(comparison: "ComparedRuns", console: Console) -> None:
    """What ``headtune compare`` found: the sentence, each run, each pair, rows, costs."""
    console.print(Text(comparison["sentence"]))
    for name, n in comparison["left_out"].items():
        if n:
            console.print(
                Text(f"Of {name}, {count(n, 'text')} that not all answered are left out.")
            )
    console.print()
    console.print(_runs_table(comparison))
    console.print()
    console.print(_pairs_table(comparison["pairs"]))
    console.print()
    console.print(_costs_table(comparison["costs"]))
    shown, n = comparison["disagreements"], comparison["n_disagreements"]
    first = f"; the first {len(shown):,}" if len(shown) < n else ""
    console.print(f"\nThey disagree on {count(n, 'text')}{first}")
    if shown:
        console.print(_disagreements_table(shown, list(comparison["costs"])))


def _runs_table(comparison: "ComparedRuns") -> Table:
    table = plain_table("run", "accuracy", "95 % interval", "macro F1", "log loss")
    for run in comparison["runs"]:
        table.add_row(
            Text(run["name"]),
            percent(run["accuracy"]),
            interval(*run["interval"]),
            percent(run["macro_f1"]),
            f"{run['log_loss']:.3f}",
        )
    return table


def _pairs_table(pairs: Sequence["Pair"]) -> Table:
    headings = ["points better", "95 % interval", "only it right", "only the other", "p-value"]
    table = plain_table("first against second", *headings)
    for pair in pairs:
        table.add_row(
            Text(f"{pair['first']} against {pair['second']}"),
            points(pair["difference"]),
            " to ".join(map(points, pair["interval"])),
            f"{pair['only_first_right']:,}",
            f"{pair['only_second_right']:,}",
            p_value(pair["adjusted_p_value"]).removeprefix("p ").removeprefix("= "),
        )
    return table


def _costs_table(costs: Mapping[str, "Costs"]) -> Table:
    measured = any("predict_examples_per_second" in cost for cost in costs.values())
    headings = ["tuned", "parameters trained", "folder", "time to make"]
    table = plain_table("run", *headings, *(["prediction"] if measured else []))
    for name, cost in costs.items():
        pace, trained = cost.get("predict_examples_per_second"), cost["trainable_parameters"]
        table.add_row(
            Text(name),
            Text(cost["tune"]),
            "" if trained is None else f"{trained:,}",
            size(cost["folder_bytes"]),
            "" if cost["run_seconds"] is None else duration(cost["run_seconds"]),
            *([] if pace is None else [rate(pace, "texts")]),
        )
    return table


def _disagreements_table(rows: Sequence["Disagreement"], names: Sequence[str]) -> Table:
    table = plain_table("row", expand=True)
    table.columns[0].justify = "right"
    for heading in ("label", *names):
        table.add_column(Text(heading), no_wrap=True)
    table.add_column("text", no_wrap=True, ratio=1)
    for row in rows:
        answers = [Text(f"{a['predicted']} {percent(a['probability'])}") for a in row["answers"]]
        text = Text(" ".join(row["text"].split()))
        table.add_row(f"{row['row']:,}", Text(row["label"]), *answers, text)
    return table
