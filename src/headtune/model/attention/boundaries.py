"""Whether an architecture may be given packed batches: not believed, but tried.

A few tokens go through the packed path and, one sequence at a time, through transformers' own
attention; if the states differ, or the packed call fails, every batch takes the padded path.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import PreTrainedModel

from headtune.model.attention.layout import SequenceLayout
from headtune.model.attention.packed import ATTENTION_NAME

__all__ = ["respects_boundaries"]


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
