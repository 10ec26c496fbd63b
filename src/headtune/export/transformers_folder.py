"""``--to transformers``: a plain folder of ``AutoModelForSequenceClassification``.

``pipeline("text-classification", folder)`` loads it: label names in the configuration, a padding
token that the pipeline pools rightly by, LoRA merged. Written only where transformers has such a
class with the same layout (backbone, one linear ``score`` without bias) and pools as the run does.
"""

import copy
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoModelForSequenceClassification, PreTrainedConfig

from headtune.artifact.layout import FULL_WEIGHTS
from headtune.errors import ExportError, option
from headtune.export.asking import ask
from headtune.export.source import Probabilities, Source, exported
from headtune.pretrained import from_config, from_folder
from headtune.quiet import quiet_transformers

__all__ = [
    "answers_of_pipeline",
    "classifier_config",
    "labelled_config",
    "require_causal_last_token",
    "require_last_token",
    "write_transformers",
]


def write_transformers(source: Source, folder: Path) -> None:
    """Write configuration, weights and tokenizer. Raises ``ExportError`` where it cannot be."""
    require_last_token(source, "transformers' sequence classifiers")
    config = classifier_config(source)
    names = _names_in_transformers(source, config)
    state = source.classifier.state_dict()
    save_file(
        {public: state[own].contiguous() for own, public in names.items()},
        folder / FULL_WEIGHTS,
        metadata={"format": "pt"},
    )
    config.save_pretrained(folder)
    source.tokenizer.save_pretrained(folder)


class Said(TypedDict):
    """One label and its probability, as transformers' pipeline gives them."""

    label: str
    score: float


def answers_of_pipeline(source: Source, folder: Path, texts: list[str]) -> Probabilities:
    """What transformers' own pipeline says, in padded batches."""
    from transformers import pipeline

    def load(path: Path, **options: Any) -> Any:
        return pipeline("text-classification", str(path), **options)

    classify = from_folder(load, exported(folder), device="cpu", dtype=torch.float32)

    def answer(batch: list[str]) -> Probabilities:
        with quiet_transformers():
            said: list[list[Said]] = classify(
                batch,
                top_k=None,
                function_to_apply=source.task.activation,
                batch_size=len(batch),
                truncation=True,
            )
        scores = [{found["label"]: found["score"] for found in row} for row in said]
        return np.array([[row[name] for name in source.labels.names] for row in scores])

    return ask(answer, texts)


def classifier_config(source: Source) -> PreTrainedConfig:
    """The backbone's configuration as that of a transformers sequence classifier.

    Raises ``ExportError`` where transformers has none.
    """
    config = labelled_config(source)
    config.architectures = [_class_of(source).__name__]
    return config


def labelled_config(source: Source) -> PreTrainedConfig:
    """The backbone's configuration with label names and padding token."""
    config = copy.deepcopy(source.config)
    config.id2label = source.labels.id2label
    config.label2id = source.labels.label2id
    config.problem_type = source.task.problem_type
    config.pad_token_id = source.tokenizer.pad_token_id
    config.dtype = torch.float32
    config.use_cache = True
    return config


def require_last_token(source: Source, tool: str) -> None:
    """Raise ``ExportError`` unless the run pools as the tool does, and its padding is harmless."""
    require_causal_last_token(source, tool)
    if not source.padding_is_safe:
        raise ExportError(
            f"The tokenizer of {source.run} ends each text with its only padding token, and {tool} "
            "would pool the token before.",
            option="to",
            way_out=f"Use {option('to', 'onnx')}.",
        )


def require_causal_last_token(source: Source, tool: str) -> None:
    """Raise ``ExportError`` unless the run pools the last token, which sees those before it."""
    manifest = source.artifact.manifest
    if manifest.pooling != "last":
        raise ExportError(
            f"{source.run} pools the {manifest.pooling} of a text's states and {tool} take the "
            "last one.",
            option="to",
            way_out=f"Use {option('to', 'onnx')}, which keeps the pooling.",
        )
    if manifest.attention != "causal":
        raise ExportError(
            f"{source.run} lets a token see the tokens after it and {tool} do not.",
            option="to",
            way_out=f"Use {option('to', 'onnx')}, which keeps the attention.",
        )


def _class_of(source: Source) -> type[Any]:
    known = AutoModelForSequenceClassification._model_mapping
    try:
        found: type[Any] = known[type(source.config)]
    except KeyError:
        raise ExportError(
            f"transformers has no sequence classifier for {source.config.model_type!r}.",
            option="to",
            way_out=f"Use {option('to', 'onnx')}.",
        ) from None
    return found


def _names_in_transformers(source: Source, config: PreTrainedConfig) -> dict[str, str]:
    """Our tensor names -> those of the class of transformers, found without reading a weight."""
    with torch.device("meta"):
        theirs = from_config(
            AutoModelForSequenceClassification.from_config, config, exported(source.run)
        )
    prefix = theirs.base_model_prefix + "."
    ours = {
        name: prefix + name.removeprefix("backbone.") if name.startswith("backbone.") else name
        for name in source.classifier.state_dict()
    }
    if differing := sorted(set(ours.values()) ^ set(theirs.state_dict())):
        raise ExportError(
            f"{type(theirs).__name__} of transformers is made otherwise than this classifier "
            f"({differing[0]} is on one side only).",
            option="to",
            way_out=f"Use {option('to', 'onnx')}.",
        )
    return ours
