"""Variable-length flash kernels for CUDA, chosen once, and the switch that forces a kernel.

On CUDA, attention over a packed batch is one call of a kernel that is told the boundaries (Dao,
"FlashAttention-2", 2023). Three libraries have one; the first that is there is taken:

- ``torch_varlen``: torch's own ``varlen_attn``;
- ``flash_attn``: the package flash-attn, the only one of them with soft caps and dropout here;
- ``transformers_flash``: flash-attn 3 or 4, called through transformers' flash integration.

None is believed: before its first use a kernel answers a few tokens with the very settings of the
layer, and its answer must be the plain reference's. Where none is there, or none knows the
settings, the block kernels of ``packed.py`` do the work. The choice is logged with its reason.

``HEADTUNE_ATTENTION`` names a kernel to use whatever the machine would choose: one of the three,
``block``, or ``reference`` (every sequence alone, every score written out).

Costs: one trial for each new combination of settings, once a process.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch.nn.functional import dropout

from headtune.errors import ModelError

__all__ = ["KERNEL_VARIABLE", "Settings", "flash_kernel", "forced_kernel", "reference"]

KERNEL_VARIABLE = "HEADTUNE_ATTENTION"

PLAIN_KERNELS = ("block", "reference")

RUNS_ON: tuple[tuple[str, ...], tuple[torch.dtype, ...]] = (
    ("cuda",),
    (torch.bfloat16, torch.float16),
)
"""Devices and number formats of the flash kernels."""

Kernel = Callable[..., torch.Tensor]
"""Called with queries, keys, values ``(n_tokens, heads, dim)``, ``cu_seqlens``, the longest length
and the settings; returns ``(n_tokens, heads, value_dim)``."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a layer asks of attention: factor of the scores, dropout, window, soft cap.

    A window is the number of tokens that a query sees to each side it looks to, itself included.
    """

    scale: float
    dropout: float
    window: int | None
    softcap: float | None


def forced_kernel() -> str | None:
    """The kernel that ``HEADTUNE_ATTENTION`` names. Raises ``ModelError`` on an unknown one."""
    name = os.environ.get(KERNEL_VARIABLE) or None
    if name is not None and name not in (*FLASH_KERNELS, *PLAIN_KERNELS):
        raise ModelError(
            f"{KERNEL_VARIABLE}={name}: no such kernel.",
            way_out=f"There are: {', '.join((*FLASH_KERNELS, *PLAIN_KERNELS))}.",
        )
    return name


def flash_kernel(
    q: torch.Tensor, v: torch.Tensor, causal: bool, settings: Settings
) -> Kernel | None:
    """The variable-length kernel for these tensors and settings; None where blocks do the work.

    Raises ``ModelError`` where one is forced that cannot do it.
    """
    forced = forced_kernel()
    if forced in PLAIN_KERNELS or (forced is None and q.device.type != "cuda"):
        return None
    return _choose(
        forced, q.device, q.dtype, q.shape[1], q.shape[2], v.shape[1], v.shape[2], causal, settings
    )


@cache
def _choose(
    forced: str | None,
    device: torch.device,
    dtype: torch.dtype,
    n_heads: int,
    head_dim: int,
    n_key_value_heads: int,
    value_dim: int,
    causal: bool,
    settings: Settings,
) -> Kernel | None:
    reasons = []
    for name in (forced,) if forced else FLASH_KERNELS:
        kernel = _bound(name, causal)
        try:
            if head_dim != value_dim:
                raise ValueError("values are not as wide as keys")
            _check(kernel, device, dtype, n_heads, n_key_value_heads, head_dim, causal, settings)
        except (ImportError, AttributeError, RuntimeError, ValueError, TypeError) as error:
            reasons.append(f"{name}: {' '.join(str(error).split())[:120]}")
            continue
        logger.info("Attention: %s on %s.%s", name, device, _because(reasons))
        return kernel
    if forced:
        raise ModelError(
            f"{KERNEL_VARIABLE} asks for a kernel that cannot be used here: {reasons[0]}"
        )
    logger.info("Attention: block kernels on %s.%s", device, _because(reasons))
    return None


def _because(reasons: list[str]) -> str:
    return f" Not used: {'; '.join(reasons)}" if reasons else ""


def _bound(name: str, causal: bool) -> Kernel:
    kernel = FLASH_KERNELS[name]

    def attend(
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        cu_seqlens: torch.Tensor,
        max_seqlen: int,
        settings: Settings,
    ) -> torch.Tensor:
        out: torch.Tensor = kernel(q, k, v, cu_seqlens, max_seqlen, causal, settings)
        return out

    return attend


def _check(
    kernel: Kernel,
    device: torch.device,
    dtype: torch.dtype,
    n_heads: int,
    n_key_value_heads: int,
    head_dim: int,
    causal: bool,
    settings: Settings,
) -> None:
    """Two sequences of a few tokens; raises ``RuntimeError`` where the answer is not right."""
    if device.type not in RUNS_ON[0] or dtype not in RUNS_ON[1]:
        raise ValueError(f"takes float16 and bfloat16 on CUDA, not {dtype} on {device.type}")
    lengths = (5, 11 if settings.window is None else settings.window + 5)
    bounds = torch.tensor([0, lengths[0], sum(lengths)], dtype=torch.int32, device=device)
    generator = torch.Generator().manual_seed(0)
    without = replace(settings, dropout=0.0)  # with it, no two answers are alike
    with torch.inference_mode(False), torch.enable_grad():
        q, k, v = (
            torch.randn(sum(lengths), heads, head_dim, generator=generator)
            .to(device, dtype)
            .requires_grad_()
            for heads in (n_heads, n_key_value_heads, n_key_value_heads)
        )
        if settings.dropout:
            kernel(q, k, v, bounds, max(lengths), settings)
        ours = kernel(q, k, v, bounds, max(lengths), without)
        expected = torch.cat(
            [
                reference(q[part].float(), k[part].float(), v[part].float(), causal, without)
                for part in (slice(0, lengths[0]), slice(lengths[0], None))
            ]
        )
        gradients = torch.autograd.grad(ours.float().square().sum(), (q, k, v))
        expected_gradients = torch.autograd.grad(expected.square().sum(), (q, k, v))
    pairs = zip((ours, *gradients), (expected, *expected_gradients), strict=True)
    if any(not torch.allclose(a.float(), b.float(), atol=0.1, rtol=0.1) for a, b in pairs):
        raise RuntimeError("its answer is not that of the reference")


def reference(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool, settings: Settings
) -> torch.Tensor:
    """Attention of one sequence with every score written out, shapes ``(length, heads, dim)``.

    Costs a square of the length for each head, in float32.
    """
    k, v = (x.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for x in (k, v))
    scores = torch.einsum("qhd,khd->hqk", q, k).float() * settings.scale
    if settings.softcap is not None:
        scores = torch.tanh(scores / settings.softcap) * settings.softcap
    steps = torch.arange(len(q), device=q.device)
    distance = steps[:, None] - steps
    hidden = distance < 0 if causal else torch.zeros_like(distance, dtype=torch.bool)
    if settings.window is not None:
        hidden = hidden | (distance.abs() >= settings.window)
    weights = scores.masked_fill(hidden, float("-inf")).softmax(-1)
    weights = dropout(weights, settings.dropout, training=settings.dropout > 0)
    return torch.einsum("hqk,khd->qhd", weights.to(v.dtype), v)


def _flash_window(causal: bool, settings: Settings) -> tuple[int, int]:
    """Tokens to the left and to the right of a query, without itself; -1 for all."""
    left = -1 if settings.window is None else settings.window - 1
    return (left, 0) if causal else (left, left)


def _torch_varlen(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    cu_seqlens: torch.Tensor,
    max_seqlen: int,
    causal: bool,
    settings: Settings,
) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    if settings.softcap is not None or settings.dropout:
        raise ValueError("knows no soft cap and no dropout")
    out = varlen_attn(
        q.contiguous(),
        k.contiguous(),
        v.contiguous(),
        cu_seqlens,
        cu_seqlens,
        max_seqlen,
        max_seqlen,
        scale=settings.scale,
        window_size=_flash_window(causal, settings),
        enable_gqa=q.shape[1] != k.shape[1],
    )
    assert isinstance(out, torch.Tensor)  # it gives a pair only where more is asked for
    return out


def _flash_attn(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    cu_seqlens: torch.Tensor,
    max_seqlen: int,
    causal: bool,
    settings: Settings,
) -> torch.Tensor:
    from flash_attn import flash_attn_varlen_func

    out: torch.Tensor = flash_attn_varlen_func(
        q,
        k,
        v,
        cu_seqlens,
        cu_seqlens,
        max_seqlen,
        max_seqlen,
        dropout_p=settings.dropout,
        softmax_scale=settings.scale,
        causal=causal,
        window_size=_flash_window(causal, settings),
        softcap=settings.softcap or 0.0,
    )
    return out


def _transformers_flash(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    cu_seqlens: torch.Tensor,
    max_seqlen: int,
    causal: bool,
    settings: Settings,
) -> torch.Tensor:
    from transformers.modeling_flash_attention_utils import _flash_attention_forward

    out: torch.Tensor = _flash_attention_forward(
        q[None],
        k[None],
        v[None],
        None,
        query_length=len(q),
        is_causal=causal,
        dropout=settings.dropout,
        softmax_scale=settings.scale,
        sliding_window=settings.window,
        softcap=settings.softcap,
        cu_seq_lens_q=cu_seqlens,
        cu_seq_lens_k=cu_seqlens,
        max_length_q=max_seqlen,
        max_length_k=max_seqlen,
        attn_implementation=_transformers_implementation(),
    )
    return out[0]


@cache
def _transformers_implementation() -> str:
    from transformers.utils import is_flash_attn_3_available, is_flash_attn_4_available

    for name, is_there in (
        ("flash_attention_3", is_flash_attn_3_available),
        ("flash_attention_4", is_flash_attn_4_available),
    ):
        if is_there():
            return name
    raise ImportError("neither flash-attn 3 nor 4 is installed")


FLASH_KERNELS: dict[str, Kernel] = {
    "torch_varlen": _torch_varlen,
    "flash_attn": _flash_attn,
    "transformers_flash": _transformers_flash,
}
"""Name -> kernel, in the order in which they are tried."""
