"""Weights packed beforehand, for batches of a few rows: one text at a time.

A kernel wants weights in an order of its own, and for a product of 30 rows, putting them there
takes as long as the product. oneDNN can keep them so. A layer that was packed multiplies up to
``MOST_ROWS`` rows by the packed weights, adapters merged, where no gradient is wanted; for more
rows the plain weights are as fast or faster, and are used.

``PackingOnDemand`` packs when single texts keep coming, so that a table, or one question from the
command line, does not pay for it. It looks first whether the machine gains by it.

Guarantees: the same results but for rounding; a weight that has been changed since is multiplied
as it is. Costs: a second copy of the blocks' weights.
Figures are in benchmarks/LOG.md.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

import psutil
import torch
from torch import nn
from torch.nn.functional import linear

from headtune.model.hardware.measured import measured
from headtune.model.hardware.timing import take_turns
from headtune.model.linear_layers import base_of, linear_layers, weight_of
from headtune.model.sequence_classifier import SequenceClassifier
from headtune.model.speed.fused import is_plain_lora
from headtune.pretrained import beside
from headtune.processes import in_each_forked_child

__all__ = ["MOST_ROWS", "PackingOnDemand", "pack_for_few_rows", "pays"]

MOST_ROWS = 64
SHARE_OF_FREE_MEMORY = 0.25
LEAST_GAIN = 1.15
CALLS_BEFORE = 2
"""Single texts that are answered before their number is worth packing for."""

PACKING = threading.Lock()
"""Threads of a server may ask one classifier at the same time."""


def _begin_anew() -> None:
    """In a child of a fork: a lock that no other thread holds."""
    global PACKING
    PACKING = threading.Lock()


in_each_forked_child(_begin_anew)


class PackingOnDemand:
    """Packs the weights of a classifier once short batches keep coming; for prediction only."""

    def __init__(self, classifier: SequenceClassifier) -> None:
        self.classifier = classifier
        self._n_short = 0
        self._settled = False

    def hear(self, n_rows: int) -> None:
        """Before each batch: how many tokens it has."""
        if self._settled or n_rows > MOST_ROWS:
            return
        with PACKING:
            self._n_short += 1
            if self._n_short > CALLS_BEFORE and not self._settled:
                self._settled = True
                if pays(self.classifier.compute_dtype, self.classifier.device):
                    with beside():  # weights are read, and stay as they are meanwhile
                        pack_for_few_rows(self.classifier)


def pack_for_few_rows(classifier: SequenceClassifier) -> int:
    """Give the linear layers of the blocks packed weights; returns how many got them.

    None do where the model is spread over devices, or the copy would take more than a quarter of
    the memory that is free.
    """
    if hasattr(classifier.backbone, "hf_device_map"):
        return 0
    layers = [layer for _, _, layer in linear_layers(classifier.backbone)]
    needed = sum(_weight(layer).numel() for layer in layers) * classifier.compute_dtype.itemsize
    if needed > SHARE_OF_FREE_MEMORY * psutil.virtual_memory().available:
        return 0
    return sum(
        _pack(layer, classifier.compute_dtype) for layer in layers if not hasattr(layer, "few_rows")
    )


@dataclass
class _Packed:
    """What a layer multiplies few rows by, and the tensors that it was made from.

    oneDNN's tensors cannot be copied or pickled: a copy has none, and takes the plain weight.
    """

    weight: torch.Tensor | None
    sources: tuple[torch.Tensor, ...]
    versions: tuple[int, ...]
    plain: Callable[..., torch.Tensor]
    dtype: torch.dtype
    in_features: int

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"weight": None}

    def weight_for(self, layer: nn.Module, x: torch.Tensor) -> torch.Tensor | None:
        """The packed weight, or None where the plain one is to be taken."""
        if (
            x.numel() > MOST_ROWS * self.in_features
            or torch.is_grad_enabled()
            or layer.training
            or tuple(source._version for source in self.sources) != self.versions
        ):
            return None
        return self.weight


def _pack(layer: Any, dtype: torch.dtype) -> bool:
    """False for adapters that do more than add to a weight."""
    base = base_of(layer)
    weight = _weight(layer)
    sources = [next(base.parameters())]
    if base is not layer:
        if not layer.merged:
            if not is_plain_lora(layer):
                return False
            (name,) = layer.active_adapters
            delta = layer.get_delta_weight(name)
            weight = weight + (delta if type(base) is nn.Linear else delta.t())
        sources = list(layer.parameters())
    packed = torch.ops.mkldnn._reorder_linear_weight(
        weight.detach().to(dtype).contiguous(), MOST_ROWS
    )
    layer.few_rows = _Packed(
        packed,
        tuple(sources),
        tuple(source._version for source in sources),
        layer.forward,
        dtype,
        weight.shape[1],
    )
    layer.forward = partial(_forward, layer)
    return True


def _forward(self: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    packed: _Packed = self.few_rows
    weight = None if args or kwargs else packed.weight_for(self, x)
    if weight is None:
        return packed.plain(x, *args, **kwargs)
    bias = getattr(base_of(self), "bias", None)
    return _multiply(x.to(packed.dtype), weight, None if bias is None else bias.to(packed.dtype))


def _multiply(
    x: torch.Tensor, packed: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    out: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")
    return out


def _weight(layer: nn.Module) -> torch.Tensor:
    return cast(torch.Tensor, weight_of(base_of(layer)))  # linear_layers gives no others


@cache
def pays(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether packed weights are enough faster on this machine; timed once a machine, 0.2 s.

    Over weights that together do not fit into the processor's caches, as those of a model do not.
    Not where the machine is too busy to tell: plain weights are right everywhere.
    """
    if device.type != "cpu" or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False  # or this build of torch is without oneDNN
    x = torch.ones(MOST_ROWS // 2, 576, dtype=dtype)
    weights = [torch.ones(1536, 576, dtype=dtype) for _ in range(16)]
    try:
        packed = [torch.ops.mkldnn._reorder_linear_weight(w, MOST_ROWS) for w in weights]
    except RuntimeError:
        return False  # oneDNN does not multiply this format on this processor
    ways = (lambda: [linear(x, w) for w in weights], lambda: [_multiply(x, w) for w in packed])
    name = f"packed weights in {dtype}, threads: {torch.get_num_threads()}"
    gain = measured(name, partial(_times_faster, ways))
    return gain is not None and gain > LEAST_GAIN


def _times_faster(ways: Sequence[Callable[[], object]]) -> float | None:
    """How many times faster the second is than the first, if that can be told."""
    turns = take_turns(ways, torch.device("cpu"), least_seconds=0.1)
    plain_seconds, seconds = (each.reproducible() for each in turns)
    return None if plain_seconds is None or seconds is None else plain_seconds / seconds
