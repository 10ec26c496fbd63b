"""Ctrl-C, or a notebook's "interrupt", while a model is trained: what was trained is kept.

    first time    the step at work is the last one: it is scored and kept as the last one of a run
                  is, and all that comes after training goes its way
    second time   ``KeyboardInterrupt``, at once

Before the first step is done there is nothing to keep, so the first time is like the second.

Guarantees: heeds the main thread's signal only, and only where Python's own handler is in place,
which is there again afterwards. One of many fits (scikit-learn's searches, cross-validation and
ensembles, joblib) ends at once: a fold that was cut short would count as a whole one.
"""

import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from transformers import TrainerCallback

from headtune.progress import Progress

__all__ = ["Interruption"]

OF_MANY_FITS = ("joblib.", "sklearn.model_selection.", "sklearn.utils.parallel")


class Interruption(TrainerCallback):  # type: ignore[misc]
    """Ends training after the step at work, when it is asked to.

    Attributes:
        is_asked: Whether somebody has interrupted since a step was done.
        stopped_at: The step that became the last one; None where training came to its end.
        n_steps: How many steps were planned.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.is_asked = False
        self.stopped_at: int | None = None
        self.n_steps = 0
        self._n_done = 0

    @contextmanager
    def heeded(self) -> Iterator["Interruption"]:
        """Within, the first Ctrl-C after the first step is heeded as the top of this file says."""
        before = signal.getsignal(signal.SIGINT)
        mine = threading.current_thread() is threading.main_thread()
        if not mine or before is not signal.default_int_handler or _is_one_of_many_fits():
            yield self
            return
        signal.signal(signal.SIGINT, self._note)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)

    def warn(self, best_step: int) -> None:
        """One warning where training was stopped; ``best_step`` is that of the weights kept."""
        if self.stopped_at is not None:
            warnings.warn(
                f"Interrupted: training ended at step {self.stopped_at:,} of {self.n_steps:,}. The "
                f"classifier has the weights of step {best_step:,}.",
                stacklevel=3,
            )

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.is_asked or not self._n_done:
            signal.default_int_handler(number, frame)
        self.is_asked = True

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The last step of an interrupted run is logged, scored and kept like any last one."""
        self._n_done, self.n_steps = state.global_step, state.max_steps
        if not self.is_asked or state.global_step >= state.max_steps:
            return
        self._stop(state, control)
        control.should_log = True
        control.should_evaluate = args.eval_strategy != "no"
        control.should_save = args.save_strategy != "no"

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Interrupted while the step was scored: no other one is taken."""
        if self.is_asked and self.stopped_at is None and state.global_step < state.max_steps:
            self._stop(state, control)
            control.should_save = args.save_strategy != "no"

    def _stop(self, state: Any, control: Any) -> None:
        self.stopped_at = state.global_step
        control.should_training_stop = True
        self.progress.say(
            f"Interrupted: step {state.global_step:,} is the last one. What was trained is kept; "
            "interrupt again to stop at once."
        )


def _is_one_of_many_fits() -> bool:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if f"{frame.f_globals.get('__name__', '')}.".startswith(OF_MANY_FITS):
            return True
        frame = frame.f_back
    return False
