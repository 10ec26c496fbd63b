"""``headtune train`` without its command line: a table in, a proved run folder out.

    read and split -> pipeline.py (tokens, model, training) -> baselines -> report -> artifact

While it works, checkpoints lie in a hidden folder beside the target, with the options that made
them; a killed run goes on from there with ``resume``. The target appears when everything is in it
and has been loaded in a fresh process.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from headtune.artifact import Manifest, check_target, choose_probes, save_artifact
from headtune.artifact.layout import (
    CURVES,
    HISTORY,
    PREDICTIONS,
    RELIABILITY,
    REPORT_PAGE,
    SET_ASIDE,
)
from headtune.data import prepare, set_aside_sentence, write_parts, write_set_aside
from headtune.errors import ConfigError, option
from headtune.files.claims import claimed
from headtune.options import RunConfig
from headtune.processes import is_main, leave_group, n_processes, rank
from headtune.progress import Progress, SilentProgress, Stopwatch
from headtune.report import (
    Baseline,
    Report,
    baseline_figures,
    build_report,
    collect_evidence,
    leak_sentence,
    measure_baselines,
    measure_linear_probe,
    write_history,
)
from headtune.report.answers import Answers, write_answers
from headtune.run.checkpoints import UnfinishedRun
from headtune.run.fitted import Fitted
from headtune.run.loading import encode, find_model, plan_classifier
from headtune.run.pipeline import fit_classifier
from headtune.training import count_steps
from headtune.types import PreparedData
from headtune.wording.numbers import count

__all__ = ["can_resume", "help_train", "plan_run", "prove_run", "say_data", "train_run"]

LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "datasets", "scikit-learn")


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
    progress: Progress | None = None,
) -> Report:
    """Train on a table, test, and write the run folder ``out``.

    Where several processes were launched, this is for the main one; the others ``help_train``.

    Args:
        overwrite: Replace a run that is there, and forget an unfinished one.
        resume: Go on with an unfinished run of the same options and the same data.

    Raises:
        HeadtuneError: Of the stage that cannot go on; see ``errors.py``.
    """
    progress = progress or SilentProgress()
    if not is_main():
        raise ConfigError(f"train_run is for process 0; process {rank()} calls help_train.")
    _check_processes(config)
    with claimed(out):
        return _train(config, out, progress, overwrite=overwrite, resume=resume)


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
    summary: dict[str, Any] = prepared.summary
    work.begin(config, summary["fingerprint"], resume=resume)
    with work.cleared_on_error():
        fitted = fit_classifier(
            prepared, config, folder=work.path, progress=progress, resume=resume, clock=clock
        )
    leave_group()
    report = prove_run(out, prepared, fitted, clock, progress, overwrite=overwrite)
    work.remove()
    return report


def prove_run(
    out: Path,
    prepared: PreparedData,
    fitted: Fitted,
    clock: Stopwatch,
    progress: Progress,
    *,
    overwrite: bool,
    warnings: Sequence[str] = (),
) -> Report:
    """Baselines, report and run folder of a fitted classifier; ``warnings`` come first in it."""
    with clock.stage("baselines", "Measuring baselines"):
        baselines = _measure_baselines(prepared, fitted)
    with clock.stage("suspects", "Looking for wrong labels"):
        suspects = _find_suspects(prepared, fitted)
    with clock.stage("save", "Saving, and loading it in a fresh process"):
        report = _report(prepared, fitted, baselines, suspects)
        report = replace(report, warnings=(*warnings, *report.warnings))
        return _save(out, prepared, fitted, report, overwrite=overwrite, progress=progress)


def can_resume(out: Path) -> bool:
    """Whether an unfinished run of ``out`` has a checkpoint to go on from."""
    return UnfinishedRun.of(out).has_checkpoint


def plan_run(
    config: RunConfig, *, out: Path | None = None, overwrite: bool = False
) -> dict[str, Any]:
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
    """One line for how the columns were found, one for the rows."""
    summary: dict[str, Any] = prepared.summary
    progress.say(f"{summary['columns']['found']}.")
    parts = ", ".join(f"{len(part):,} {name}" for name, part in prepared.parts.items() if part)
    progress.say(f"{summary['rows_read']:,} rows read: {parts}.")
    if prepared.set_aside:
        progress.say(set_aside_sentence(len(prepared.set_aside), prepared.set_aside[0]))


def _report(
    prepared: PreparedData,
    fitted: Fitted,
    baselines: dict[str, Baseline],
    suspects: dict[str, Any],
) -> Report:
    return build_report(
        config=fitted.config.to_dict(),
        data=prepared.summary,
        labels=prepared.labels,
        model={
            "id": fitted.config.model.model,
            "total_parameters": fitted.parameters.total,
            "trainable_parameters": fitted.parameters.trainable,
            "dtype": fitted.compute.dtype_name,
            "device": str(fitted.compute.device),
            "reasons": [fitted.compute.reason],
            "best_step": fitted.result.best_step,
        },
        before=fitted.before,
        after=fitted.after,
        baselines=baseline_figures(baselines, prepared, fitted.task),
        speed=fitted.speed(),
        truncated=fitted.encoded.truncated,
        history=fitted.result.history,
        warnings=_warnings(prepared, fitted),
        evidence={**collect_evidence(fitted.measured(prepared), baselines), **suspects},
    )


def _measure_baselines(prepared: PreparedData, fitted: Fitted) -> dict[str, Baseline]:
    """Those that were asked for."""
    options, seed, task = fitted.config.report, fitted.config.train.seed, fitted.task
    baselines = measure_baselines(prepared, seed, task) if options.baselines else {}
    if options.linear_probe and fitted.frozen is not None:
        baselines["linear_probe"] = measure_linear_probe(fitted.frozen, prepared, seed, task)
    return baselines


def _find_suspects(prepared: PreparedData, fitted: Fitted) -> dict[str, Any]:
    if not fitted.config.report.suspect_labels or fitted.frozen is None:
        return {}
    from headtune.report.suspects import find_suspects  # cleanlab takes seconds to import

    return find_suspects(fitted.frozen, prepared, fitted.task)


def _warnings(prepared: PreparedData, fitted: Fitted) -> list[str]:
    """What a reader should know before believing the figures."""
    summary: dict[str, Any] = prepared.summary
    warnings = []
    if leaked := leak_sentence(summary):
        warnings.append(leaked)
    if conflicting := summary.get("conflicting_texts"):
        warnings.append(f"{count(conflicting, 'text')} with different labels.")
    if cut := sum(fitted.encoded.truncated.values()):
        warnings.append(f"{count(cut, 'text')} cut at {fitted.encoded.max_length:,} tokens.")
    warnings += fitted.settled.notes
    if not prepared.test:
        warnings.append("There is no test part: nothing says how well this works on new texts.")
    return warnings


def _save(
    out: Path,
    prepared: PreparedData,
    fitted: Fitted,
    report: Report,
    *,
    overwrite: bool,
    progress: Progress,
) -> Report:
    """Write the run folder; the report again, with the time that saving took until it was written.

    What comes after that, the proof in a fresh process, cannot be in a report that it proves.
    """
    from headtune.report.curves import draw_curves  # matplotlib takes a second to import
    from headtune.report.page import report_page
    from headtune.report.reliability import draw_reliability

    manifest = _manifest(prepared, fitted)

    start = time.perf_counter()
    written: list[Report] = []

    def write_evidence(folder: Path) -> None:
        seconds = fitted.seconds | {"save": time.perf_counter() - start}
        timed = replace(report, speed={**report.speed, "wall_seconds": seconds})
        timed.save(folder)
        written.append(timed)
        write_history(list(report.history), folder / HISTORY)
        title = f"{Path(fitted.config.source).name}, {fitted.config.model.model}"
        draw_curves(
            list(report.history),
            folder / CURVES,
            title=title,
            kept_step=fitted.result.best_step if prepared.validation else None,
        )
        if report.calibration and fitted.config.report.calibrate:
            draw_reliability(report.calibration, folder / RELIABILITY)
        if fitted.config.report.page:
            made_with = {"headtune": manifest.headtune_version, **manifest.libraries}
            page = report_page(timed.to_dict(), str(out), made_with)
            (folder / REPORT_PAGE).write_text(page, encoding="utf-8")
        if fitted.config.report.predictions and fitted.logits:
            answers = {
                part: Answers.of(prepared.parts[part], probabilities, prepared.labels, fitted.task)
                for part, probabilities in fitted.measured(prepared).after.items()
            }
            write_answers(answers, folder / PREDICTIONS)
        if prepared.set_aside:
            write_set_aside(prepared.set_aside, folder / SET_ASIDE)
        if fitted.config.data.save_split:
            write_parts(prepared, folder)

    probe_from = prepared.validation or prepared.test or prepared.train
    probe_texts = choose_probes(probe_from, len(fitted.labels), fitted.config.train.seed)
    proof = save_artifact(
        out,
        fitted.contents(manifest, probe_texts),
        overwrite=overwrite,
        write_evidence=write_evidence,
        card=report.to_dict(),
    )
    same = "bit for bit" if proof.bit_equal else f"to {proof.max_probability_difference:.1g}"
    progress.say(f"Loaded in a fresh process: {proof.n_probes} probe texts agree {same}.")
    return written[0]


def _manifest(prepared: PreparedData, fitted: Fitted) -> Manifest:
    summary: dict[str, Any] = prepared.summary
    columns: dict[str, Any] = summary["columns"]
    shown = (*(figure.key for figure in fitted.task.headline), "n")
    metrics = {
        when: {
            part: {key: figures[key] for key in shown}
            for part, figures in scores.items()
            if figures is not None
        }
        for when, scores in (("before", fitted.before), ("after", fitted.after))
    }
    return replace(
        fitted.manifest(),
        text_column=columns["text"],
        label_column=columns["label"],
        template=columns["template"],
        data_fingerprint=summary["fingerprint"],
        metrics=metrics,
        libraries={name: version(name) for name in LIBRARIES},
        headtune_version=version("headtune"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
