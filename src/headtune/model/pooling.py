"""From the states of all tokens to one state a text, by position in the packed batch.

Nothing here looks at token ids: where padding and end-of-text share an id, code that searches for
it pools the wrong token, as has happened in transformers, BioGPT and PEFT.
"""

import torch

from headtune.options import Pooling

__all__ = ["pool", "pooled_rows"]


def pool(states: torch.Tensor, cu_seqlens: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """One state per sequence.

    Args:
        states: Shape ``(n_tokens, hidden_size)``.
        cu_seqlens: Shape ``(n_sequences + 1,)``, where each sequence begins and the last ends.
        pooling: "last" and "first" take one token's state, "mean" averages in float32.

    Returns:
        Shape ``(n_sequences, hidden_size)``, in the dtype of ``states``.
    """
    if pooling == "mean":
        bounds = cu_seqlens.to(states.device, torch.int64)
        return torch.segment_reduce(states.float(), "mean", offsets=bounds, axis=0).to(states.dtype)
    return states[pooled_rows(cu_seqlens, pooling).to(states.device)]


def pooled_rows(cu_seqlens: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """Positions of the pooled tokens in the packed batch, shape ``(n_sequences,)`` int64.

    For "mean", which pools no single token, those of the last ones.
    """
    bounds = cu_seqlens.to(torch.int64)
    return bounds[:-1] if pooling == "first" else bounds[1:] - 1
