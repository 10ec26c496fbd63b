"""What a run folder says of itself, without loading it.

Read from the manifest, whose types and seal are checked; from the sizes of the files it lists; and
from a look at where its base model lies on this machine. Nothing is downloaded, converted, hashed
or run: that is ``load_artifact``, which proves what is only said here.

Costs: no import of torch; for a hub id the import of huggingface_hub.
"""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from headtune.artifact.layout import MANIFEST, require_run_folder, storage_of, weights_file
from headtune.artifact.manifest import Manifest
from headtune.errors import TamperedArtifactError
from headtune.pretrained import locate_pretrained
from headtune.tasks import task_named

__all__ = ["Figures", "Library", "NeededBase", "RunInfo", "describe_run"]


@dataclass(frozen=True, slots=True)
class NeededBase:
    """The base model a run is loaded on top of; ``path`` and ``bytes`` are None if not here."""

    name: str
    revision: str | None
    sha256: str
    path: Path | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Library:
    """A library's version where the run was made, and here; None where it is not installed."""

    made_with: str
    here: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Headline figures of the tuned model on one part; the interval is Wilson's of 95 %."""

    n: int
    accuracy: float
    interval: tuple[float, float]
    macro_f1: float
    log_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """A run at a glance.

    Attributes:
        path: The folder.
        labels: Names in the order of logits.
        base_model: Name of the model it started from, ``model_type`` its architecture.
        tune: What was trained, with its options.
        weights: The file that holds the weights.
        source: The table, as it was named in training; None for texts given in Python.
        split_special_tokens: Whether special tokens in a text are read as text.
        columns: The text, label and template options that the table was read with.
        before, after: Part of the data -> figures before tuning and after.
        bytes: All files of the run together; ``n_files`` of them.
        needs: The base model it is loaded on, None where the run holds all weights.
        libraries: Name -> versions.
    """

    path: Path
    labels: tuple[str, ...]
    base_model: str
    model_type: str
    tune: dict[str, Any]
    weights: str
    pooling: str
    attention: str
    max_length: int
    split_special_tokens: bool
    dtype: str
    temperature: float
    thresholds: dict[str, float]
    abstain_below: float | None
    coverage: float | None
    source: str | None
    columns: dict[str, str | None]
    data_fingerprint: str
    seeds: dict[str, int]
    before: dict[str, Figures]
    after: dict[str, Figures]
    n_files: int
    bytes: int
    needs: NeededBase | None
    libraries: dict[str, Library]
    headtune_version: str
    created: str


def describe_run(run: str | Path, *, model: str | None = None) -> RunInfo:
    """What a run is, what made it, from which data, how good it was, and what it needs.

    ``model`` says where the base model is, if not where the manifest says.

    Raises ``ArtifactNotFoundError`` and ``ArtifactFormatError`` where there is no run to read, and
    ``TamperedArtifactError`` if its manifest was changed or a file of it is missing.
    """
    folder = require_run_folder(Path(run))
    manifest = Manifest.load(folder)
    storage = storage_of(str(manifest.tune["tune"]), has_base=bool(manifest.base_model.sha256))
    source = manifest.config.get("source")
    return RunInfo(
        path=folder,
        labels=manifest.labels,
        base_model=manifest.base_model.name,
        model_type=manifest.base_model.model_type,
        tune=manifest.tune,
        weights=weights_file(storage),
        pooling=manifest.pooling,
        attention=manifest.attention,
        max_length=manifest.max_length,
        split_special_tokens=manifest.split_special_tokens,
        dtype=manifest.dtype,
        temperature=manifest.temperature,
        thresholds=manifest.thresholds,
        abstain_below=manifest.abstain_below,
        coverage=manifest.coverage,
        source=str(source) if source not in (None, "", "python") else None,
        columns={
            "text": manifest.text_column,
            "label": manifest.label_column,
            "template": manifest.template,
        },
        data_fingerprint=manifest.data_fingerprint,
        seeds=manifest.seeds,
        before=_figures(manifest, "before"),
        after=_figures(manifest, "after"),
        n_files=len(manifest.files) + 1,
        bytes=_size_of_run(folder, manifest),
        needs=None if storage == "whole" else _needed_base(manifest, model),
        libraries={name: Library(str(v), _installed(name)) for name, v in _made_with(manifest)},
        headtune_version=manifest.headtune_version,
        created=manifest.created,
    )


def _figures(manifest: Manifest, when: str) -> dict[str, Figures]:
    """The parts that were measured; a table without a test part has none of it."""
    found = {}
    by_part = manifest.metrics.get(when)
    for part, values in by_part.items() if isinstance(by_part, dict) else ():
        try:
            n, accuracy = int(values["n"]), float(values["accuracy"])
            interval = task_named(manifest.task).interval({"n": n, "accuracy": accuracy})
            macro_f1, log_loss = float(values["macro_f1"]), float(values["log_loss"])
        except (KeyError, TypeError, ValueError, ArithmeticError):  # of no rows, of 10 ** 30
            continue
        found[part] = Figures(n, accuracy, interval, macro_f1, log_loss)
    return found


def _size_of_run(folder: Path, manifest: Manifest) -> int:
    total = (folder / MANIFEST).stat().st_size
    for name in manifest.files:
        if not (folder / name).is_file():
            raise TamperedArtifactError(f"{folder / name} is missing from this run.")
        total += (folder / name).stat().st_size
    return total


def _needed_base(manifest: Manifest, model: str | None) -> NeededBase:
    base = manifest.base_model
    path = locate_pretrained(model or base.name, revision=None if model else base.revision)
    return NeededBase(base.name, base.revision, base.sha256, path, _size_of(path))


def _size_of(path: Path | None) -> int | None:
    if path is None:
        return None
    try:
        files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
        return sum(file.stat().st_size for file in files)
    except OSError:  # of a folder that may not be looked into
        return None


def _made_with(manifest: Manifest) -> list[tuple[str, Any]]:
    return [("headtune", manifest.headtune_version), *manifest.libraries.items()]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except (PackageNotFoundError, ValueError):  # a ValueError for a name that is none
        return None
