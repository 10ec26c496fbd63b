"""A run folder to a classifier that answers as it did when it was saved, or an error.

In order: the manifest is checked, every file's sha256, the base model is found and its sha256
compared, the trained tensors are put in, and the probes are answered. Nothing is unpickled, and
no code of the folder is run.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from headtune.artifact.layout import (
    PROBE_TENSORS,
    PROBES,
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
)
from headtune.model import (
    Backbone,
    Compute,
    SequenceClassifier,
    choose_compute,
    load_backbone,
    make_trainable,
    token_budget,
)
from headtune.options import ModelConfig, TuneConfig
from headtune.pretrained import PretrainedFolder, find_pretrained, weights_sha256
from headtune.tokens import load_tokenizer
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


def load_artifact(
    path: str | Path, *, model: str | None = None, options: ModelConfig | None = None
) -> LoadedArtifact:
    """Load a run.

    Args:
        path: The run folder.
        model: Where the base model is, if not where the manifest says.
        options: Device, dtype, device map, token budget and trust in remote code of this
            machine; what belongs to the classifier (model, pooling, attention) comes from the
            manifest.

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
    options = _options(manifest, model, options or ModelConfig())
    compute = choose_compute(options)
    labels = LabelSet(manifest.labels)
    classifier = SequenceClassifier(
        _backbone(folder, manifest, tune, options, compute),
        len(labels),
        pooling=options.pooling,
        attention=options.attention,
        compute_dtype=compute.dtype,
    )
    make_trainable(classifier, tune)
    read_weights(classifier, folder, storage)
    classifier.requires_grad_(False).eval()
    tokenizer = load_tokenizer(PretrainedFolder(str(folder), folder))
    probes, probe_logits = check_probes(
        folder,
        classifier,
        tokenizer,
        labels,
        manifest.max_length,
        {manifest.dtype, compute.dtype_name},
    )
    budget = options.max_tokens_per_batch or token_budget(classifier, trains=False).max_tokens
    return LoadedArtifact(
        folder, manifest, classifier, tokenizer, labels, compute, budget, probes, probe_logits
    )


def _options(manifest: Manifest, model: str | None, given: ModelConfig) -> ModelConfig:
    own = {
        "model": model or manifest.base_model.name,
        "revision": None if model else manifest.base_model.revision,
        "pooling": manifest.pooling,
        "attention": manifest.attention,
        "random_weights": False,
    }
    return ModelConfig(**{f.name: getattr(given, f.name) for f in fields(given)} | own)


def _backbone(
    folder: Path, manifest: Manifest, tune: TuneConfig, options: ModelConfig, compute: Compute
) -> Backbone:
    """The base model, its hash compared; where the run keeps all weights, the architecture."""
    if storage_of(tune.tune, has_base=bool(manifest.base_model.sha256)) == "whole":
        random = ModelConfig(**_as_dict(options) | {"random_weights": True})
        return load_backbone(
            PretrainedFolder(str(folder), folder), random, compute, packs=manifest.packs
        )
    base = manifest.base_model
    try:
        pretrained = find_pretrained(
            options.model,
            revision=options.revision,
            trust_remote_code=options.trust_remote_code,
        )
    except ModelNotFoundError as error:
        raise ModelNotFoundError(
            f"{folder} holds what was trained on top of {base.name!r}, which is needed too. "
            f"{error} If it is elsewhere: --model FOLDER"
        ) from error
    if (found := weights_sha256(pretrained.path)) != base.sha256:
        raise TamperedArtifactError(
            f"The base model at {pretrained.path} is not the one {folder} was trained on: its "
            f"sha256 begins {found[:12]}, expected {base.sha256[:12]}."
        )
    return load_backbone(pretrained, options, compute, packs=manifest.packs)


def _as_dict(options: ModelConfig) -> dict[str, Any]:
    return {f.name: getattr(options, f.name) for f in fields(options)}
