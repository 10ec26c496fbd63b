"""A run folder to what every exporter starts from: one float32 classifier without adapters.

The run is loaded in float32 on the CPU, all its hashes and probes checked; its answers to the probe
texts are those of that check, and LoRA adapters are merged into the unquantised base. A calibration
temperature goes into the head: the softmax of ``W h / T`` is that of a head ``W / T``, so an
exported model's own probabilities are the calibrated ones.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from headtune.artifact import LoadedArtifact, load_artifact
from headtune.artifact.probes import read_probe_texts
from headtune.errors import TokenizationError
from headtune.export.padding import settle_export_padding
from headtune.export.special_texts import texts_with_special_tokens
from headtune.model import SequenceClassifier, predict_logits
from headtune.options import MachineConfig
from headtune.pretrained import PretrainedFolder
from headtune.tasks import Task
from headtune.tokens import embedding_size, encode_texts
from headtune.types import LabelSet

__all__ = ["Source", "exported", "open_source"]

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Source:
    """What is exported, and what it must answer.

    Attributes:
        artifact: The run as it was loaded; its classifier is the merged one from here on.
        base_name: By what name the base model is found here.
        texts: The probe texts, and after them those with special tokens written out.
        n_with_special: How many of the latter there are.
        probabilities: What the run says of them, shape ``(n_texts, n_labels)``.
        temperature: What the head was divided by; 1 without calibration.
        padding_is_safe: Whether the padding token cannot be the last of a text.
        validation_file: A labelled table that the user named, to measure on.
    """

    artifact: LoadedArtifact
    base_name: str
    texts: list[str]
    probabilities: Probabilities
    temperature: float
    padding_is_safe: bool
    n_with_special: int = 0
    validation_file: Path | None = None

    @property
    def n_embeddings(self) -> int | None:
        """Rows of the backbone's embedding."""
        return embedding_size(self.config)

    @property
    def run(self) -> Path:
        return self.artifact.path

    @property
    def classifier(self) -> SequenceClassifier:
        return self.artifact.classifier

    @property
    def config(self) -> PreTrainedConfig:
        """The backbone's configuration; take a copy to change it."""
        config: PreTrainedConfig = self.classifier.backbone.config
        return config

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        return self.artifact.tokenizer

    @property
    def labels(self) -> LabelSet:
        return self.artifact.labels

    @property
    def task(self) -> Task:
        return self.artifact.task

    @property
    def max_length(self) -> int:
        return self.artifact.manifest.max_length

    @property
    def tune(self) -> str:
        return str(self.artifact.manifest.tune["tune"])


def exported(folder: Path) -> PretrainedFolder:
    """A folder that was written here, to be read back by its tool: never with code of its own."""
    return PretrainedFolder(str(folder), folder)


def open_source(
    run: Path,
    *,
    model: str | None = None,
    machine: MachineConfig | None = None,
    validation_file: Path | None = None,
) -> Source:
    """Load, take down the answers, and make one plain model of it.

    Raises ``ArtifactError`` and ``ModelError`` as ``load_artifact`` does.
    """
    options = replace(machine or MachineConfig(), dtype="float32", device="cpu")
    artifact = load_artifact(run, model=model, options=options)
    probes = read_probe_texts(artifact.path)
    n_embeddings = embedding_size(artifact.classifier.backbone.config)
    safe = settle_export_padding(artifact.tokenizer, probes, n_embeddings)
    special, logits = _asked_of_special_tokens(artifact, probes[0])
    temperature = artifact.manifest.temperature
    probabilities = artifact.task.probabilities(
        np.concatenate([artifact.probe_logits, logits]), temperature
    )
    with torch.no_grad():
        artifact.classifier.score.weight.div_(temperature)
    if artifact.manifest.tune["tune"] == "lora":
        merge_adapters(artifact.classifier)
    artifact.tokenizer.model_max_length = artifact.manifest.max_length
    return Source(
        artifact=artifact,
        base_name=model or artifact.manifest.base_model.name,
        texts=[*probes, *special],
        probabilities=probabilities,
        temperature=temperature,
        padding_is_safe=safe,
        n_with_special=len(special),
        validation_file=validation_file,
    )


def _asked_of_special_tokens(
    artifact: LoadedArtifact, text: str
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Texts with special tokens written out, and what the run says, ``(n_texts, n_labels)``.

    None where the run takes them as such, or has no token for one of their characters.
    """
    manifest, tokenizer = artifact.manifest, artifact.tokenizer
    n_embeddings = embedding_size(artifact.classifier.backbone.config)
    texts = texts_with_special_tokens(text, tokenizer) if manifest.split_special_tokens else []
    try:
        examples = encode_texts(texts, tokenizer, manifest.max_length, n_embeddings=n_embeddings)
    except TokenizationError:
        texts, examples = [], []
    if not texts:
        return [], artifact.probe_logits[:0]
    return texts, predict_logits(artifact.classifier, examples, artifact.max_tokens_per_batch)


def merge_adapters(classifier: SequenceClassifier) -> None:
    """Add each adapter to the weight below it, in float32, and put plain layers in their places."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [(n, m) for n, m in classifier.named_modules() if isinstance(m, BaseTunerLayer)]
    for name, layer in layers:
        layer.merge(safe_merge=True)
        owner, _, own_name = name.rpartition(".")
        setattr(classifier.get_submodule(owner), own_name, layer.get_base_layer())
