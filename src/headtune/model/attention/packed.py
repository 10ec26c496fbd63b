"""Attention over packed sequences: each token sees its own text, and nothing of its neighbours.

Registered with transformers' ``AttentionInterface`` as ``headtune_packed``, so the modelling code
of every architecture that goes through that interface calls it; the boundaries come along as the
keyword ``layout``. transformers builds no mask for a name it does not know, which is what we want.

How it works. On CUDA, in bfloat16, a variable-length flash kernel takes the packed batch as it is
(``kernels.py``). Elsewhere a ``SequenceLayout`` (``layout.py``) has the sequences in groups of like
length. A layer gathers the queries, keys and values of a group into a short padded block ``(n,
heads, L, head_dim)``, runs one of two kernels on it, and puts the result back in packed order
(going back, gradients are gathered too, not added up one by one):

- ``block``: two batched matrix products around a softmax, queries in chunks of at most 512, fewer
  where there are many keys. For texts of a few dozen tokens this is 3 times faster on a CPU than
  the fused kernel.
- ``fused``: ``scaled_dot_product_attention``, for sequences of more than 512 tokens, where the
  square of scores would not fit (only without window and soft cap, which it does not know, and
  without dropout, with which it writes the square out), and for a sequence that is alone, which
  is a block as it comes.

Grouped-query heads, sliding windows, soft caps (Gemma 2), attention dropout and both directions
are honoured. What padding a block has lies behind the real tokens: no causal query sees it, and
the bidirectional kernel masks it.

Below float32, predictions on a CPU attend in float32 all the same (``computes_in_full``).

Guarantees: equal to attention over each sequence alone, to rounding. Costs: scores are bounded by
``MAX_SCORES`` per group and head, never by the square of the packed length.
"""

from typing import Any

import torch
from torch.nn.functional import dropout as drop
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from headtune.model.attention.kernels import Settings, flash_kernel, forced_kernel, reference
from headtune.model.attention.layout import LONG_SEQUENCE, MAX_SCORES, Group, SequenceLayout
from headtune.model.hardware.compute import computes_in_full

__all__ = ["ATTENTION_NAME", "packed_attention"]

ATTENTION_NAME = "headtune_packed"


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    layout: SequenceLayout,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of one layer, as transformers' attention interface calls it.

    Args:
        query: Shape ``(1, n_heads, n_tokens, head_dim)``.
        key: Shape ``(1, n_key_value_heads, n_tokens, head_dim)``.
        value: Shape ``(1, n_key_value_heads, n_tokens, value_dim)``.
        layout: The sequences of the batch.
        sliding_window: Tokens a query sees at most to a side, itself included; None for all.
        softcap: Scores become ``softcap * tanh(scores / softcap)``.

    Returns:
        The attended values, shape ``(1, n_tokens, n_heads, value_dim)``, and None for the weights.
    """
    layout = layout.on(query.device)
    settings = Settings(
        scale=query.shape[-1] ** -0.5 if scaling is None else scaling,
        dropout=dropout if module.training else 0.0,
        window=sliding_window,
        softcap=softcap,
    )
    if not computes_in_full(query):
        return _attend_packed(query, key, value, layout, settings), None
    with torch.autocast("cpu", enabled=False):
        return _attend_packed(query.float(), key.float(), value.float(), layout, settings), None


def _attend_packed(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    layout: SequenceLayout,
    settings: Settings,
) -> torch.Tensor:
    """By the kernel for these tensors and settings; shapes as in ``packed_attention``."""
    q, k, v = (
        tensor[0].transpose(0, 1) for tensor in (query, key, value)
    )  # (n_tokens, heads, dim)
    variable_length = flash_kernel(q, v, layout.causal, settings)
    if variable_length is not None:
        attended = variable_length(q, k, v, layout.cu_seqlens, max(layout.lengths), settings)
    elif forced_kernel() == "reference":
        attended = _one_by_one(q, k, v, layout, settings)
    elif len(layout.lengths) == 1 and _is_plain(q, v, len(q), settings):
        attended = _fused(query, key, value, layout, settings)[0].transpose(0, 1)
    else:
        attended = _in_blocks(q, k, v, layout, settings)
    return attended.unsqueeze(0)


class _IntoBlocks(torch.autograd.Function):
    """Packed tokens to places. What padding repeats has no gradient, since nothing reads it."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, places: torch.Tensor, inverse: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(inverse)
        return x.index_select(0, places)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        return grad.index_select(0, inverse), None, None


