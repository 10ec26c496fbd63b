"""A run folder to a classifier that answers as it did when it was saved, or an error.

In order: the manifest is checked, every file's sha256, the base model is found and its sha256
compared, the trained tensors are put in, and the probes are answered. Nothing is unpickled, and
no code of the folder is run.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedTokenizerBase

from headtune.artifact.layout import (
    PROBE_TENSORS,
    PROBES,
    Storage,
    require_run_folder,
    storage_of,
    weights_file,
)
from headtune.artifact.manifest import Manifest, verify_files
from headtune.artifact.probes import ProbeResult, check_probes
from headtune.artifact.weights import read_weights
from headtune.errors import (
    ModelNotFoundError,
    TamperedArtifactError,
    option,
)
from headtune.model import (
    Compute,
    SequenceClassifier,
    assemble,
    choose_compute,
    make_trainable,
    token_budget,
)
from headtune.options import AttentionDirection, MachineConfig, ModelConfig, Pooling
from headtune.pretrained import PretrainedFolder, Trust, alone, find_pretrained, weights_sha256
from headtune.tasks import Task, task_named
from headtune.tokens import embedding_size, load_tokenizer
from headtune.types import LabelSet

__all__ = ["LoadedArtifact", "load_artifact"]


@dataclass(frozen=True, slots=True)
class LoadedArtifact:
    """A classifier from a run folder, proved by its probes.

    ``probe_logits`` is what it says of the probe texts, shape ``(n_probes, n_labels)``.
    """

    path: Path
    manifest: Manifest
    classifier: SequenceClassifier
    tokenizer: PreTrainedTokenizerBase
    labels: LabelSet
    compute: Compute
    max_tokens_per_batch: int
    probes: ProbeResult
    probe_logits: npt.NDArray[np.float32]
    task: Task


def load_artifact(
    path: str | Path, *, model: str | None = None, options: MachineConfig | None = None
) -> LoadedArtifact:
    """Load a run.

    Args:
        path: The run folder.
        model: Where the base model is, if not where the manifest says.
        options: How it runs on this machine; what belongs to the classifier (model, pooling,
            attention) comes from the manifest.

    Raises:
        ArtifactNotFoundError, ArtifactFormatError: No run there, or not one that can be read.
        TamperedArtifactError: A file, or the base model, is not the one that was saved.
        ProbeError: The classifier answers differently.
    """
    folder = require_run_folder(Path(path))
    manifest = Manifest.load(folder)
    tune = manifest.tune_config()
    storage = storage_of(tune.tune, has_base=bool(manifest.base_model.sha256))
    verify_files(folder, manifest.files, (weights_file(storage), PROBES, PROBE_TENSORS))
    machine = options or MachineConfig()
    compute = choose_compute(machine)
    labels, task = manifest.label_set, task_named(manifest.task)
    base, read = _base(folder, manifest, storage, model, machine)
    n_outputs = task.n_outputs(labels)
    with alone(), _random_numbers_kept(compute.device):
        classifier = assemble(base, n_outputs, read, machine, compute, packs=manifest.packs)
        make_trainable(classifier, tune)
    read_weights(classifier, folder, storage)
    classifier.requires_grad_(False).eval()
    n_embeddings = embedding_size(classifier.backbone.config)
    tokenizer = load_tokenizer(
        PretrainedFolder(str(folder), folder),
        split_special_tokens=manifest.split_special_tokens or None,  # else as its files say
        n_embeddings=n_embeddings,
    )
    probes, probe_logits = check_probes(
        folder,
        classifier,
        tokenizer,
        labels,
        manifest.max_length,
        {manifest.dtype, compute.dtype_name},
        task,
    )
    budget = machine.max_tokens_per_batch or token_budget(classifier, trains=False).max_tokens
    return LoadedArtifact(
        folder, manifest, classifier, tokenizer, labels, compute, budget, probes, probe_logits, task
    )


def _random_numbers_kept(device: torch.device) -> AbstractContextManager[None]:
    """Adapters begin with random numbers, which another thread that trains counts on drawing."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def _base(
    folder: Path, manifest: Manifest, storage: Storage, model: str | None, machine: MachineConfig
) -> tuple[PretrainedFolder, ModelConfig]:
    """The base model, its hash compared, and how it is read; the architecture alone where the run
    keeps all weights."""
    base = manifest.base_model
    read = ModelConfig(
        model=model or base.name,
        revision=base.revision if model in (None, base.name) else None,
        pooling=cast(Pooling, manifest.pooling),
        attention=cast(AttentionDirection, manifest.attention),
        random_weights=storage == "whole",
    )
    if storage == "whole":
        return PretrainedFolder(str(folder), folder), read
    try:
        # What a run says of its base is no word of the user's: code only of what he named himself.
        trust = Trust.of(machine) if model else Trust.NOT_GIVEN
        found = find_pretrained(read.model, revision=read.revision, trust=trust)
    except ModelNotFoundError as error:
        raise ModelNotFoundError(
            f"{folder} holds what was trained on top of {base.name!r}, which is needed too. "
            f"{error.text}",
            option="model",
            way_out=f"If it is elsewhere: {option('model', 'FOLDER')}",
        ) from error
    if (sha256 := weights_sha256(found.path)) != base.sha256:
        raise TamperedArtifactError(
            f"The base model at {found.path} is not the one {folder} was trained on: its "
            f"sha256 begins {sha256[:12]}, expected {base.sha256[:12]}.",
            option="model",
        )
    return found, read
