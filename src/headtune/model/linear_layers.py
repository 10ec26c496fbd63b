"""The linear layers of the blocks, whoever made them: torch, GPT-2's transposed ones, PEFT's."""

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import nn

from headtune.model.sequence_classifier import SequenceClassifier
from headtune.model.trainable import decoder_blocks

__all__ = ["base_of", "linear_layers", "weight_of"]


def linear_layers(classifier: SequenceClassifier) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Owner, name and module of each; with an adapter, the module is PEFT's around the layer."""
    _, blocks = decoder_blocks(classifier.backbone)
    for block in blocks:
        yield from _among_children(block)


def _among_children(module: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    for name, child in list(module.named_children()):
        if weight_of(base_of(child)) is not None:
            yield module, name, child
        else:
            yield from _among_children(child)


def base_of(layer: Any) -> nn.Module:
    """The layer itself, without an adapter around it."""
    has_adapter = hasattr(layer, "base_layer") and hasattr(layer, "merge")  # one of PEFT's
    base: nn.Module = layer.base_layer if has_adapter else layer
    return base


def weight_of(layer: nn.Module) -> torch.Tensor | None:
    """The weight, shape ``(out, in)``; None where the module is no linear layer."""
    if type(layer) is nn.Linear:
        return layer.weight
    if type(layer).__name__ == "Conv1D":
        return cast(torch.Tensor, layer.weight).t()
    return None
