"""history.py: what is written is read back as JSON, and the two kinds of rows are told apart."""

from pathlib import Path
from typing import Any

import numpy as np

from headtune.report.history import evaluations, logged_steps, write_history
from headtune.types import HistoryRow
from tests_support import read_history

STEP: HistoryRow = {"step": 10, "epoch": 0.5, "loss": 0.1 + 0.2, "learning_rate": 3e-4}
EVALUATION: HistoryRow = {
    "step": 0,
    "epoch": 0.0,
    "validation_loss": 0.7,
    "validation_accuracy": 0.5,
    "validation_macro_f1": 0.4,
}


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    more: Any = {"step": 11, "note": "naïve\u2028line"}
    write_history([EVALUATION, STEP, more], path)
    assert read_history(path) == [EVALUATION, STEP, more]
    assert path.read_bytes().count(b"\n") == 3
    write_history([], path)
    assert read_history(path) == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["history.jsonl"]


def test_numpy_and_figures_that_are_not_finite(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    row: Any = {"step": np.int64(3), "loss": np.float64("inf")}
    write_history([row], path)
    assert read_history(path) == [{"step": 3, "loss": None}]


def test_the_two_kinds_of_rows_in_order_of_steps() -> None:
    without_loss: Any = {"step": 5, "loss": None}
    history: list[HistoryRow] = [
        STEP,
        EVALUATION,
        without_loss,
        {**STEP, "step": 2},
    ]
    assert [row["step"] for row in logged_steps(history)] == [2, 10]
    assert evaluations(history) == [EVALUATION]
