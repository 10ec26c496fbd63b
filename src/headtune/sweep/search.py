"""The trials of a sweep: proposed, run, remembered, ranked.

Optuna proposes settings (tree-structured Parzen estimator: Bergstra et al., "Algorithms for
Hyper-Parameter Optimization", 2011) and says which trials are hopeless: those whose evaluation is
worse than the median of earlier trials at the same point. Every finished trial is a file in the
sweep's folder, and so are the best one's weights, so a kill loses the running trial only.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import optuna
from safetensors.torch import load_file, save_file

from headtune.errors import TrainingError, option
from headtune.model import load_trained_state
from headtune.options import TuneConfig
from headtune.progress import Progress, Stopwatch
from headtune.report.history import validation_figures
from headtune.run.finish import finish
from headtune.run.fitted import Fitted
from headtune.run.untrained import look_before
from headtune.sweep.space import Choice, Range, Space
from headtune.sweep.trial import Outcome, Settings, TrialRecord, config_of, read_records, run_trial
from headtune.sweep.workbench import Workbench
from headtune.training import FitResult
from headtune.types import PreparedData

__all__ = ["TRIALS", "WEIGHTS", "Search"]

TRIALS = "trials"
WEIGHTS = ".weights-{:04}.safetensors"
"""Of the best trial so far, by its number; hidden, since out/best is what a user wants."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Search:
    """The trials so far, and the best one's weights."""

    def __init__(self, bench: Workbench, prepared: PreparedData, space: Space, out: Path) -> None:
        self.bench = bench
        self.prepared = prepared
        self.space = space
        self.out = out
        self.task = bench.loaded.task
        self.figure = self.task.best_metric(bench.loaded.config.train.best_metric)
        self.metric = self.figure.option
        self.records = read_records(out / TRIALS)
        self.distributions = {name: _distribution(values) for name, values in space.items()}
        seed = bench.loaded.config.train.seed + len(self.records)  # no proposal comes twice
        self.study = optuna.create_study(
            direction="maximize" if self.figure.higher_is_better else "minimize",
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
        )
        for record in self.records:
            self._remember(record)

    def run(self, n_trials: int, deadline: float | None, progress: Progress) -> None:
        """Trials until there are so many, or the time is over."""
        progress.start(max(0, n_trials - len(self.records)), "trials")
        while len(self.records) < n_trials and (deadline is None or time.monotonic() < deadline):
            outcome = self._trial(deadline)
            self.records.append(outcome.record)
            is_best = self.best_or_none is outcome.record
            if is_best:
                save_file(outcome.weights, self._weights_of(outcome.record))
            outcome.record.save(self.out / TRIALS)
            if is_best:
                self._forget_other_weights()
            if self.best_or_none and self.best.metrics:
                progress.advance(1, best_loss=self.best.metrics["loss"])
        progress.finish()

    def _weights_of(self, record: TrialRecord) -> Path:
        return self.out / WEIGHTS.format(record.number)

    def _forget_other_weights(self) -> None:
        """Only once the best trial is on record, so that its weights are there whatever happens."""
        for path in self.out.glob(".weights-*"):
            if path != self._weights_of(self.best):
                path.unlink()

    def _trial(self, deadline: float | None) -> Outcome:
        trial = self.study.ask(self.distributions)

        def is_hopeless(number: int, value: float) -> bool:
            trial.report(value, number)
            return trial.should_prune()

        outcome = run_trial(
            self.bench,
            len(self.records),
            cast(Settings, dict(trial.params)),
            is_hopeless=is_hopeless,
            deadline=deadline,
        )
        record = outcome.record
        if record.counts and record.metrics:
            self.study.tell(trial, record.metrics[self.metric])
        else:
            state = optuna.trial.TrialState
            self.study.tell(trial, state=state.PRUNED if record.state == "stopped" else state.FAIL)
        return outcome

    def _remember(self, record: TrialRecord) -> None:
        """Tell the study of a trial that an earlier process ran."""
        if not record.counts or record.metrics is None:
            return
        values = [figure for _, figure in validation_figures(record.history, self.metric)]
        self.study.add_trial(
            optuna.trial.create_trial(
                params={**record.settings},
                distributions=self.distributions,
                value=record.metrics[self.metric],
                intermediate_values=dict(enumerate(values, start=1)),
            )
        )

    @property
    def looks(self) -> int:
        return sum(record.n_evaluations for record in self.records)

    @property
    def best_or_none(self) -> TrialRecord | None:
        return next((record for record in self.ranked() if record.counts), None)

    @property
    def best(self) -> TrialRecord:
        """Raises ``TrainingError`` if no trial came to an evaluation."""
        best = self.best_or_none
        if best is None:
            raise TrainingError(
                "No trial came to an end.",
                option="seconds",
                way_out=f"Give it more {option('seconds')}, or lower {option('learning_rate')}.",
            )
        return best

    def ranked(self) -> list[TrialRecord]:
        """From best to worst; trials that were stopped come after those that were not."""

        def place(record: TrialRecord) -> tuple[bool, bool, float, int]:
            if record.metrics is None:
                return (True, True, 0.0, record.number)
            rank = self.figure.rank(record.metrics[self.metric])
            return (not record.counts, False, rank, record.number)

        return sorted(self.records, key=place)

    def winner(self, clock: Stopwatch, progress: Progress) -> Fitted:
        """The best trial's classifier, scored on validation and test."""
        best = self.best
        config = config_of(self.bench.loaded.config, best.settings)
        encoded, parameters = self.bench.set_up(TuneConfig(tune=best.settings["tune"]))
        loaded = replace(self.bench.loaded, config=config, parameters=parameters)
        with clock.stage("evaluate", "Scoring the best before training"):
            untrained = look_before(loaded, encoded, self.prepared, progress, is_kept=True)
        load_trained_state(loaded.classifier, load_file(self._weights_of(best)))
        result = FitResult(
            history=list(best.history),
            n_steps=max(row["step"] for row in best.history),
            best_step=best.best_step,
            max_tokens_per_batch=config.machine.max_tokens_per_batch or 1,
            n_examples=best.n_examples,
            n_tokens=best.n_tokens,
        )
        fitted = finish(
            loaded, encoded, self.prepared, result, untrained, self.bench.counts, clock, progress
        )
        return replace(fitted, seconds=clock.seconds | {"train": best.seconds})


def _distribution(values: Choice | Range) -> Any:
    if isinstance(values, Choice):
        return optuna.distributions.CategoricalDistribution(values.values)
    if values.whole:
        return optuna.distributions.IntDistribution(
            int(values.low), int(values.high), log=values.by_ratio
        )
    return optuna.distributions.FloatDistribution(values.low, values.high, log=values.by_ratio)
