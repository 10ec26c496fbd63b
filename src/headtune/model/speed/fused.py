"""Less work around the matrix products: norms, rotary positions, activations and adapters.

transformers writes them as many small operations, each of which reads and writes all states. On a
machine that multiplies matrices fast, that is what a pass waits for. ``fuse`` gives modules of
known classes a ``forward`` of fewer passes:

- RMS norms: a reduction and two products in float32 on a CPU, torch's ``rms_norm`` elsewhere;
- rotary positions (Su et al., "RoFormer", 2021): three passes instead of five, and a backward pass
  of three, which is the rotation back;
- gated MLPs: activation and product in place, where no gradient needs them;
- GPT-2's activation: torch's ``gelu``, one pass instead of seven;
- LoRA layers: the adapter is added by the matrix product itself, without casts.

In predictions below float32 on a CPU, norms and embeddings hand on float32, so that states are not
rounded at each block (``computes_in_full``).

Guarantees: the same results but for rounding (tested against every original, forward and
backward); modules of other classes, and those that accelerate moves between devices, are left
alone. Figures are in benchmarks/LOG.md.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.functional import gelu, layer_norm, rms_norm, silu

from headtune.model.attention.packed import packed_attention
from headtune.model.hardware.compute import computes_in_full

__all__ = ["fuse", "is_plain_lora"]


def fuse(model: nn.Module) -> int:
    """Give the modules of known classes their faster ``forward``; returns how many got one.

    Calling it again, after adapters were injected, takes in those.
    """
    n_fused = 0
    last = getattr(model, LAST_NORM.get(type(model).__name__, ""), None)
    for module in model.modules():
        kind = type(module)
        name = (kind.__module__.partition(".")[0], kind.__name__)
        forward = FORWARDS.get(name) or (IN_FULL.get(name) if last is not None else None)
        if forward is not None and not hasattr(module, "_hf_hook"):
            module.forward = partial(forward, module)  # which can be pickled; a method cannot
            vars(module)["is_last"] = module is last
            n_fused += 1
    return n_fused


class _RMSNorm(torch.autograd.Function):
    """``x / sqrt(mean(x^2) + eps) * weight`` over the last dimension (Zhang and Sennrich, 2019)."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
        scale = _inverse_root_mean_square(x, eps)  # (..., 1)
        ctx.save_for_backward(x, weight, scale)
        return torch.mul(x, scale).mul_(weight)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight, scale = ctx.saved_tensors
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_x = grad * weight
            along = (grad_x * x).sum(-1, keepdim=True)
            along.mul_(scale**3).div_(-x.shape[-1])
            grad_x = grad_x.mul_(scale).addcmul_(x, along)
        if ctx.needs_input_grad[1]:
            grad_weight = (grad * x).mul_(scale).flatten(0, -2).sum(0)
        return grad_x, grad_weight, None


def _inverse_root_mean_square(x: torch.Tensor, eps: float) -> torch.Tensor:
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    scale: torch.Tensor = norm.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
    return scale


def _norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    if x.device.type != "cpu" or x.dtype != torch.float32:
        fused: torch.Tensor = rms_norm(x, list(weight.shape), weight, eps)
        return fused
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        normed: torch.Tensor = _RMSNorm.apply(x, weight, eps)  # type: ignore[no-untyped-call]
        return normed
    return torch.mul(x, _inverse_root_mean_square(x, eps)).mul_(weight)


def _llama_norm_forward(self: Any, hidden_states: torch.Tensor) -> torch.Tensor:
    if hidden_states.dtype == torch.float32 and computes_in_full(hidden_states):
        normed = _norm(hidden_states, self.weight.float(), self.variance_epsilon)
        return normed if self.is_last else normed.to(torch.get_autocast_dtype("cpu"))
    if self.weight.dtype == hidden_states.dtype:
        return _norm(hidden_states, self.weight, self.variance_epsilon)
    as_is: torch.Tensor = type(self).forward(self, hidden_states)  # trained norm, bfloat16 states
    return as_is


