"""A pretrained language model without its language-model head, ready for packed batches.

``AutoModel`` of transformers loads it; 103 of the 189 causal architectures have no
``AutoModelForSequenceClassification``, which is why the head is ours. Whether an architecture's
layers respect packed boundaries is tried (``attention/boundaries.py``); where they do not, every batch takes
the padded path, and that is said.
"""

from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from headtune.errors import ModelError, ModelFileError, ModelNotFoundError, option
from headtune.model.architecture import Architecture, direction_of
from headtune.model.attention.boundaries import respects_boundaries, sees_ahead
from headtune.model.attention.packed import ATTENTION_NAME
from headtune.model.hardware.compute import Compute, keep_freed_memory
from headtune.model.speed.fused import fuse
from headtune.options import MachineConfig, ModelConfig
from headtune.pretrained import PretrainedFolder
from headtune.quiet import quiet_transformers

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


def load_config(folder: PretrainedFolder, *, trust_remote_code: bool = False) -> PreTrainedConfig:
    """The text configuration of a model folder; no weight is read.

    Raises ``ModelError`` if it cannot be used: an encoder, an encoder-decoder, one with code of its
    own.
    """
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(
            folder.path, trust_remote_code=trust_remote_code
        )
    except (OSError, ValueError, KeyError) as error:
        if "trust_remote_code" in str(error):
            raise ModelError(
                f"Model {folder.name!r} brings its own Python code, which is not run unless "
                "--trust-remote-code is given. Read the code first."
            ) from error
        raise ModelNotFoundError(f"{folder.name!r}: {_one_line(error)}") from error
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            f"Model {folder.name!r} is an encoder-decoder ({config.model_type}); headtune takes "
            "causal language models."
        )
    if direction_of(config) != "causal":
        raise _encoder(folder, config)
    return config


def _encoder(folder: PretrainedFolder, config: PreTrainedConfig) -> ModelError:
    return ModelError(
        f"Model {folder.name!r} is an encoder ({config.model_type}), in which tokens see the whole "
        "text; headtune takes causal language models.",
        option="model",
        way_out=f"Give a causal language model, such as {option('model', 'smollm2-135m')}.",
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
    config = load_config(folder, trust_remote_code=machine.trust_remote_code)
    if compute.device.type == "cpu":
        keep_freed_memory()
    model = (
        _random_model(config, compute, seed)
        if options.random_weights
        else _pretrained_model(folder, machine, compute)
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
    """Whether packed batches are respected. Raises ``ModelError`` where the direction is wrong."""
    if sees_ahead(model):
        raise _encoder(folder, model.config)
    packs = respects_boundaries(model, causal=options.attention == "causal")
    if not packs and options.attention == "bidirectional":
        raise ModelError(
            f"{option('attention', 'bidirectional')} cannot be used with "
            f"{model.config.model_type!r}: tried, its packed attention did not answer as "
            "transformers' own does in that direction.",
            option="attention",
            way_out=f"Leave it at {option('attention', 'causal')}.",
        )
    return packs


def _random_model(config: PreTrainedConfig, compute: Compute, seed: int) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]), quiet_transformers():
        torch.manual_seed(seed)
        model: PreTrainedModel = AutoModel.from_config(config)
    return model.to(compute.dtype)


def _pretrained_model(
    folder: PretrainedFolder, machine: MachineConfig, compute: Compute
) -> PreTrainedModel:
    from safetensors import SafetensorError

    placement: dict[str, Any] = {}
    if machine.device_map is not None:
        placement = {"device_map": machine.device_map, "offload_folder": machine.offload_folder}
    try:
        with quiet_transformers():
            model, info = AutoModel.from_pretrained(
                folder.path,
                dtype=compute.dtype,
                use_safetensors=True,
                trust_remote_code=machine.trust_remote_code,
                output_loading_info=True,
                **placement,
            )
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise ModelFileError(
            f"The weights of {folder.name!r} cannot be read ({_one_line(error)}). They may be cut "
            f"short: fetch them again, or look at {folder.path}"
        ) from error
    if missing := sorted(info["missing_keys"]):
        raise ModelFileError(
            f"The weights of {folder.name!r} lack {len(missing)} tensors, {missing[0]} among them. "
            "They are cut short, or belong to another architecture."
        )
    loaded: PreTrainedModel = model
    return loaded


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
