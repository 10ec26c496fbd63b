"""Prediction with 8-bit integers: weights per output channel, activations per token.

    q_x = round(x / s_x),  s_x = max|x| / 127 of each token;   q_w likewise, of each output channel
    x W ~= s_x (q_x q_w) s_w

(Dettmers et al., "LLM.int8()", 2022, without their outliers.) ``quantize`` puts an ``Int8Linear``
in place of every linear layer of the blocks, adapters merged; embeddings, norms and head stay as
they are. The integer product comes from a library, whichever is right and fastest here:
``choose_product`` gives each the hardest matrices there are, all of the largest value, and times
those that get them right. That is needed: without VNNI instructions oneDNN adds pairs of products
in 16 bits, which overflow; with weights of 7 bits they do not. Where no library multiplies integers
faster, float32 products of the same integers do: right, and slower than not to quantize at all.

Guarantees: all kernels give the same result for the same number of bits, to float32 rounding.
Costs: accuracy, which is for the caller to measure (``headtune evaluate RUN FILE --compute int8``
says both figures). A layer takes a quarter of the memory of float32 weights.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, cast

import torch
from torch import nn
from torch.nn.functional import linear

from headtune.errors import ModelError, option
from headtune.model.hardware.measured import measured
from headtune.model.hardware.timing import take_turns
from headtune.model.linear_layers import base_of, linear_layers, weight_of
from headtune.model.sequence_classifier import SequenceClassifier

__all__ = ["Int8Linear", "Int8Product", "choose_product", "quantize", "quantized_weight"]


@dataclass(frozen=True, slots=True)
class Int8Product:
    """A library's integer product.

    ``pack`` takes weights ``(out, in)`` int8 to what the library wants; ``multiply`` takes
    activations ``(n_tokens, in)`` int8, the packed weights and the weights' scales ``(out,)``
    float32, and returns ``(n_tokens, out)`` float32. ``weight_bits`` is 7 where sums of two
    products must fit into 16 bits. ``speed_up`` says how many times faster a layer is than in
    the format it replaces; below one it is slower, 0 is not known.
    """

    name: str
    weight_bits: int
    pack: Callable[[torch.Tensor], torch.Tensor]
    multiply: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
    speed_up: float = 0.0

    def sentence(self, dtype: torch.dtype) -> str:
        """One line for people: what is used, and whether it pays."""
        plain = str(dtype).removeprefix("torch.")
        bits = "" if self.weight_bits == 8 else f", weights of {self.weight_bits} bits"
        if not self.speed_up:
            pays = "how fast, this machine is too busy to say"
        elif self.speed_up >= 1:
            pays = f"{self.speed_up:.1f} times as fast as {plain} here"
        else:
            pays = f"{1 / self.speed_up:.1f} times slower than {plain} here; leave it out for speed"
        return f"int8 products by {self.name}{bits}: {pays}."


def quantized_weight(weight: torch.Tensor, bits: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights ``(out, in)`` as int8 and the scale of each output channel, ``(out,)`` float32."""
    largest = 2 ** (bits - 1) - 1
    scale = weight.float().abs().amax(dim=1).clamp(min=1e-12) / largest
    return (weight.float() / scale[:, None]).round().to(torch.int8).contiguous(), scale


class Int8Linear(nn.Module):
    """``x W^T + b`` in 8-bit integers; for inference, it passes no gradient.

    Takes ``(..., in)`` and gives ``(..., out)`` in the format of its input.
    """

    weight: torch.Tensor
    scale: torch.Tensor
    bias: torch.Tensor | None

    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor | None, product: Int8Product
    ) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.product = product
        integers, scale = quantized_weight(weight.detach(), product.weight_bits)
        self.register_buffer("weight", product.pack(integers))
        self.register_buffer("scale", scale)
        self.register_buffer("bias", None if bias is None else bias.detach().float())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False):
            rows = x.reshape(-1, self.in_features).float()  # (n_tokens, in)
            scale = torch.linalg.vector_norm(rows, float("inf"), dim=-1, keepdim=True)
            scale = scale.clamp_(min=1e-12).div_(127)  # (n_tokens, 1)
            integers = (rows / scale).round_().to(torch.int8)
            out = self.product.multiply(integers, self.weight, self.scale).mul_(scale)
            if self.bias is not None:
                out += self.bias
        return out.to(x.dtype).view(*x.shape[:-1], self.out_features)


def quantize(classifier: SequenceClassifier) -> Int8Product:
    """Quantize the linear layers of the blocks in place; returns the product that was chosen.

    Adapters are merged before. Raises ``ModelError`` where layers are spread over devices or kept
    on disk, or where there is nothing to quantize.
    """
    backbone = classifier.backbone
    if hasattr(backbone, "hf_device_map"):
        raise ModelError(
            f"{option('compute', 'int8')} needs the whole model on one device.",
            option="device_map",
            way_out=f"Leave out {option('device_map')}.",
        )
    product = choose_product(classifier.compute_dtype, classifier.device)
    layers = list(linear_layers(backbone))
    if not layers:
        raise ModelError(
            f"{option('compute', 'int8')} finds no linear layers in "
            f"{backbone.config.model_type!r}'s blocks.",
            option="compute",
        )
    for owner, name, layer in layers:
        setattr(owner, name, _quantized(layer, product))
    return product


