"""The evidence of a fitted classifier: what it has to beat, which labels look wrong, the report.

fitted -> baselines -> suspect labels -> report -> run folder, proved     saving.py
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headtune.progress import Progress, Stopwatch
from headtune.report import (
    Baseline,
    Report,
    baseline_figures,
    build_report,
    collect_evidence,
    leak_sentence,
    measure_baselines,
    measure_linear_probe,
)
from headtune.report.entries import Suspects
from headtune.run.fitted import Fitted
from headtune.run.saving import save_run
from headtune.types import PreparedData
from headtune.wording.numbers import count

__all__ = ["prove_run"]


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
        return save_run(out, prepared, fitted, report, overwrite=overwrite, progress=progress)


def _report(
    prepared: PreparedData,
    fitted: Fitted,
    baselines: dict[str, Baseline],
    suspects: Suspects,
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


def _find_suspects(prepared: PreparedData, fitted: Fitted) -> Suspects:
    if not fitted.config.report.suspect_labels or fitted.frozen is None:
        return {}
    from headtune.report.suspects import find_suspects  # cleanlab takes seconds to import

    return find_suspects(fitted.frozen, prepared, fitted.task)


def _warnings(prepared: PreparedData, fitted: Fitted) -> list[str]:
    """What a reader should know before believing the figures."""
    summary = prepared.summary
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
