"""A pretrained language model without its language-model head, ready for packed batches.

``AutoModel`` of transformers loads it; 103 of the 189 causal architectures have no
``AutoModelForSequenceClassification``, which is why the head is ours. Whether an architecture's
layers respect packed boundaries is not believed but tried (``respects_boundaries``): a few tokens
go through the packed path and, one sequence at a time, through transformers' own attention; if
the states differ, or the packed call fails, every batch takes the padded path, and that is said.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from headtune.config import ModelConfig
from headtune.errors import ModelError, ModelFileError, ModelNotFoundError
from headtune.model.attention import ATTENTION_NAME
from headtune.model.fused import fuse
from headtune.model.hardware import Compute, keep_freed_memory
from headtune.model.layout import SequenceLayout
from headtune.pretrained import PretrainedFolder
from headtune.quiet import quiet_transformers

__all__ = ["Backbone", "load_backbone", "load_config"]


@dataclass(frozen=True, slots=True)
class Backbone:
    """The loaded model, and whether packed batches may go through it as they are."""

    model: PreTrainedModel
    packs: bool


def load_config(folder: PretrainedFolder, *, trust_remote_code: bool = False) -> PreTrainedConfig:
    """The text configuration of a model folder. Raises ``ModelError`` if it cannot be used."""
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
    return config


def load_backbone(
    folder: PretrainedFolder,
    options: ModelConfig,
    compute: Compute,
    seed: int = 42,
    packs: bool | None = None,
) -> Backbone:
    """Load (or, with ``random_weights``, make from ``seed``) the backbone, in eval mode.

    ``packs`` is what a run has found out before; None tries it.

    Raises ``ModelFileError`` when weights are cut short or missing.
    """
    config = load_config(folder, trust_remote_code=options.trust_remote_code)
    if compute.device.type == "cpu":
        keep_freed_memory()
    model = (
        _random_model(config, compute, seed)
        if options.random_weights
        else _pretrained_model(folder, options, compute)
    )
    model.config.use_cache = False
    model.eval()
    if options.device_map is None:
        model.to(compute.device)
    if packs is None:
        packs = respects_boundaries(model, causal=options.attention == "causal")
    if not packs and options.attention == "bidirectional":
        raise ModelError(
            f"--attention bidirectional cannot be used with {config.model_type!r}: its attention "
            "does not go through transformers' attention interface."
        )
    if packs:
        model.set_attn_implementation(ATTENTION_NAME)
        fuse(model)
    return Backbone(model, packs)


def _random_model(config: PreTrainedConfig, compute: Compute, seed: int) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]), quiet_transformers():
        torch.manual_seed(seed)
        model: PreTrainedModel = AutoModel.from_config(config)
    return model.to(compute.dtype)


def _pretrained_model(
    folder: PretrainedFolder, options: ModelConfig, compute: Compute
) -> PreTrainedModel:
    from safetensors import SafetensorError

    placement: dict[str, Any] = {}
    if options.device_map is not None:
        placement = {"device_map": options.device_map, "offload_folder": options.offload_folder}
    try:
        with quiet_transformers():
            model, info = AutoModel.from_pretrained(
                folder.path,
                dtype=compute.dtype,
                use_safetensors=True,
                trust_remote_code=options.trust_remote_code,
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


def respects_boundaries(model: PreTrainedModel, *, causal: bool = True) -> bool:
    """Whether a packed batch gives each sequence the states that it has alone.

    Three short sequences of random tokens, with sliding windows of a few tokens where the model
    has any; costs two forward passes of a few dozen tokens. Leaves the model as it found it.
    """
    if not getattr(model, "_supports_attention_backend", False):
        return False
    before = model.config._attn_implementation
    generator = torch.Generator().manual_seed(0)
    vocabulary = model.get_input_embeddings().num_embeddings
    sequences = [
        torch.randint(vocabulary, (n,), generator=generator).to(model.device) for n in (19, 3, 7)
    ]
    with (
        torch.inference_mode(),
        warnings.catch_warnings(action="ignore"),
        _short_windows(model),
    ):
        alone = torch.cat([_states_alone(model, ids, causal) for ids in sequences])
        try:
            model.set_attn_implementation(ATTENTION_NAME)
            together = _states_packed(model, sequences, causal)
        except (TypeError, ValueError, RuntimeError, AttributeError):
            return False  # an architecture that does not hand our keywords on to its attention
        finally:
            model.set_attn_implementation(before)
    tolerance = 1e-3 if alone.dtype == torch.float32 else 0.1
    scale = alone.float().abs().mean().clamp(min=1e-6)
    difference = (alone.float() - together.float().to(alone.device)).abs().mean()
    return bool(difference / scale < tolerance)


@contextmanager
def _short_windows(model: PreTrainedModel) -> Iterator[None]:
    """Within, sliding windows and chunks of attention are of six tokens, wherever they are kept.

    Some architectures tell their attention of a window by the mask alone, which a packed batch has
    not; a window of thousands of tokens would not show in a trial of dozens.
    """
    owners: list[Any] = [model.config, model.config.get_text_config(), *model.modules()]
    found = [
        (owner, name, value)
        for owner in owners
        for name in ("sliding_window", "attention_chunk_size")
        if type(value := getattr(owner, name, None)) is int
    ]
    for owner, name, _ in found:
        setattr(owner, name, 6)
    try:
        yield
    finally:
        for owner, name, value in found:
            setattr(owner, name, value)


def _states_alone(model: PreTrainedModel, ids: torch.Tensor, causal: bool) -> torch.Tensor:
    """States of one sequence, shape ``(n_tokens, hidden_size)``, by transformers' attention."""
    mask = None
    if not causal:  # a mask of four dimensions is taken as it is
        mask = torch.zeros(1, 1, len(ids), len(ids), dtype=model.dtype, device=ids.device)
    states: torch.Tensor = model(
        input_ids=ids[None], attention_mask=mask, use_cache=False
    ).last_hidden_state
    return states[0]


def _states_packed(
    model: PreTrainedModel, sequences: list[torch.Tensor], causal: bool
) -> torch.Tensor:
    layout = SequenceLayout.from_lengths([len(ids) for ids in sequences], model.device, causal)
    positions = torch.cat([torch.arange(len(ids), device=ids.device) for ids in sequences])
    states: torch.Tensor = model(
        input_ids=torch.cat(sequences)[None],
        position_ids=positions[None],
        attention_mask=None,
        use_cache=False,
        layout=layout,
    ).last_hidden_state
    return states[0]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
