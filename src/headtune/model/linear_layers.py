"""The linear layers of the blocks, whoever made them: torch, GPT-2's transposed ones, PEFT's.

Where the blocks of an architecture cannot be told apart, those of the whole backbone.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import torch
from torch import nn
from transformers import PreTrainedModel

from headtune.errors import ModelError
from headtune.model.blocks import decoder_blocks

__all__ = ["base_of", "is_linear", "linear_layers", "linear_paths", "weight_of"]


def linear_layers(backbone: PreTrainedModel) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Owner, name and module of each; with an adapter, the module is PEFT's around the layer.

    Only of classes that are known to be a product with one weight, and nothing else.
    """
    for owner, name, module, _ in _in_blocks(backbone):
        if weight_of(base_of(module)) is not None:
            yield owner, name, module


def linear_paths(backbone: PreTrainedModel) -> list[str]:
    """Where in a block they are, each place once: ``self_attn.q_proj``, ``mlp.up_proj``, …

    Of subclasses, too, which PEFT adapts as well.
    """
    return list(dict.fromkeys(path for _, _, _, path in _in_blocks(backbone)))


def _in_blocks(
    backbone: PreTrainedModel,
) -> Iterator[tuple[nn.Module, str, nn.Module, str]]:
    blocks: Iterable[nn.Module]
    try:
        _, blocks = decoder_blocks(backbone)
    except ModelError:
        blocks = (backbone,)
    for block in blocks:
        yield from _among_children(block, "")


def _among_children(
    module: nn.Module, path: str
) -> Iterator[tuple[nn.Module, str, nn.Module, str]]:
    for name, child in list(module.named_children()):
        if is_linear(base_of(child)):
            yield module, name, child, path + name
        else:
            yield from _among_children(child, f"{path}{name}.")


def base_of(layer: Any) -> nn.Module:
    """The layer itself, without an adapter around it."""
    has_adapter = hasattr(layer, "base_layer") and hasattr(layer, "merge")  # one of PEFT's
    base: nn.Module = layer.base_layer if has_adapter else layer
    return base


def weight_of(layer: nn.Module) -> torch.Tensor | None:
    """The weight, shape ``(out, in)``; None where the module is no linear layer."""
    if type(layer) is nn.Linear:
        return layer.weight
    if _is_transposed(layer):
        return cast(torch.Tensor, layer.weight).t()
    return None


def is_linear(module: nn.Module) -> bool:
    """Whether it is one of torch's, of a class made from it, or a transposed one."""
    return isinstance(module, nn.Linear) or _is_transposed(module)


def _is_transposed(module: nn.Module) -> bool:
    """GPT-2's own class, which keeps its weight as ``(in, out)``."""
    return type(module).__name__ == "Conv1D"