def _gemma_norm_forward(self: Any, x: torch.Tensor) -> torch.Tensor:
    """Gemma keeps the weight's distance from one, and multiplies in float32."""
    return _norm(x.float(), 1.0 + self.weight.float(), self.eps).type_as(x)


class _Rotation(torch.autograd.Function):
    """Turns the pairs (i, i + dim / 2) of each head by the angles of its position."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(cosine, sine)
        return _turn(x, cosine, sine, 1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        cosine, sine = ctx.saved_tensors
        return _turn(grad, cosine, sine, -1), None, None


def _turn(
    x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor, direction: int
) -> torch.Tensor:
    """``x`` is ``(n_tokens, n_heads, dim)``; the angles are ``(n_tokens, 1, dim)``, both halves
    of which are the same."""
    half = x.shape[-1] // 2
    sine = sine[..., :half]
    turned = x * cosine
    turned[..., :half].addcmul_(x[..., half:], sine, value=-direction)
    turned[..., half:].addcmul_(x[..., :half], sine, value=direction)
    return turned


def _rotate(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    if torch.is_grad_enabled() and x.requires_grad:
        rotated: torch.Tensor = _Rotation.apply(x, cosine, sine)  # type: ignore[no-untyped-call]
        return rotated
    return _turn(x, cosine, sine, 1)


def _attention_forward(
    self: Any,
    hidden_states: torch.Tensor,
    position_embeddings: tuple[torch.Tensor, torch.Tensor] | None = None,
    attention_mask: torch.Tensor | None = None,
    past_key_values: Any = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Queries, keys and values stay in packed order, ``(n_tokens, heads, dim)``, all the way."""
    if kwargs.get("layout") is None or position_embeddings is None or past_key_values is not None:
        as_is: tuple[torch.Tensor, torch.Tensor | None] = type(self).forward(
            self, hidden_states, position_embeddings, attention_mask, past_key_values, **kwargs
        )
        return as_is
    n_tokens = hidden_states.shape[1]
    query, key, value = (
        projection(hidden_states).view(n_tokens, -1, self.head_dim)
        for projection in (self.q_proj, self.k_proj, self.v_proj)
    )
    if hasattr(self, "q_norm"):
        query, key = self.q_norm(query), self.k_norm(key)
    if computes_in_full(query):
        query, key = query.float(), key.float()
    cosine, sine = (angles[0, :, None].to(query.dtype) for angles in position_embeddings)
    query, key = _rotate(query, cosine, sine), _rotate(key, cosine, sine)
    query, key, value = (tensor.transpose(0, 1)[None] for tensor in (query, key, value))
    attended, _ = packed_attention(
        self,
        query,
        key,
        value,
        None,
        layout=kwargs["layout"],
        scaling=self.scaling,
        dropout=self.attention_dropout,
        sliding_window=_window(self),
        softcap=None,
    )
    return self.o_proj(attended.reshape(1, n_tokens, -1)), None


def _window(attention: Any) -> int | None:
    """Mistral keeps its window in the configuration, the others on the layer."""
    if type(attention).__name__ == "MistralAttention":
        window: int | None = getattr(attention.config, "sliding_window", None)
        return window
    return getattr(attention, "sliding_window", None)


def _gated_mlp_forward(self: Any, x: torch.Tensor) -> torch.Tensor:
    if torch.is_grad_enabled():
        plain: torch.Tensor = type(self).forward(self, x)
        return plain
    gate = self.gate_proj(x)
    gate = silu(gate, inplace=True) if _is_silu(self.act_fn) else self.act_fn(gate)
    down: torch.Tensor = self.down_proj(gate.mul_(self.up_proj(x)))
    return down


def _is_silu(activation: nn.Module) -> bool:
    return type(activation).__name__ in ("SiLU", "SiLUActivation")


