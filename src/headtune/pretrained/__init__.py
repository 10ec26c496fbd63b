"""Where pretrained weights and tokenizers come from: a name to one local folder."""

from headtune.pretrained.find import (
    ALIASES,
    PretrainedFolder,
    find_pretrained,
    locate_pretrained,
    public_name,
    weights_sha256,
)

__all__ = [
    "ALIASES",
    "PretrainedFolder",
    "find_pretrained",
    "locate_pretrained",
    "public_name",
    "weights_sha256",
]
