"""``--to peft``: adapter and head as PEFT writes them, for runs of ``--tune lora``.

The tensors are those of the run folder, the head below ``modules_to_save`` and divided by the
calibration temperature. ``config.json`` beside them is the base model's with the label names and
``num_labels``, so that a loader knows how many rows the head has before it has seen one.
"""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from headtune.artifact.layout import ADAPTER_WEIGHTS
from headtune.errors import ExportError, option
from headtune.export.asking import ask
from headtune.export.source import Probabilities, Source, exported
from headtune.export.transformers_folder import classifier_config, require_last_token
from headtune.model import lora_config
from headtune.pretrained import find_pretrained, from_folder, public_name
from headtune.quiet import quiet_transformers

__all__ = ["answers_of_peft", "write_peft"]

HEAD = "base_model.model.score.weight"


def write_peft(source: Source, folder: Path) -> None:
    """Write adapter, head, configuration and tokenizer. Raises ``ExportError`` without adapter."""
    if source.tune != "lora":
        raise ExportError(
            f"{source.run} was tuned by {source.tune!r}, which changes no adapter.",
            option="to",
            way_out=f"Use {option('to', 'transformers')} for a whole model.",
        )
    require_last_token(source, "the sequence classifiers below PEFT")
    _write_adapter_config(source, folder)
    state = load_file(source.run / ADAPTER_WEIGHTS)
    state[HEAD] = state[HEAD] / source.temperature
    save_file(state, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})
    classifier_config(source).save_pretrained(folder)
    source.tokenizer.save_pretrained(folder)


def _write_adapter_config(source: Source, folder: Path) -> None:
    """PEFT's settings, made of the run's options: those in its folder name modules to import."""
    manifest = source.artifact.manifest
    config = lora_config(source.classifier.backbone, manifest.tune_config())
    config.base_model_name_or_path = public_name(manifest.base_model.name)
    config.revision = manifest.base_model.revision
    config.inference_mode = True
    config.save_pretrained(folder)


def answers_of_peft(source: Source, folder: Path, texts: list[str]) -> Probabilities:
    """What PEFT makes of base model and adapter, in padded batches."""
    from peft import PeftModel

    base = find_pretrained(source.base_name, revision=source.artifact.manifest.base_model.revision)
    written = replace(exported(folder), is_adapter=True)
    config = from_folder(AutoConfig.from_pretrained, written)
    model = from_folder(
        AutoModelForSequenceClassification.from_pretrained, base, config=config, dtype=torch.float32
    )
    with quiet_transformers():
        model = PeftModel.from_pretrained(model, folder).eval()
    tokenizer = from_folder(AutoTokenizer.from_pretrained, written)

    def answer(batch: list[str]) -> Probabilities:
        inputs = tokenizer(batch, padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            return source.task.probabilities(model(**inputs).logits.numpy())

    return ask(answer, texts)
