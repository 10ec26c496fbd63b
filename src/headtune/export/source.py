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
from headtune.export.padding import settle_export_padding
from headtune.model import SequenceClassifier
from headtune.options import MachineConfig
from headtune.pretrained import PretrainedFolder
from headtune.tasks import Task
from headtune.types import LabelSet

__all__ = ["Source", "exported", "open_source"]

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Source:
    """What is exported, and what it must answer.

    Attributes:
        artifact: The run as it was loaded; its classifier is the merged one from here on.
        base_name: By what name the base model is found here.
        texts: The probe texts.
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
    validation_file: Path | None = None

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
    texts = read_probe_texts(artifact.path)
    temperature = artifact.manifest.temperature
    probabilities = artifact.task.probabilities(artifact.probe_logits, temperature)
    with torch.no_grad():
        artifact.classifier.score.weight.div_(temperature)
    if artifact.manifest.tune["tune"] == "lora":
        merge_adapters(artifact.classifier)
    safe = settle_export_padding(artifact.tokenizer, texts)
    artifact.tokenizer.model_max_length = artifact.manifest.max_length
    base_name = model or artifact.manifest.base_model.name
    return Source(artifact, base_name, texts, probabilities, temperature, safe, validation_file)


def merge_adapters(classifier: SequenceClassifier) -> None:
    """Add each adapter to the weight below it, in float32, and put plain layers in their places."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [(n, m) for n, m in classifier.named_modules() if isinstance(m, BaseTunerLayer)]
    for name, layer in layers:
        layer.merge(safe_merge=True)
        owner, _, own_name = name.rpartition(".")
        setattr(classifier.get_submodule(owner), own_name, layer.get_base_layer())
