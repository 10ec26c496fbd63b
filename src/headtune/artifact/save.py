"""A fitted classifier to a run folder, all of it or nothing.

Everything is written into a hidden folder beside the target, loaded and probed in a fresh
process, and only then put in place in one step (``files/publish.py``): no reader sees half of it,
and a run that does not load is never called good. A killed save leaves the hidden folder, which the
next one of the same name removes.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from transformers import PreTrainedTokenizerBase

from headtune.artifact.layout import MANIFEST, MODEL_CARD, storage_of
from headtune.artifact.manifest import BaseModel, Manifest, file_hashes
from headtune.artifact.model_card import CardValues, model_card
from headtune.artifact.probes import ProbeResult, write_probes
from headtune.artifact.verify import verify_in_fresh_process
from headtune.artifact.weights import write_weights
from headtune.errors import ArtifactError, option
from headtune.files.publish import in_place, publish, recover, staging
from headtune.model import SequenceClassifier
from headtune.options import MachineConfig, TuneConfig
from headtune.tasks import SINGLE_LABEL, Task
from headtune.types import LabelSet

__all__ = ["ArtifactContents", "check_target", "save_artifact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactContents:
    """What goes into a run folder besides the evidence.

    ``probe_texts`` are answered while saving; ``manifest`` comes without files and hashes.
    """

    classifier: SequenceClassifier
    tokenizer: PreTrainedTokenizerBase
    labels: LabelSet
    tune: TuneConfig
    machine: MachineConfig
    manifest: Manifest
    probe_texts: list[str]
    task: Task = SINGLE_LABEL


def check_target(out: Path, *, overwrite: bool) -> None:
    """Raise ``ArtifactError`` now if ``out`` could not be written at the end of a run."""
    if in_place(out).exists() and not overwrite:
        raise ArtifactError(
            f"{out} exists already.",
            option="out",
            way_out=f"Choose another folder with {option('out')}, or replace it with "
            f"{option('overwrite', True)}.",
        )
    in_use = out.is_file() or (out.is_dir() and any(out.iterdir()))
    if in_use and not (out / MANIFEST).is_file():
        raise ArtifactError(f"{out} is not a headtune run, so it is not overwritten.", option="out")
    nearest = next(parent for parent in out.absolute().parents if parent.exists())
    if not nearest.is_dir():
        raise ArtifactError(f"{out.parent} cannot be made: {nearest} is a file.", option="out")
    if not os.access(nearest, os.W_OK):
        raise ArtifactError(
            f"{nearest} cannot be written to.",
            option="out",
            way_out=f"Choose another {option('out')}.",
        )


def save_artifact(
    out: Path,
    contents: ArtifactContents,
    *,
    overwrite: bool = False,
    write_evidence: Callable[[Path], None] = lambda folder: None,
    card: CardValues | None = None,
) -> ProbeResult:
    """Write, prove and publish a run folder.

    Args:
        write_evidence: Called with the hidden folder, to add report, history and pictures.
        card: The report's values for the model card.

    Raises:
        ArtifactError: ``out`` exists, or cannot be written.
        ProbeError: The written folder does not load, or answers differently.
    """
    check_target(out, overwrite=overwrite)
    try:
        recover(out)
        with staging(out) as work:
            _write(work, contents)
            write_evidence(work)
            text = model_card(contents.manifest, card or {}, out.name)
            (work / MODEL_CARD).write_text(text, encoding="utf-8")
            _seal(work, contents.manifest)
            proof = verify_in_fresh_process(work, contents.machine)
            publish(work, out)
    except (OSError, SafetensorError) as error:  # of which a full disk is one, too
        raise ArtifactError(f"{out} cannot be written: {error}.", option="out") from error
    return proof


def _write(folder: Path, contents: ArtifactContents) -> None:
    base: BaseModel = contents.manifest.base_model
    storage = storage_of(contents.tune.tune, has_base=bool(base.sha256))
    contents.tokenizer.save_pretrained(folder)
    write_probes(
        folder,
        contents.probe_texts,
        contents.classifier,
        contents.tokenizer,
        contents.labels,
        contents.manifest.max_length,
        contents.task,
    )
    write_weights(contents.classifier, folder, storage, contents.tune, contents.labels, base.name)


def _seal(folder: Path, manifest: Manifest) -> None:
    """Write the manifest with the sha256 of every other file.

    safetensors writes for the owner's eyes only; a run folder is to be shared, so every file gets
    the rights that a file is given here by default.
    """
    manifest.files.clear()
    manifest.files.update(file_hashes(folder))
    manifest.save(folder)
    rights = (folder / MANIFEST).stat().st_mode
    for name in manifest.files:
        (folder / name).chmod(rights)
