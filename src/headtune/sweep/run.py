"""``headtune sweep`` without its command line: trials on a shared trunk, and a proved winner.

    read and split -> model and kept texts, once -> trials -> the winner's test, once -> its run

The validation part is looked at once an evaluation, by every trial. The best of many looks is
better than it is true; so the looks are counted and said, and the test part, which no trial sees,
is scored once, with the winner's weights.
"""

import json
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Required, TypedDict

from headtune.artifact import check_target
from headtune.data import prepare
from headtune.errors import ArtifactError, CanResume, ConfigError, option
from headtune.files.claims import claimed
from headtune.files.plain_json import JsonObject, to_json
from headtune.files.plain_values import plain
from headtune.files.whole_file import write_whole
from headtune.notebook import Listener, listening
from headtune.options import RunConfig, TuneConfig
from headtune.processes import n_processes
from headtune.progress import Progress, Stopwatch
from headtune.report import Report
from headtune.run.checkpoints import check_same_data
from headtune.run.fitted import Fitted
from headtune.run.kept import say_kept
from headtune.run.loading import load_classifier
from headtune.run.prove import prove_run
from headtune.run.train import say_data
from headtune.sweep.search import TRIALS, Search
from headtune.sweep.space import Space, deepest
from headtune.sweep.trial import TrialRecord
from headtune.sweep.workbench import Workbench
from headtune.tasks.figures import Metrics
from headtune.training import one_fit
from headtune.types import PreparedData

__all__ = ["Sweep", "can_resume", "run_sweep"]

OPTIONS, SUMMARY, PICTURE, BEST = "options.json", "sweep.json", "sweep.png", "best"


class Begun(TypedDict, total=False):
    """What a sweep was begun with: options of all trials, what is searched, and the data."""

    config: Required[JsonObject]
    space: Required[JsonObject]
    data_fingerprint: str | None


class SweepValues(TypedDict):
    """``sweep.json``: trials as their own files have them, from best to worst."""

    metric: str
    looks_at_validation: int
    winner: int
    seconds: float
    frozen_texts_run: int
    test: Metrics | None
    trials: list[JsonObject]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep found: trials from best to worst, and the report of the winner's run.

    ``looks`` counts the evaluations on the validation part that the winner was picked from.
    """

    trials: list[TrialRecord]
    winner: TrialRecord
    metric: str
    looks: int
    seconds: float
    frozen_texts_run: int
    report: Report

    def sentence(self) -> str:
        """What the winner's validation figure is worth."""
        return (
            f"Trial {self.winner.number} is the best of {len(self.trials):,} trials by validation "
            f"{self.metric.replace('_', ' ')}, picked from {self.looks:,} looks at the validation "
            "part: its validation figures are optimistic. The test part was looked at once."
        )

    def to_dict(self) -> SweepValues:
        """Plain JSON values."""
        values: SweepValues = plain(
            {
                "metric": self.metric,
                "looks_at_validation": self.looks,
                "winner": self.winner.number,
                "seconds": self.seconds,
                "frozen_texts_run": self.frozen_texts_run,
                "test": self.report.after["test"],
                "trials": [asdict(trial) for trial in self.trials],
            }
        )
        return values


def run_sweep(
    config: RunConfig,
    space: Space,
    *,
    out: Path,
    trials: int,
    seconds: float | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Listener = None,
) -> Sweep:
    """Try settings, and write the best one's run to ``out/best``.

    Args:
        config: What all trials share.
        trials: How many in all, those of a resumed sweep included.
        seconds: No trial begins, and none goes on, after so long.
        resume: Go on with the sweep in ``out``.
        progress: Hears what is done; None shows a bar in a notebook, False nothing anywhere.

    Raises:
        ConfigError: No validation part, or the folder is taken.
        MissingDependencyError: Optuna is not installed.
        HeadtuneError: As the stages say.
        CanResume: Stopped by Ctrl-C, with trials to go on from; ``KeyboardInterrupt`` where there
            are none.
    """
    if n_processes() > 1:
        raise ConfigError(
            "headtune sweep is one process; it was started as several (torchrun, accelerate "
            "launch).",
            way_out="Start it once.",
        )
    with claimed(out), listening(progress) as heard, one_fit(heard):
        try:
            return _sweep(
                config, space, out, trials, seconds, heard, overwrite=overwrite, resume=resume
            )
        except KeyboardInterrupt as stop:
            if can_resume(out):
                raise CanResume("the last finished trial") from stop
            raise KeyboardInterrupt(
                "Stopped before the first trial; nothing is left to go on from."
            ) from stop


