"""A pretrained language model without its language-model head, ready for packed batches.

``AutoModel`` of transformers loads it; 103 of the 189 causal architectures have no
``AutoModelForSequenceClassification``, which is why the head is ours. Whether an architecture's
layers respect packed boundaries is tried (``attention/boundaries.py``); where they do not, every
batch takes the padded path, and that is said.
"""

from dataclasses import dataclass
from typing import Any

import torch
from transformers import MODEL_MAPPING, AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from headtune.errors import ModelError, ModelFileError, ModelNotFoundError, option
from headtune.model.architecture import Architecture, direction_of
from headtune.model.attention.boundaries import respects_boundaries, sees_ahead
from headtune.model.attention.packed import ATTENTION_NAME
from headtune.model.finite import damaged_weight
from headtune.model.hardware.compute import Compute, keep_freed_memory
from headtune.model.speed.fused import fuse
from headtune.options import MachineConfig, ModelConfig
from headtune.pretrained import (
    PretrainedFolder,
    check_safetensors,
    forget_code,
    from_config,
    from_folder,
    needs_code_of_its_own,
)
from headtune.tokens import embedding_size

__all__ = ["Backbone", "load_backbone", "load_config"]


@dataclass(frozen=True, slots=True)
class Backbone:
    """The loaded model, and what is known of its kind."""

    model: PreTrainedModel
    architecture: Architecture

    @property
    def packs(self) -> bool:
        """Whether packed batches may go through it as they are."""
        return self.architecture.packs


def load_config(folder: PretrainedFolder) -> PreTrainedConfig:
    """The text configuration of a model folder; no weight is read.

    Without a padding token that the embedding has no row for, with which torch makes no embedding.

    Raises ``ModelError`` if it cannot be used: an encoder, an encoder-decoder, one with code of its
    own.
    """
    try:
        config: PreTrainedConfig = from_folder(AutoConfig.from_pretrained, folder)
    except ModelError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise ModelNotFoundError(f"{folder.name!r}: {_one_line(error)}", option="model") from error
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            f"Model {folder.name!r} is an encoder-decoder ({config.model_type}); headtune takes "
            "causal language models.",
            option="model",
        )
    if direction_of(config) != "causal":
        raise _encoder(folder, config)
    if type(config) not in MODEL_MAPPING and not needs_code_of_its_own(config):
        raise ModelError(
            f"transformers has no model for {config.model_type!r}, the architecture of "
            f"{folder.name!r}; headtune takes causal language models.",
            option="model",
        )
    forget_code(vars(config), folder)
    text, n_embeddings = config.get_text_config(), embedding_size(config)
    padding = getattr(text, "pad_token_id", None)
    if padding is not None and n_embeddings is not None and padding >= n_embeddings:
        text.pad_token_id = None
    return config


def _encoder(folder: PretrainedFolder, config: PreTrainedConfig) -> ModelError:
    return ModelError(
        f"Model {folder.name!r} is an encoder ({config.model_type}), in which tokens see the whole "
        "text; headtune takes causal language models.",
        option="model",
        way_out=f"Give a causal language model, such as {option('model', 'smollm2-135m')}.",
    )


def _damaged(folder: PretrainedFolder, name: str) -> ModelFileError:
    return ModelFileError(
        f"The weights of {folder.name!r} hold values that are no numbers (NaN or infinite), {name} "
        "among them.",
        option="model",
        way_out=f"Fetch the model again, or give another with {option('model')}.",
    )


def load_backbone(
    folder: PretrainedFolder,
    options: ModelConfig,
    machine: MachineConfig,
    compute: Compute,
    seed: int = 42,
    packs: bool | None = None,
) -> Backbone:
    """Load (or, with ``random_weights``, make from ``seed``) the backbone, in eval mode.

    ``packs`` is what a run has found out before; None tries it.

    Raises ``ModelFileError`` when weights are cut short or missing, and ``ModelError`` for a model
    that cannot be used, or not in the direction asked for.
    """
    config = load_config(folder)
    if compute.device.type == "cpu":
        keep_freed_memory()
    model = (
        _random_model(config, folder, compute, seed)
        if options.random_weights
        else _pretrained_model(config, folder, machine, compute)
    )
    model.config.use_cache = False
    model.eval()
    if machine.device_map is None:
        model.to(compute.device)
    if packs is None:
        packs = _try(model, folder, options)
    architecture = Architecture.of(model, options.attention, packs=packs)
    if packs:
        model.set_attn_implementation(ATTENTION_NAME)
        fuse(model)
    return Backbone(model, architecture)


def _try(model: PreTrainedModel, folder: PretrainedFolder, options: ModelConfig) -> bool:
    """Whether packed batches are respected.

    Raises ``ModelError`` where the direction is wrong. No trial passes with weights that are no
    numbers: these are looked for before anything else is blamed, and raise ``ModelFileError``.
    """
    ahead = sees_ahead(model)
    packs = not ahead and respects_boundaries(model, causal=options.attention == "causal")
    if not packs and (name := damaged_weight(model)) is not None:
        raise _damaged(folder, name)
    if ahead:
        raise _encoder(folder, model.config)
    if not packs and options.attention == "bidirectional":
        raise ModelError(
            f"{option('attention', 'bidirectional')} cannot be used with "
            f"{model.config.model_type!r}: tried, its packed attention did not answer as "
            "transformers' own does in that direction.",
            option="attention",
            way_out=f"Leave it at {option('attention', 'causal')}.",
        )
    return packs


def _random_model(
    config: PreTrainedConfig, folder: PretrainedFolder, compute: Compute, seed: int
) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: PreTrainedModel = from_config(AutoModel.from_config, config, folder)
    return model.to(compute.dtype)


def _pretrained_model(
    config: PreTrainedConfig, folder: PretrainedFolder, machine: MachineConfig, compute: Compute
) -> PreTrainedModel:
    from safetensors import SafetensorError

    check_safetensors(folder.path, str(folder.path), str(folder.path))
    placement: dict[str, Any] = {}
    if machine.device_map is not None:
        placement = {"device_map": machine.device_map, "offload_folder": machine.offload_folder}
    try:
        model, info = from_folder(
            AutoModel.from_pretrained,
            folder,
            config=config,
            dtype=compute.dtype,
            use_safetensors=True,
            output_loading_info=True,
            **placement,
        )
    except ModelError:
        raise
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise ModelFileError(
            f"The weights of {folder.name!r} cannot be read ({_one_line(error)}).",
            option="model",
            way_out=f"They may be cut short: fetch them again, or look at {folder.path}",
        ) from error
    if missing := sorted(info["missing_keys"]):
        raise ModelFileError(
            f"The weights of {folder.name!r} lack {len(missing)} tensors, {missing[0]} among them. "
            "They are cut short, or belong to another architecture.",
            option="model",
        )
    loaded: PreTrainedModel = model
    forget_code(vars(loaded.config), folder)
    return loaded


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
