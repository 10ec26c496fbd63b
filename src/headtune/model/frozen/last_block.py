"""The last block computes only what the pooled token needs.

A text is classified from one token's final state. In the last block that state needs the keys and
values of all tokens, but the query, the output projection and the MLP of that token alone: nine
tenths of the block's work are for states that nobody reads. So these modules are given the rows of
the pooled tokens, and their result is put back among zeros; every other module runs as it is.

That is exact where norms and projections treat each row by itself, as in the architectures named
here, which are tested; others run the plain block. It is off for mean pooling, which reads every
row, and under activation checkpointing, which runs a block again when the rows are forgotten.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

__all__ = ["only_rows", "row_modules"]

SEPARATE = ("self_attn.q_proj", "self_attn.o_proj", "mlp")

ROW_MODULES = {
    "LlamaDecoderLayer": SEPARATE,
    "MistralDecoderLayer": SEPARATE,
    "Qwen2DecoderLayer": SEPARATE,
    "Qwen3DecoderLayer": SEPARATE,
    "Gemma3DecoderLayer": SEPARATE,
    "GPT2Block": ("attn.c_proj", "mlp"),  # queries, keys and values are one projection
}
"""Class of a block -> its modules whose rows are needed for the pooled token only."""


def row_modules(backbone: PreTrainedModel) -> list[nn.Module]:
    """Those modules of the last block; empty where the architecture is not known to allow it."""
    for module in backbone.modules():
        if isinstance(module, nn.ModuleList) and len(module):
            names = ROW_MODULES.get(type(module[-1]).__name__, ())
            return [module[-1].get_submodule(name) for name in names]
    return []


@contextmanager
def only_rows(modules: Sequence[nn.Module], rows: torch.Tensor) -> Iterator[None]:
    """Within, ``modules`` compute ``rows`` of their input, and give zeros for all others.

    Args:
        modules: Each maps ``(1, n_tokens, in)`` to ``(1, n_tokens, out)``, row by row.
        rows: Shape ``(n_sequences,)``, positions in the packed batch.
    """
    n_tokens: list[int] = []

    def select(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        n_tokens.append(args[0].shape[1])
        return (args[0][:, rows.to(args[0].device)], *args[1:])

    def put_back(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
        full = output.new_zeros(1, n_tokens.pop(), output.shape[-1])
        return full.index_copy(1, rows.to(output.device), output)

    hooks = [module.register_forward_pre_hook(select) for module in modules]
    hooks += [module.register_forward_hook(put_back) for module in modules]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