def _embedding_forward(self: Any, input: torch.Tensor) -> torch.Tensor:
    """What enters the first block, and every block adds to, ``(1, n_tokens, hidden_size)``."""
    embedded: torch.Tensor = type(self).forward(self, input)
    return embedded.float() if computes_in_full(embedded) else embedded


def _layer_norm_forward(self: Any, input: torch.Tensor) -> torch.Tensor:
    """torch's own wants one format for states and weights."""
    if input.dtype == torch.float32 and computes_in_full(input):
        bias = None if self.bias is None else self.bias.float()
        normed = layer_norm(input, self.normalized_shape, self.weight.float(), bias, self.eps)
        return normed if self.is_last else normed.to(torch.get_autocast_dtype("cpu"))
    as_is: torch.Tensor = type(self).forward(self, input)
    return as_is


def _gelu_forward(self: Any, x: torch.Tensor) -> torch.Tensor:
    """The approximation by tanh (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016)."""
    return gelu(x, approximate="tanh")


def _lora_forward(self: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """``base(x) + scaling * dropout(x) A B``, the sum and the factor inside the last product."""
    if args or kwargs or not (is_plain_lora(self) and _fits(self, x)):
        as_is: torch.Tensor = type(self).forward(self, x, *args, **kwargs)
        return as_is
    (name,) = self.active_adapters
    result = self.base_layer(x)
    low = self.lora_A[name](self.lora_dropout[name](x)).flatten(0, -2)  # (n_tokens, rank)
    up, scale = self.lora_B[name].weight.t(), self.scaling[name]
    flat = result.flatten(0, -2)
    if torch.is_grad_enabled() or torch.is_autocast_enabled(x.device.type):
        flat = torch.addmm(flat, low, up, alpha=scale)
    else:
        flat.addmm_(low, up, alpha=scale)
    out: torch.Tensor = flat.view(result.shape)
    return out


def is_plain_lora(layer: Any) -> bool:
    """Whether a layer of PEFT has one adapter, on, not merged, without PEFT's variants."""
    names = layer.active_adapters
    if len(names) != 1 or names[0] not in layer.lora_A or names[0] in layer.lora_variant:
        return False
    return not (layer.disable_adapters or layer.merged) and layer.lora_B[names[0]].bias is None


def _fits(layer: Any, x: torch.Tensor) -> bool:
    same = x.dtype == layer.lora_A[layer.active_adapters[0]].weight.dtype
    return same or torch.is_autocast_enabled(x.device.type)


FORWARDS: dict[tuple[str, str], Callable[..., Any]] = {
    ("peft", "Linear"): _lora_forward,
    ("transformers", "NewGELUActivation"): _gelu_forward,
    ("transformers", "Gemma3RMSNorm"): _gemma_norm_forward,
    ("transformers", "Gemma3Attention"): _attention_forward,
    ("transformers", "Gemma3MLP"): _gated_mlp_forward,
}
"""Library and class of a module -> its ``forward`` here; what is not named keeps its own."""

for family in ("Llama", "Mistral", "Qwen2", "Qwen3"):
    FORWARDS["transformers", f"{family}RMSNorm"] = _llama_norm_forward
    FORWARDS["transformers", f"{family}Attention"] = _attention_forward
    FORWARDS["transformers", f"{family}MLP"] = _gated_mlp_forward

IN_FULL: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch", "Embedding"): _embedding_forward,
    ("torch", "LayerNorm"): _layer_norm_forward,
}
"""The same of modules of torch, in the models named below."""

LAST_NORM = {
    "GPT2Model": "ln_f",
    "LlamaModel": "norm",
    "MistralModel": "norm",
    "Qwen2Model": "norm",
    "Qwen3Model": "norm",
}
"""Models whose states are float32 from block to block in predictions (``computes_in_full``), and
their last norm, which gives float32 to the head."""
