"""What a run folder brings to a comparison: the answers it kept, and what it cost.

Nothing here loads a model. The predictions are checked against the manifest's sha256 first.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from headtune.artifact import Manifest
from headtune.artifact.layout import PREDICTIONS, REPORT, require_run_folder
from headtune.artifact.manifest import verify_file
from headtune.errors import ArtifactNotFoundError, PredictionError, option
from headtune.report.answers import Answers, read_answers
from headtune.report.entries import Costs, ReportValues
from headtune.tasks import task_named

__all__ = ["costs_of", "kept_answers", "names_of"]

GIVE_A_TABLE = (
    "Give a labelled table to test all of them on: headtune compare RUN RUN held-back.csv"
)


def names_of(runs: Sequence[Path]) -> list[str]:
    """What to call each: the folder's name, or its path where two are named alike.

    Raises ``PredictionError`` where a run is given twice.
    """
    if len({run.resolve() for run in runs}) < len(runs):
        raise PredictionError("A run is compared with itself: each run can be given once.")
    names = [run.resolve().name for run in runs]
    return names if len(set(names)) == len(names) else [str(run) for run in runs]


def kept_answers(runs: Mapping[str, Path]) -> tuple[str, dict[str, Answers]]:
    """The part that all runs can be compared on, test before validation; name -> answers.

    Raises ``ArtifactNotFoundError`` where a run kept none, ``PredictionError`` where there is no
    such part, and what is wrong with a folder.
    """
    kept = {name: _read(run) for name, run in runs.items()}
    for part in ("test", "validation"):
        if all(part in answers for answers in kept.values()):
            return part, {name: answers[part] for name, answers in kept.items()}
    raise PredictionError(
        "The runs have no part in common: some were tested, others only validated.",
        way_out=GIVE_A_TABLE,
    )


def _read(run: Path) -> dict[str, Answers]:
    folder = require_run_folder(run)
    manifest = Manifest.load(folder)
    files = manifest.files
    if PREDICTIONS not in files:
        raise ArtifactNotFoundError(
            f"{run} kept no predictions: it was made by an older headtune, with "
            f"{option('predictions', False)} or without a part to test on.",
            way_out=GIVE_A_TABLE,
        )
    verify_file(folder, PREDICTIONS, files[PREDICTIONS])
    return read_answers(folder / PREDICTIONS, task_named(manifest.task))


def costs_of(run: Path) -> Costs:
    """What the run was, how large its folder is, and what it took to make; None where unknown."""
    folder = require_run_folder(run)
    manifest = Manifest.load(folder)
    path = folder / REPORT
    report: ReportValues = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    model, speed = report.get("model", {}), report.get("speed", {})
    seconds = speed.get("wall_seconds") or {}
    return {
        "model": manifest.base_model.name,
        "tune": manifest.tune["tune"],
        "total_parameters": model.get("total_parameters"),
        "trainable_parameters": model.get("trainable_parameters"),
        "folder_bytes": sum(file.stat().st_size for file in folder.iterdir() if file.is_file()),
        "run_seconds": sum(seconds.values()) if seconds else None,
        "train_examples_per_second": speed.get("examples_per_second"),
    }
