"""``history.jsonl``: what was logged while training, one JSON object a line.

    {"step": 10, "epoch": 0.5, "loss": 0.412, "learning_rate": 0.0003}      a logged step
    {"step": 20, "epoch": 1.0, "validation_loss": 0.2,                      an evaluation
     "validation_accuracy": 0.95, "validation_macro_f1": 0.9}

Step 0 is before training. Rows may hold more keys, which are kept. ``logged_steps`` and
``evaluations`` tell the two kinds apart, for the picture of the curves and for the report.

Guarantees: each line, read as JSON, is the row that was written; the file appears in one piece.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

from headtune.files.plain_json import to_json
from headtune.files.plain_values import plain
from headtune.files.whole_file import write_whole
from headtune.types import HistoryRow

__all__ = ["HistoryColumn", "evaluations", "logged_steps", "validation_figures", "write_history"]

HistoryColumn = Literal[
    "step", "loss", "validation_loss", "validation_accuracy", "validation_macro_f1"
]
"""What is drawn."""


def write_history(rows: Iterable[HistoryRow], path: Path) -> None:
    """Writes one line a row; a figure that is not finite becomes null."""
    lines = [to_json(plain(row)) + "\n" for row in rows]
    write_whole(path, "".join(lines).encode())


def logged_steps(history: Sequence[HistoryRow]) -> list[HistoryRow]:
    """The rows that hold a training loss, in order of steps."""
    return sorted((row for row in history if row.get("loss") is not None), key=_step)


def evaluations(history: Sequence[HistoryRow]) -> list[HistoryRow]:
    """The rows that hold validation figures, in order of steps."""
    return sorted((row for row in history if row.get("validation_loss") is not None), key=_step)


def validation_figures(
    history: Sequence[HistoryRow], metric: str
) -> list[tuple[HistoryRow, float]]:
    """The rows that hold a figure of the validation part, by its metric's name, and that figure.

    A task names its metrics (``Task.best_metrics``), so its columns are known to it alone.
    """
    column = f"validation_{metric}"
    return [(row, cast(Mapping[str, float], row)[column]) for row in history if column in row]


def _step(row: HistoryRow) -> int:
    return int(row["step"])
