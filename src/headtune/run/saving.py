"""A fitted classifier and its report to a run folder, which is loaded in a fresh process first."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from headtune.artifact import Manifest, choose_probes, save_artifact
from headtune.artifact.layout import (
    CURVES,
    HISTORY,
    PREDICTIONS,
    RELIABILITY,
    REPORT_PAGE,
    SET_ASIDE,
)
from headtune.data import write_parts, write_set_aside
from headtune.progress import Progress
from headtune.report import Report, write_history
from headtune.report.answers import Answers, write_answers
from headtune.run.fitted import Fitted
from headtune.types import PreparedData

__all__ = ["save_run"]

LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "datasets", "scikit-learn")


def save_run(
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
    manifest = _manifest(prepared, fitted)
    start = time.perf_counter()
    written: list[Report] = []

    def write_evidence(folder: Path) -> None:
        seconds = fitted.seconds | {"save": time.perf_counter() - start}
        timed = replace(report, speed={**report.speed, "wall_seconds": seconds})
        timed.save(folder)
        written.append(timed)
        _write_pictures(timed, prepared, fitted, folder)
        _write_page(timed, fitted, manifest, out, folder)
        _write_rows(prepared, fitted, folder)

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


def _write_pictures(report: Report, prepared: PreparedData, fitted: Fitted, folder: Path) -> None:
    """The history, and the pictures of it and of calibration."""
    from headtune.report.curves import draw_curves  # matplotlib takes a second to import
    from headtune.report.reliability import draw_reliability

    write_history(list(report.history), folder / HISTORY)
    draw_curves(
        list(report.history),
        folder / CURVES,
        title=f"{Path(fitted.config.source).name or 'data'}, {fitted.config.model.model}",
        kept_step=fitted.result.best_step if prepared.validation else None,
    )
    if report.calibration and fitted.config.report.calibrate:
        draw_reliability(report.calibration, folder / RELIABILITY)


def _write_page(
    report: Report, fitted: Fitted, manifest: Manifest, out: Path, folder: Path
) -> None:
    if not fitted.config.report.page:
        return
    from headtune.report.page import report_page  # Jinja

    made_with = {"headtune": manifest.headtune_version, **manifest.libraries}
    page = report_page(report.to_dict(), str(out), made_with)
    (folder / REPORT_PAGE).write_text(page, encoding="utf-8")


def _write_rows(prepared: PreparedData, fitted: Fitted, folder: Path) -> None:
    """Answers to the rows held back, rows set aside, and the parts where they are to be kept."""
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


def _manifest(prepared: PreparedData, fitted: Fitted) -> Manifest:
    summary = prepared.summary
    columns = summary["columns"]
    shown = fitted.task.headline
    metrics = {
        when: {
            part: {figure.key: figure.of(figures) for figure in shown} | {"n": figures["n"]}
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
        missing=fitted.config.data.missing,
        data_fingerprint=summary["fingerprint"],
        metrics=metrics,
        libraries={name: version(name) for name in LIBRARIES},
        headtune_version=version("headtune"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