class _OutOfBlocks(torch.autograd.Function):
    """Places back to packed tokens."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, inverse: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(inverse)
        ctx.n_places = len(x)
        return x.index_select(0, inverse)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        (inverse,) = ctx.saved_tensors
        into = grad.new_zeros(ctx.n_places, *grad.shape[1:])
        return into.index_copy_(0, inverse, grad), None


def _in_blocks(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, layout: SequenceLayout, settings: Settings
) -> torch.Tensor:
    """Group after group; shapes ``(n_tokens, heads, dim)``."""
    sizes = [group.index.numel() for group in layout.groups]
    parts = (
        _IntoBlocks.apply(x, layout.places, layout.inverse).split(sizes)  # type: ignore[no-untyped-call]
        for x in (q, k, v)
    )
    blocks = []
    for group, *part in zip(layout.groups, *parts, strict=True):
        queries, keys, values = (
            x.view(*group.index.shape, *x.shape[1:]).transpose(1, 2) for x in part
        )
        attended = _attend(queries, keys, values, group, layout, settings)  # (n, heads, L, dim)
        blocks.append(attended.transpose(1, 2).flatten(0, 1))  # (n * L, heads, dim)
    joined = blocks[0] if len(blocks) == 1 else torch.cat(blocks)
    out: torch.Tensor = _OutOfBlocks.apply(joined, layout.inverse)  # type: ignore[no-untyped-call]
    return out


def _one_by_one(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, layout: SequenceLayout, settings: Settings
) -> torch.Tensor:
    """Every sequence alone, by the plain reference; shapes ``(n_tokens, heads, dim)``."""
    outputs, start = [], 0
    for length in layout.lengths:
        part = slice(start, start + length)
        outputs.append(reference(q[part], k[part], v[part], layout.causal, settings))
        start += length
    return torch.cat(outputs)


def _attend(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    group: Group,
    layout: SequenceLayout,
    settings: Settings,
) -> torch.Tensor:
    length = q.shape[2]
    unmasked = layout.causal or group.lengths is None
    if length > LONG_SEQUENCE and unmasked and _is_plain(q, v, length, settings):
        return _fused(q, k, v, layout, settings)
    step = _queries_at_once(length, settings.window, layout.causal)
    chunks = [
        _attend_chunk(q, k, v, start, min(start + step, length), group, layout, settings)
        for start in range(0, length, step)
    ]
    return chunks[0] if len(chunks) == 1 else torch.cat(chunks, dim=2)


def _is_plain(q: torch.Tensor, v: torch.Tensor, length: int, settings: Settings) -> bool:
    """Whether the fused kernel knows all that is asked for sequences of this length."""
    sees_all = settings.window is None or settings.window >= length
    same_size = q.shape[-1] == v.shape[-1]
    return sees_all and same_size and settings.softcap is None and not settings.dropout


def _fused(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, layout: SequenceLayout, settings: Settings
) -> torch.Tensor:
    """Shapes ``(n, heads, L, dim)``."""
    return scaled_dot_product_attention(
        q, k, v, is_causal=layout.causal, scale=settings.scale, enable_gqa=True
    )


def _queries_at_once(length: int, window: int | None, causal: bool) -> int:
    """As many as keep the scores below ``MAX_SCORES``, but 16 at least and 512 at most."""
    if length <= LONG_SEQUENCE:
        return length
    sides = 1 if causal else 2
    n_keys = length if window is None else min(length, sides * window + LONG_SEQUENCE)
    return max(16, min(LONG_SEQUENCE, MAX_SCORES // n_keys))


def _attend_chunk(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    start: int,
    stop: int,
    group: Group,
    layout: SequenceLayout,
    settings: Settings,
) -> torch.Tensor:
    """The queries ``start`` to ``stop`` against the keys that they may see."""
    n, n_heads, length, _ = q.shape
    n_kv = k.shape[1]
    first, last = _keys_seen(start, stop, length, settings.window, layout.causal)
    # Heads that share keys stand beside each other: (n * n_kv, repeats * queries, dim).
    q = q[:, :, start:stop].reshape(n * n_kv, -1, q.shape[-1])
    k = k[:, :, first:last].reshape(n * n_kv, last - first, -1)
    v = v[:, :, first:last].reshape(n * n_kv, last - first, -1)
    scores = torch.bmm(q, k.transpose(1, 2)) * settings.scale
    if settings.softcap is not None:
        scores = torch.tanh(scores / settings.softcap) * settings.softcap
    scores = scores.view(n, n_heads, stop - start, last - first)
    hidden = _hidden(layout, group, start, stop, first, last, settings.window)
    scores = scores + hidden.to(scores.dtype)
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(v.dtype)
    if settings.dropout:
        weights = drop(weights, settings.dropout)
    out = torch.bmm(weights.view(n * n_kv, -1, last - first), v)
    return out.view(n, n_heads, stop - start, -1)


def _keys_seen(
    start: int, stop: int, length: int, window: int | None, causal: bool
) -> tuple[int, int]:
    """The first key that any of the queries ``start`` to ``stop`` may see, and the end of them."""
    ahead = 1 if causal else length if window is None else window
    first = 0 if window is None else max(0, start - window + 1)
    return first, min(length, stop + ahead - 1)


def _hidden(
    layout: SequenceLayout,
    group: Group,
    start: int,
    stop: int,
    first: int,
    last: int,
    window: int | None,
) -> torch.Tensor:
    """0 where a query may look, -inf elsewhere; broadcasts to ``(n, heads, queries, keys)``."""
    if layout.causal:
        return layout.mask(stop - start, stop - first, window)
    keys = torch.arange(first, last, device=layout.device)
    hidden = torch.zeros(1, 1, last - first, dtype=torch.bool, device=keys.device)
    if group.lengths is not None:
        hidden = keys >= group.lengths[:, None, None]  # (n, 1, keys)
    if window is not None:
        distance = (torch.arange(start, stop, device=keys.device)[:, None] - keys).abs()
        # Padding sees itself at least: a row that sees nothing has no number for a gradient.
        hidden = (hidden | (distance >= window)) & (distance > 0)  # (n, queries, keys)
    mask = torch.zeros(hidden.shape, device=keys.device).masked_fill(hidden, float("-inf"))
    return mask[:, None]


AttentionInterface.register(ATTENTION_NAME, packed_attention)
