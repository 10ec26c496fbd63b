"""How the weights of a loaded model are quantised, in words that differ where its states would.

The same files give other states when they are quantised on loading, or brought back to full
precision; a hash of the files does not tell. Read off the model: what its configuration says, and
the tensors that hold weights in less than 16 bits or in a type of their own (torchao).
"""

from typing import Any

import torch
from transformers import PreTrainedModel

from headtune.files.plain_json import to_json

__all__ = ["quantization_of"]


def quantization_of(model: PreTrainedModel) -> str:
    """ "" for a model whose weights are plain numbers of 16 bits or more."""
    said = _said(getattr(model.config, "quantization_config", None))
    kinds = {
        f"{type(module).__name__}.{name}: {type(tensor.data).__name__} {tensor.dtype}"
        for module in model.modules()
        for name, tensor in module.named_parameters(recurse=False)
        if _is_quantized(tensor)
    } | {
        f"{type(module).__name__}.{name}: {tensor.dtype}"
        for module in model.modules()
        for name, tensor in module.named_buffers(recurse=False)
        if tensor.dtype.itemsize == 1 and tensor.dtype != torch.bool
    }
    return "; ".join(filter(None, [said, *sorted(kinds)]))


def _said(config: Any) -> str:
    if config is None:
        return ""
    values = config if isinstance(config, dict) else config.to_dict()
    return to_json({name: values[name] for name in sorted(values)})


def _is_quantized(parameter: torch.Tensor) -> bool:
    own_type = type(parameter.data) not in (torch.Tensor, torch.nn.Parameter)
    return own_type or parameter.dtype.itemsize == 1