def _sweep(
    config: RunConfig,
    space: Space,
    out: Path,
    trials: int,
    seconds: float | None,
    progress: Progress,
    *,
    overwrite: bool,
    resume: bool,
) -> Sweep:
    start = time.monotonic()
    options: Begun = plain(
        {"config": config.to_dict(), "space": {k: asdict(v) for k, v in space.items()}}
    )
    _check(out, options, overwrite=overwrite, resume=resume)
    clock = Stopwatch(progress)
    with clock.stage("read", "Reading"):
        prepared = prepare(config.source, config.data)
        say_data(prepared, progress)
        if not prepared.validation:
            raise ConfigError(
                f"A sweep ranks on the validation part; {option('split')} leaves it empty.",
                option="split",
            )
        begun: Begun = {**options, "data_fingerprint": prepared.summary["fingerprint"]}
        if resume:
            check_same_data(_recorded(out), begun, config.source)
    tunes = deepest(space)
    base = replace(config, tune=TuneConfig(tune="head"))
    loaded = load_classifier(prepared, base, progress, clock)
    with clock.stage("trunk", "Running the frozen layers, once"):
        bench = Workbench(loaded, tunes, progress)
        say_kept(bench.counts, progress)
    if not resume:
        _begin(out, begun)
    with clock.stage("train", f"Trying {trials:,} settings"):
        search = Search(bench, prepared, space, out)
        deadline = None if seconds is None else start + seconds
        search.run(trials, deadline, progress)
    fitted = search.winner(clock, progress)
    report = _save(out, search, prepared, fitted, clock, progress)
    sweep = Sweep(
        trials=search.ranked(),
        winner=search.best,
        metric=search.metric,
        looks=search.looks,
        seconds=time.monotonic() - start,
        frozen_texts_run=bench.counts.n_run if bench.counts else 0,
        report=report,
    )
    _finish(out, sweep, base)
    return sweep


def can_resume(out: Path) -> bool:
    """Whether there is a sweep in ``out`` to go on with."""
    return (out / OPTIONS).is_file()


def _check(out: Path, options: Begun, *, overwrite: bool, resume: bool) -> None:
    """Raises ``ConfigError`` or ``ArtifactError`` where the user must choose."""
    check_target(out / BEST, overwrite=True)
    if resume:
        if not can_resume(out):
            raise ConfigError(
                f"There is no sweep in {out} to go on with.",
                option="resume",
                way_out=f"Leave out {option('resume', True)}.",
            )
        if {**_recorded(out), "data_fingerprint": None} != {**options, "data_fingerprint": None}:
            raise ConfigError(
                f"The sweep in {out} had other options.",
                option="resume",
                way_out=f"Resume with the same, or start anew with {option('overwrite', True)}.",
            )
        return
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        if not can_resume(out):
            raise ArtifactError(f"{out} is not a sweep, so it is not overwritten.", option="out")
        if not overwrite:
            raise ConfigError(
                f"A sweep is in {out} already.",
                option="out",
                way_out=f"Go on with {option('resume', True)}, replace it with "
                f"{option('overwrite', True)}, or choose another folder with {option('out')}.",
            )


def _recorded(out: Path) -> Begun:
    recorded: Begun = json.loads((out / OPTIONS).read_text(encoding="utf-8"))
    return recorded


def _begin(out: Path, options: Begun) -> None:
    """Make the folder, with nothing in it of an earlier sweep."""
    check_target(out / BEST, overwrite=True)
    for earlier in (TRIALS, BEST):
        shutil.rmtree(out / earlier, ignore_errors=True)
    for old in (*out.glob(".weights-*"), out / SUMMARY, out / PICTURE):
        old.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / OPTIONS, (to_json(options, indent=2) + "\n").encode())


def _save(
    out: Path,
    search: Search,
    prepared: PreparedData,
    fitted: Fitted,
    clock: Stopwatch,
    progress: Progress,
) -> Report:
    """The winner as a run folder, proved like any other."""
    warning = (
        f"These settings are the best of {len(search.records):,} trials, picked from "
        f"{search.looks:,} looks at the validation part: validation figures are optimistic."
    )
    return prove_run(
        out / BEST, prepared, fitted, clock, progress, overwrite=True, warnings=[warning]
    )


def _finish(out: Path, sweep: Sweep, base: RunConfig) -> None:
    from headtune.sweep.picture import draw_sweep  # matplotlib takes a second to import

    write_whole(out / SUMMARY, (to_json(sweep.to_dict(), indent=2) + "\n").encode())
    title = f"{Path(base.source).name or 'data'}, {base.model.model}"
    draw_sweep(sweep.trials, sweep.winner, sweep.metric, out / PICTURE, title=title)
