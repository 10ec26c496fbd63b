"""``headtune train`` without its command line: a table in, a proved run folder out.

    read and split -> pipeline.py (tokens, model, training) -> prove.py (baselines, report, folder)

While it works, checkpoints lie in a hidden folder beside the target, with the options that made
them; a killed run goes on from there with ``resume``. The target appears when everything is in it
and has been loaded in a fresh process.
"""

from pathlib import Path

from headtune.artifact import check_target
from headtune.data import prepare, set_aside_sentence
from headtune.errors import CanResume, ConfigError, option
from headtune.files.claims import claimed
from headtune.notebook import Listener, listening
from headtune.options import RunConfig
from headtune.processes import check_launched, is_main, leave_group, n_processes, rank
from headtune.progress import Progress, SilentProgress, Stopwatch
from headtune.report import (
    Report,
)
from headtune.run.checkpoints import UnfinishedRun
from headtune.run.loading import encode, find_model, plan_classifier
from headtune.run.pipeline import fit_classifier
from headtune.run.planned import Plan
from headtune.run.prove import prove_run
from headtune.training import count_steps
from headtune.types import PreparedData

__all__ = ["can_resume", "help_train", "plan_run", "say_data", "train_run"]


def help_train(config: RunConfig, *, out: Path, resume: bool = False) -> None:
    """The part of every process but the main one in ``train_run``: says and writes nothing.

    Raises what ``train_run`` raises.
    """
    _check_processes(config)
    prepared = prepare(config.source, config.data)
    fit_classifier(
        prepared,
        config,
        folder=UnfinishedRun.of(out).path,
        progress=SilentProgress(),
        resume=resume,
    )
    leave_group()


def train_run(
    config: RunConfig,
    *,
    out: Path,
    overwrite: bool = False,
    resume: bool = False,
    progress: Listener = None,
) -> Report:
    """Train on a table, test, and write the run folder ``out``.

    Where several processes were launched, this is for the main one; the others ``help_train``.

    Args:
        overwrite: Replace a run that is there, and forget an unfinished one.
        resume: Go on with an unfinished run of the same options and the same data.
        progress: Hears what is done; None shows a bar in a notebook, False nothing anywhere.

    Raises:
        HeadtuneError: Of the stage that cannot go on; see ``errors.py``.
        CanResume: Stopped by Ctrl-C, with a checkpoint to go on from; ``KeyboardInterrupt``
            where there is none.
    """
    if not is_main():
        raise ConfigError(f"train_run is for process 0; process {rank()} calls help_train.")
    _check_processes(config)
    with claimed(out), listening(progress) as heard:
        try:
            return _train(config, out, heard, overwrite=overwrite, resume=resume)
        except KeyboardInterrupt as stop:
            if can_resume(out):
                raise CanResume("the last checkpoint") from stop
            raise KeyboardInterrupt(
                "Stopped before the first checkpoint; nothing is left to go on from."
            ) from stop


def _train(
    config: RunConfig, out: Path, progress: Progress, *, overwrite: bool, resume: bool
) -> Report:
    check_target(out, overwrite=overwrite)
    work = UnfinishedRun.of(out)
    work.check(config, overwrite=overwrite, resume=resume)
    clock = Stopwatch(progress)
    with clock.stage("read", "Reading"):
        prepared = prepare(config.source, config.data)
        say_data(prepared, progress)
    summary = prepared.summary
    work.begin(config, summary["fingerprint"], resume=resume)
    with work.cleared_on_error():
        fitted = fit_classifier(
            prepared, config, folder=work.path, progress=progress, resume=resume, clock=clock
        )
    leave_group()
    report = prove_run(out, prepared, fitted, clock, progress, overwrite=overwrite)
    work.remove()
    return report


def can_resume(out: Path) -> bool:
    """Whether an unfinished run of ``out`` has a checkpoint to go on from."""
    return UnfinishedRun.of(out).has_checkpoint


def plan_run(config: RunConfig, *, out: Path | None = None, overwrite: bool = False) -> Plan:
    """What ``train_run`` would do: rows, tokens, parameters and steps. Trains nothing.

    Raises what ``train_run`` would raise before training, about ``out`` too if it is given.
    """
    if out is not None:
        check_target(out, overwrite=overwrite)
    prepared = prepare(config.source, config.data)
    encoded = encode(prepared, config, find_model(config, weights=False))
    parameters = plan_classifier(encoded, prepared, config)
    return {
        "data": prepared.summary,
        "model": {
            "id": config.model.model,
            "total_parameters": parameters.total,
            "trainable_parameters": parameters.trainable,
            "tune": config.tune.tune,
        },
        "tokens": {name: counts.to_dict() for name, counts in encoded.counts.items()},
        "max_length": encoded.max_length,
        "training": {
            "steps": count_steps(config.train, len(prepared.train)),
            "batch_size": config.train.batch_size,
        },
    }


def _check_processes(config: RunConfig) -> None:
    """Raises ``ConfigError`` on what several processes cannot do together."""
    check_launched()
    if n_processes() == 1:
        return
    if config.machine.device_map is not None:
        raise ConfigError(
            f"{option('device_map')} spreads one model over all devices; several processes "
            "(torchrun) have a model each.",
            option="device_map",
            way_out="Take one or the other.",
        )
    if config.source == "-":
        raise ConfigError(
            "Several processes cannot all read standard input.",
            option="source",
            way_out="Give a file.",
        )


def say_data(prepared: PreparedData, progress: Progress) -> None:
    """One line for how the columns were found, one for the rows, and one for odd labels."""
    summary = prepared.summary
    if summary["detected"]:
        progress.say(f"Read as: {'; '.join(summary['detected'])}.")
    progress.say(f"{summary['columns']['found']}.")
    parts = ", ".join(f"{len(part):,} {name}" for name, part in prepared.parts.items() if part)
    progress.say(f"{summary['rows_read']:,} rows read: {parts}.")
    if prepared.set_aside:
        progress.say(set_aside_sentence(len(prepared.set_aside), prepared.set_aside[0]))
    for note in summary["notes"]:
        progress.say(f"Note: {note}")
