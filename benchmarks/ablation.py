"""Which design choices matter when a decoder becomes a classifier: one row a choice, one table.

The published ablation of this kind (GPT-2 on the SMS Spam Collection) varies the trained token, the
trained layers, the weights, the mask and the context length. Here each row is a set of headtune's
own options put over one base: the balanced spam data (1,494 messages, 70/10/20), SmolLM2-135M, the
last block trained, the last token classified. Rows that are about padding are left out: headtune
does not pad.

    python benchmarks/ablation.py --out runs/ablation.jsonl --markdown docs/ablation.md

Every row is measured on the same test messages. Intervals are bootstrap intervals (10,000
resamples of the test messages, 95 %, percentiles): of the accuracy, and of the difference to the
first row, resampled in pairs, which tells small differences apart that two intervals cannot.
LoRA and full tuning run every layer for every message of every epoch, so they get fewer epochs
than rows whose frozen layers run once; the table says how many.

Each finished row is added to ``--out``; with ``--resume`` the rows found there are not run again.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import finish, machine, parser, print_table, say, set_threads
from headtune.cli.recipe import merge
from headtune.data import prepare
from headtune.progress import SilentProgress
from headtune.run.pipeline import fit_classifier
from headtune.tasks.metrics import softmax
from headtune.types import PreparedData

BASE: dict[str, Any] = {
    "balance": "undersample",
    "split": "70/10/20",
    "tune": "last-1",
    "pooling": "last",
    "attention": "causal",
    "epochs": 5,
    "batch_size": 16,
}
"""The options of the first row; the learning rate is headtune's default for what is tuned."""

EPOCHS_WITHOUT_TRUNK = 1
RESAMPLES = 10_000
BEGIN, END = "<!-- ablation: begin -->\n", "<!-- ablation: end -->\n"


@dataclass(frozen=True)
class Row:
    """One choice: its words in the table, and the options that differ from ``BASE``."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


def rows(epochs_without_trunk: int) -> list[Row]:
    """All rows. The costly ones, where every layer runs in every epoch, come last."""
    costly = {"epochs": epochs_without_trunk}
    bidirectional = {"attention": "bidirectional"}
    return [
        Row("last token, last block trained"),
        Row("first token", {"pooling": "first"}),
        Row("mean over tokens", {"pooling": "mean"}),
        Row("head only", {"tune": "head"}),
        Row("last two blocks", {"tune": "last-2"}),
        Row("no causal mask", bidirectional),
        Row("no causal mask, first token", {**bidirectional, "pooling": "first"}),
        Row("no causal mask, mean over tokens", {**bidirectional, "pooling": "mean"}),
        Row("at most 32 tokens", {"max_length": 32}),
        Row("at most 16 tokens", {"max_length": 16}),
        Row("random weights", {"random_weights": True}),
        Row("LoRA", {"tune": "lora", "lora_targets": ["q_proj", "v_proj"], **costly}),
        Row("all layers", {"tune": "full", **costly}),
        Row(
            "random weights, all layers",
            {"random_weights": True, "tune": "full", "learning_rate": 3e-4, **costly},
        ),
    ]


def choose(found: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """The first row, which the others are compared with, and those of these names; or all."""
    if unknown := set(names) - {row.name for row in found}:
        raise SystemExit(f"No such rows: {sorted(unknown)}. There are: {[r.name for r in found]}")
    return [row for row in found if not names or row is found[0] or row.name in names]


@dataclass(frozen=True)
class Outcome:
    """What a row gave. ``right`` holds a 1 for each test message that was classified right."""

    name: str
    options: dict[str, Any]
    trained_parameters: int
    learning_rate: float
    validation_accuracy: float
    spam_f1: float
    right: tuple[int, ...]
    seconds: float

    @property
    def accuracy(self) -> float:
        return sum(self.right) / len(self.right)


def run_row(row: Row, source: str, model: str) -> Outcome:
    """Train and test one row, as ``headtune train`` does before it saves."""
    start = time.perf_counter()
    options = {**BASE, **row.options, "model": model}
    config = merge({}, source, options)
    prepared = prepare(config.source, config.data)
    with TemporaryDirectory(prefix="headtune-ablation-") as folder:
        fitted = fit_classifier(
            prepared, config, folder=Path(folder), progress=SilentProgress(), score_before=False
        )
    probabilities = softmax(fitted.logits["test"])
    test, validation = fitted.after["test"], fitted.after["validation"]
    if test is None or validation is None:
        raise ValueError("an ablation is judged on validation and test; the split leaves one empty")
    return Outcome(
        name=row.name,
        options=options,
        trained_parameters=fitted.parameters.trainable,
        learning_rate=fitted.config.train.learning_rate or 0.0,
        validation_accuracy=validation["accuracy"],
        spam_f1=test["per_label"][prepared.labels.names[-1]]["f1"],
        right=tuple(_right(probabilities, prepared)),
        seconds=time.perf_counter() - start,
    )


def _right(probabilities: npt.NDArray[np.float64], prepared: PreparedData) -> list[int]:
    ids = np.array([example.label for example in prepared.test])
    return [int(hit) for hit in probabilities.argmax(axis=1) == ids]


def bootstrap(
    right: Sequence[int], base: Sequence[int], seed: int = 0
) -> tuple[tuple[float, float], tuple[float, float]]:
    """95 % intervals of the accuracy, and of its difference to ``base`` on the same messages.

    Efron's percentile bootstrap: messages are drawn with replacement, for both sides alike.
    """
    a, b = np.asarray(right, dtype=float), np.asarray(base, dtype=float)
    drawn = np.random.default_rng(seed).integers(len(a), size=(RESAMPLES, len(a)))
    low, high = np.percentile(a[drawn].mean(axis=1), [2.5, 97.5])
    less, more = np.percentile((a - b)[drawn].mean(axis=1), [2.5, 97.5])
    return (float(low), float(high)), (float(less), float(more))


HEADER = (
    "choice",
    "trained",
    "epochs",
    "rate",
    "validation",
    "test",
    "interval",
    "against row 1",
    "time",
)


def cells(outcome: Outcome, base: Outcome) -> tuple[str, ...]:
    """A row of the table."""
    (low, high), (less, more) = bootstrap(outcome.right, base.right)
    difference = 100 * (outcome.accuracy - base.accuracy)
    against = f"{difference:+.1f} ({100 * less:+.1f} to {100 * more:+.1f})"
    return (
        outcome.name,
        f"{outcome.trained_parameters:,}",
        f"{outcome.options['epochs']}",
        f"{outcome.learning_rate:g}",
        f"{100 * outcome.validation_accuracy:.1f} %",
        f"{100 * outcome.accuracy:.1f} %",
        f"{100 * low:.1f} to {100 * high:.1f}",
        "" if outcome is base else against,
        f"{outcome.seconds:.0f} s",
    )


def markdown(table: Sequence[Sequence[str]]) -> str:
    """The table for a page of the documentation."""
    lines = [HEADER, ("---", *("---:" for _ in HEADER[1:])), *table]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


PAGE = f"""\
# Design choices

