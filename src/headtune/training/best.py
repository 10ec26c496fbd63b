"""The best weights of a training run, kept in memory: for many short runs beside each other.

``headtune train`` keeps checkpoints, so that it can be killed; a trial of a sweep is over in
seconds and writes nothing. Costs: one copy of the trained tensors.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from transformers import TrainerCallback

from headtune.model import trained_state
from headtune.tasks import Figure

__all__ = ["BestInMemory"]


class BestInMemory(TrainerCallback):  # type: ignore[misc]
    """Remembers the trained tensors of the best evaluation, and ends a run that is not worth more.

    Args:
        metric: Of the validation part; one of the task's ``best_metrics``.
        patience: Evaluations without a better one before the run ends; 0 for no end.
        is_hopeless: Told the number of each evaluation, from 1, and its metric; True ends the run.
        deadline: On the clock of ``time.monotonic``; the run ends at the first evaluation or step
            after it, but not before one evaluation.

    Attributes:
        value: The best metric; None before the first evaluation.
        ended: Why the run ended early: "hopeless", "time", "patience"; "" if it did not.
    """

    def __init__(
        self,
        metric: Figure,
        *,
        patience: int = 0,
        is_hopeless: Callable[[int, float], bool] = lambda number, value: False,
        deadline: float | None = None,
    ) -> None:
        self.metric = metric
        self.patience = patience
        self.is_hopeless = is_hopeless
        self.deadline = deadline
        self.value: float | None = None
        self.step = 0
        self.state: dict[str, torch.Tensor] = {}
        self.n_evaluations = 0
        self.ended = ""
        self._since_best = 0

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: dict[str, float], **kwargs: Any
    ) -> None:
        value = metrics[f"eval_{self.metric.option}"]
        self.n_evaluations += 1
        self._since_best += 1
        if self.value is None or self.metric.is_better(value, self.value):
            self.value, self.step, self._since_best = value, state.global_step, 0
            self.state = trained_state(kwargs["model"])
        if self.is_hopeless(self.n_evaluations, value):
            self._end("hopeless", control)
        elif self.patience and self._since_best >= self.patience:
            self._end("patience", control)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.deadline is not None and time.monotonic() > self.deadline:
            if not self.n_evaluations:
                control.should_evaluate = True
            self._end("time", control)

    def _end(self, reason: str, control: Any) -> None:
        self.ended = self.ended or reason
        control.should_training_stop = True
