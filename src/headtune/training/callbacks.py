"""What happens beside the steps: checkpoints by the clock, and the history as it grows."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from transformers import TrainerCallback

from headtune.processes import broadcast, n_processes
from headtune.types import HistoryRow

__all__ = ["CheckpointByClock", "EvaluateAtEnd", "history_rows"]


class CheckpointByClock(TrainerCallback):  # type: ignore[misc]
    """Asks for a checkpoint when the last one is ``minutes`` old, and at the last step.

    The last one is for what comes after training: if scoring or saving fails, no step is lost.
    Several processes go by the clock of the main one, asked when a step is logged.
    """

    def __init__(self, minutes: float) -> None:
        self.seconds = 60 * minutes
        self.last = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.last = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        is_asked = n_processes() == 1 or state.global_step % args.logging_steps == 0
        is_old = is_asked and broadcast(time.monotonic() - self.last >= self.seconds)
        if is_old or state.global_step >= state.max_steps:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.last = time.monotonic()


class EvaluateAtEnd(TrainerCallback):  # type: ignore[misc]
    """Scores the last step too, when the steps between two evaluations do not divide the run."""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_evaluate = True


def history_rows(log_history: Sequence[Mapping[str, Any]]) -> list[HistoryRow]:
    """The Trainer's log as rows of ``history.jsonl``.

    A logged step has ``step, epoch, loss, learning_rate, gradient_norm``; an evaluation has
    ``step, epoch`` and what the task measures: ``validation_loss``, ``validation_accuracy``, ….
    The Trainer's closing summary is left out.
    """
    rows = []
    for entry in log_history:
        if figures := _evaluation(entry) or _step(entry):
            row = {"step": entry["step"], "epoch": round(entry["epoch"], 4)} | figures
            rows.append(cast(HistoryRow, row))
    return rows


_STEP = {"loss": "loss", "learning_rate": "learning_rate", "grad_norm": "gradient_norm"}


def _step(entry: Mapping[str, Any]) -> dict[str, float]:
    if "loss" not in entry:
        return {}
    return {name: entry[key] for key, name in _STEP.items() if key in entry}


def _evaluation(entry: Mapping[str, Any]) -> dict[str, float]:
    prefix = "eval_"
    return {
        f"validation_{key.removeprefix(prefix)}": value
        for key, value in entry.items()
        if key.startswith(prefix)
    }