What matters when a decoder becomes a classifier: one row for each choice, with the other options
as in the first row. SmolLM2-135M, 1,494 balanced spam messages, 70/10/20; all rows are tested on
the same messages. Intervals are 95 % bootstrap intervals, in points of accuracy; those of the last
column but one are of the difference to the first row, resampled in pairs. LoRA and all layers run
every block in every epoch, so they get fewer epochs.

    python benchmarks/ablation.py --markdown docs/ablation.md

{BEGIN}{END}"""


def write_markdown(page: Path, text: str) -> None:
    """Puts the table between the two marks of a page, a new one where there is none.

    Raises ``ValueError`` when the page has no marks.
    """
    whole = page.read_text(encoding="utf-8") if page.is_file() else PAGE
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} lacks the marks {BEGIN.strip()} and {END.strip()}.")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def outcomes(
    chosen: Sequence[Row], source: str, model: str, out: Path | None, resume: bool
) -> Iterator[Outcome]:
    """Each row's outcome: from ``out`` where it is there with the same options, else by running."""
    known: dict[str, Outcome] = {}
    if resume and out is not None and out.is_file():
        for line in out.read_text(encoding="utf-8").splitlines():
            found = Outcome(**json.loads(line))
            known[found.name] = found
    elif out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text("")
    for row in chosen:
        options = {**BASE, **row.options, "model": model}
        if row.name in known and known[row.name].options == options:
            yield known[row.name]
            continue
        say(f"{row.name} …")
        outcome = run_row(row, source, model)
        say(f"  test {outcome.accuracy:.1%}, {outcome.seconds:.0f} s")
        if out is not None:
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(vars(outcome)) + "\n")
        yield outcome


def options() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    found = parser(__doc__)
    found.add_argument("--data", default="sms-spam", help="a labelled table")
    found.add_argument("--out", type=Path, help="file for finished rows (JSON lines)")
    found.add_argument("--resume", action="store_true", help="take rows that --out has already")
    found.add_argument("--markdown", type=Path, help="page whose marked table is replaced")
    found.add_argument(
        "--only", nargs="*", default=(), metavar="CHOICE", help="the first row, and these"
    )
    found.add_argument(
        "--epochs-without-trunk",
        type=int,
        default=EPOCHS_WITHOUT_TRUNK,
        help="epochs of LoRA and of all layers",
    )
    return found


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the rows and print the table."""
    given = options().parse_args(arguments)
    n_threads = set_threads(given.threads)
    chosen = choose(rows(given.epochs_without_trunk), given.only)
    if given.quick:
        chosen = [Row(row.name, {**row.options, "max_steps": 2}) for row in chosen]
    found = list(outcomes(chosen, given.data, given.model, given.out, given.resume))
    table = [cells(outcome, found[0]) for outcome in found]
    print_table(HEADER, table)
    if given.markdown:
        write_markdown(given.markdown, markdown(table))
    return finish(
        {
            "benchmark": "ablation",
            "quick": given.quick,
            "machine": machine(n_threads),
            "model": given.model,
            "data": given.data,
            "test_messages": len(found[0].right),
            "seconds": round(sum(outcome.seconds for outcome in found), 1),
            "rows": [_json(outcome, found[0]) for outcome in found],
        }
    )


def _json(outcome: Outcome, base: Outcome) -> dict[str, Any]:
    interval, against_first = bootstrap(outcome.right, base.right)
    return {
        "name": outcome.name,
        "options": outcome.options,
        "trained_parameters": outcome.trained_parameters,
        "learning_rate": outcome.learning_rate,
        "validation_accuracy": round(outcome.validation_accuracy, 4),
        "accuracy": round(outcome.accuracy, 4),
        "interval": [round(bound, 4) for bound in interval],
        "difference_to_first_interval": [round(bound, 4) for bound in against_first],
        "spam_f1": round(outcome.spam_f1, 4),
        "seconds": round(outcome.seconds, 1),
    }


if __name__ == "__main__":
    main()