def _quantized(layer: Any, product: Int8Product) -> Int8Linear:
    base = base_of(layer)
    if base is not layer:
        layer.merge()
    weight = cast(torch.Tensor, weight_of(base))  # linear_layers gives no others
    bias = getattr(base, "bias", None)
    return Int8Linear(weight, bias, product).to(weight.device).eval()


def _as_they_are(weight: torch.Tensor) -> torch.Tensor:
    return weight


def _by_torch(x: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    n_rows = x.shape[0]
    if x.device.type == "cuda" and n_rows <= 16:  # cuBLAS takes 17 rows and more
        x = torch.cat([x, x.new_zeros(17 - n_rows, x.shape[1])])
    return torch._int_mm(x, weight.t())[:n_rows].float().mul_(scale)


def _by_float(x: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return linear(x.float(), weight.float()).mul_(scale)


def _pack_for_onednn(weight: torch.Tensor) -> torch.Tensor:
    packed: torch.Tensor = torch.ops.onednn.qlinear_prepack(weight, None)
    return packed


def _by_onednn(x: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Activations go in as unsigned numbers around 128, which is what its kernels want."""
    unsigned = x.view(torch.uint8) ^ 128
    no_offset = torch.zeros(len(scale), dtype=torch.int64)
    out: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
        unsigned, 1.0, 128, weight, scale, no_offset, None, 1.0, 0, torch.float32, "none", [], ""
    )
    return out


PRODUCTS = (
    Int8Product("oneDNN", 8, _pack_for_onednn, _by_onednn),
    Int8Product("oneDNN", 7, _pack_for_onednn, _by_onednn),
    Int8Product("torch", 8, _as_they_are, _by_torch),
    Int8Product("float32 products of integers", 8, _as_they_are, _by_float),
)
"""In the order in which they are tried; the last one works everywhere."""

GAIN_FOR_LESS_BITS = 1.2
"""A product of 7-bit weights must be this much faster than the best of 8."""


@cache
def choose_product(dtype: torch.dtype, device: torch.device) -> Int8Product:
    """The fastest product that is right on this device, timed against layers of ``dtype``.

    A layer of 1,024 by 1,024 for 512 tokens: in smaller ones, what is around the product shows.
    Costs about half a second, once a machine: what was found is kept, so that every run gives the
    same digits. Where the machine is too busy to tell, it is the first that is right.
    """
    right = [product for product in PRODUCTS if _is_right(product, device)]
    if not right:
        raise ModelError(
            f"{option('compute', 'int8')} cannot be used on {device}: no integer product is right.",
            option="compute",
        )
    timed = []
    for product in right:
        bits = f"{product.name}, {product.weight_bits} bits"
        where = f"{device.type}, threads: {torch.get_num_threads()}"
        speed_up = measured(
            f"int8 by {bits}, against {dtype}, {where}",
            partial(_speed_up, product, dtype, device),
        )
        if speed_up is None:
            return right[0]
        timed.append(replace(product, speed_up=speed_up))
    return _fastest(timed)


def _speed_up(product: Int8Product, dtype: torch.dtype, device: torch.device) -> float | None:
    """How many times faster it is than a plain product, if that can be told."""
    x, plain = (torch.randn(n, 1_024).to(device, dtype) for n in (512, 1_024))
    ways = (partial(linear, x, plain), partial(Int8Linear(plain, None, product), x))
    turns = take_turns(ways, device, least_seconds=0.1, most_seconds=0.4)
    plain_seconds, seconds = (each.reproducible() for each in turns)
    return None if plain_seconds is None or seconds is None else plain_seconds / seconds


def _fastest(products: Sequence[Int8Product]) -> Int8Product:
    """Of those that were timed; one of fewer bits only if it is much faster."""
    best = products[0]
    for product in products[1:]:
        loses_bits = product.weight_bits < best.weight_bits
        if product.speed_up > best.speed_up * (GAIN_FOR_LESS_BITS if loses_bits else 1):
            best = product
    return best


def _is_right(product: Int8Product, device: torch.device) -> bool:
    """Whether the largest integers of both signs are multiplied without overflow."""
    n_rows, n_in, n_out = 32, 256, 32
    largest = 2 ** (product.weight_bits - 1) - 1
    signs = torch.ones(n_rows, n_in, dtype=torch.int8)
    signs[1::2] = -1
    signs[2::4, ::2] = -1
    x = (signs * 127).to(device)
    weight = (signs[:n_out].roll(1, dims=0) * largest).to(device)
    expected = x.double() @ weight.double().t()
    try:
        ours = product.multiply(x, product.pack(weight), torch.ones(n_out, device=device))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False  # this build of torch, or this device, has none
    return bool(torch.equal(ours.double(), expected))
