"""The blocks of a decoder, found in any architecture."""

from torch import nn
from transformers import PreTrainedModel

from headtune.errors import ModelError, option

__all__ = ["decoder_blocks", "last_blocks"]


def decoder_blocks(backbone: PreTrainedModel) -> tuple[nn.Module, nn.ModuleList]:
    """The module that holds the list of blocks, and that list.

    Found as the one ``ModuleList`` as long as the configuration says the model is deep. Raises
    ``ModelError`` when there is none.
    """
    depth = backbone.config.get_text_config().num_hidden_layers
    for owner in backbone.modules():
        for child in owner.children():
            if isinstance(child, nn.ModuleList) and len(child) == depth:
                return owner, child
    raise ModelError(
        f"The blocks of {backbone.config.model_type!r} cannot be told apart.",
        option="tune",
        way_out=f"Use {option('tune', 'head')}, {option('tune', 'lora')} or "
        f"{option('tune', 'full')}.",
    )


def last_blocks(backbone: PreTrainedModel, n_blocks: int, asked_by: str) -> tuple[nn.Module, ...]:
    """The last blocks, and the norms that come after the list of blocks.

    Raises ``ModelError``, naming the option that they were ``asked_by``, when the model has fewer.
    """
    owner, blocks = decoder_blocks(backbone)
    if n_blocks > len(blocks):
        raise ModelError(
            f"{option(asked_by, f'last-{n_blocks}')} asks for more blocks than this model has: "
            f"{len(blocks)}.",
            option=asked_by,
        )
    after = list(owner.children())
    after = after[next(i for i, child in enumerate(after) if child is blocks) + 1 :]
    norms = [child for child in after if "norm" in type(child).__name__.lower()]
    return (*blocks[len(blocks) - n_blocks :], *norms)
