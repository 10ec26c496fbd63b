"""One trial of a sweep: settings in, the history and the best weights out.

``TrialRecord`` is what stays of it, one JSON file a trial; a sweep that is resumed reads them.
"""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Required, TypedDict

import torch

from headtune.errors import ArtifactFormatError, NonFiniteLossError
from headtune.files.plain_json import to_json
from headtune.files.whole_file import write_whole
from headtune.options import RunConfig, TuneConfig
from headtune.progress import SilentProgress
from headtune.report.history import validation_figures
from headtune.run.pipeline import fit_loaded
from headtune.sweep.workbench import Workbench
from headtune.tasks import Task
from headtune.training import BestInMemory
from headtune.types import HistoryRow

__all__ = ["Outcome", "Settings", "TrialRecord", "config_of", "read_records", "run_trial"]


class Settings(TypedDict, total=False):
    """The options of a trial that differ from the others'; ``space.SETTINGS`` has their names."""

    tune: Required[str]
    learning_rate: float
    batch_size: int
    epochs: float
    weight_decay: float
    warmup: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """Settings of a trial and how it went.

    ``state``: "complete", "stopped" (hopeless against the median of the others), "time" (the
    budget was over) or "failed" (its loss was not finite). ``metrics`` are those of the best
    evaluation, on the validation part, None if there was none.
    """

    number: int
    settings: Settings
    state: str
    metrics: dict[str, float] | None
    best_step: int
    n_evaluations: int
    seconds: float
    n_examples: int
    n_tokens: int
    history: list[HistoryRow]

    @property
    def counts(self) -> bool:
        """Whether it can win."""
        return self.metrics is not None and self.state in ("complete", "time")

    def save(self, folder: Path) -> None:
        """One file, in one piece."""
        folder.mkdir(parents=True, exist_ok=True)
        content = to_json(asdict(self), indent=2) + "\n"
        write_whole(folder / f"{self.number:04}.json", content.encode())


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trial that has just been run: its record, and the weights of its best evaluation."""

    record: TrialRecord
    weights: dict[str, torch.Tensor]


def read_records(folder: Path) -> list[TrialRecord]:
    """The trials of an earlier sweep, in order. Raises ``ArtifactFormatError``."""
    records = []
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            records.append(TrialRecord(**json.loads(path.read_text(encoding="utf-8"))))
        except (json.JSONDecodeError, TypeError) as error:
            raise ArtifactFormatError(f"{path} is not the record of a trial: {error}") from error
    return records


def config_of(base: RunConfig, settings: Settings) -> RunConfig:
    """The options of a trial."""
    training: Any = {name: value for name, value in settings.items() if name != "tune"}
    return replace(
        base,
        tune=replace(base.tune, tune=settings["tune"]),
        train=replace(base.train, **training),
    )


def run_trial(
    bench: Workbench,
    number: int,
    settings: Settings,
    *,
    is_hopeless: Callable[[int, float], bool],
    deadline: float | None,
) -> Outcome:
    """Train once. A loss that is not finite is a failed trial, and no error."""
    config = config_of(bench.loaded.config, settings)
    encoded, _ = bench.set_up(TuneConfig(tune=settings["tune"]))
    options, task = config.train, bench.loaded.task
    best = BestInMemory(
        task.best_metric(options.best_metric),
        patience=options.early_stopping,
        is_hopeless=is_hopeless,
        deadline=deadline,
    )
    start = time.perf_counter()
    result = None
    with tempfile.TemporaryDirectory(prefix="headtune-") as folder:
        try:
            result = fit_loaded(
                replace(bench.loaded, config=config),
                encoded,
                folder=Path(folder),
                progress=SilentProgress(),
                best=best,
            )
        except NonFiniteLossError:
            best.ended = "failed"
    history = result.history if result else []
    record = TrialRecord(
        number=number,
        settings=settings,
        state={"hopeless": "stopped", "time": "time", "failed": "failed"}.get(
            best.ended, "complete"
        ),
        metrics=_metrics_at(history, best.step, task),
        best_step=best.step,
        n_evaluations=best.n_evaluations,
        seconds=round(time.perf_counter() - start, 3),
        n_examples=result.n_examples if result else 0,
        n_tokens=result.n_tokens if result else 0,
        history=history,
    )
    return Outcome(record, best.state)


def _metrics_at(history: list[HistoryRow], step: int, task: Task) -> dict[str, float] | None:
    """What was measured at a step: ``loss`` and the task's other figures."""
    for row in history:
        if row["step"] == step and "validation_loss" in row:
            names = [figure.option for figure in task.best_metrics]
            return {name: figure for name in names for _, figure in validation_figures([row], name)}
    return None
