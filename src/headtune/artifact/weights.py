"""What was trained, to and from the file formats of the ecosystem.

- LoRA: ``adapter_config.json`` and ``adapter_model.safetensors`` as PEFT writes them for a
  sequence classifier, the head under ``modules_to_save``: ``PeftModel.from_pretrained`` loads
  them onto ``AutoModelForSequenceClassification``.
- whole (full tuning, or random weights): ``config.json`` and ``model.safetensors`` under
  transformers' own names.
- head, last-N: ``trained.safetensors``, the tensors by their names in the classifier.
"""

import copy
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from headtune.artifact.layout import Storage, weights_file
from headtune.artifact.tensor_file import read_tensors
from headtune.model import (
    SequenceClassifier,
    load_trained_state,
    lora_config,
    trained_state,
)
from headtune.options import TuneConfig
from headtune.pretrained import public_name
from headtune.types import LabelSet

__all__ = ["read_weights", "write_weights"]

OURS = "backbone."
PEFT = "base_model.model."


def write_weights(
    classifier: SequenceClassifier,
    folder: Path,
    storage: Storage,
    tune: TuneConfig,
    labels: LabelSet,
    base_name: str,
) -> None:
    """Write the tensors that ``storage`` keeps, and the configuration that goes with them."""
    prefix = classifier.backbone.base_model_prefix + "."
    if storage == "whole":
        classifier.requires_grad_(True)
        _classifier_config(classifier, labels).save_pretrained(folder)
    elif storage == "adapter":
        config = lora_config(classifier.backbone, tune)
        config.base_model_name_or_path = public_name(base_name)
        config.inference_mode = True
        config.save_pretrained(folder)
    state = {
        _name_in_file(name, storage, prefix): tensor
        for name, tensor in trained_state(classifier).items()
    }
    save_file(state, folder / weights_file(storage), metadata={"format": "pt"})


def read_weights(classifier: SequenceClassifier, folder: Path, storage: Storage) -> None:
    """Put the tensors of a run into a classifier made trainable the same way.

    Raises ``ArtifactFormatError`` when the file is cut short, ``ModelError`` when names or shapes
    are not the classifier's.
    """
    if storage == "whole":
        classifier.requires_grad_(True)
    path = folder / weights_file(storage)
    prefix = classifier.backbone.base_model_prefix + "."
    stored = read_tensors(path)
    own = (name for name, p in classifier.named_parameters() if p.requires_grad)
    ours = {_name_in_file(name, storage, prefix): name for name in own}
    load_trained_state(classifier, {ours.get(name, name): t for name, t in stored.items()})


def _name_in_file(name: str, storage: Storage, prefix: str) -> str:
    """The name of a classifier's tensor in the file of its storage."""
    if storage == "trained":
        return name
    public = prefix + name.removeprefix(OURS) if name.startswith(OURS) else name
    return PEFT + public.replace(".default.", ".") if storage == "adapter" else public


def _classifier_config(classifier: SequenceClassifier, labels: LabelSet) -> Any:
    """The backbone's config as that of a transformers sequence classifier."""
    config = copy.deepcopy(classifier.backbone.config)
    config.id2label = labels.id2label
    config.label2id = labels.label2id
    name = type(classifier.backbone).__name__.removesuffix("TextModel").removesuffix("Model")
    config.architectures = [f"{name}ForSequenceClassification"]
    config.dtype = torch.float32
    return config
