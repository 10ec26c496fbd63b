"""Options of the model: which pretrained one, and how it is read; these decide the answer."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["AttentionDirection", "ModelConfig", "Pooling"]

Pooling = Literal["last", "first", "mean"]
AttentionDirection = Literal["causal", "bidirectional"]


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Which pretrained language model, and how it is read."""

    model: str = "smollm2-135m"
    """Hub id, folder, GGUF file, or a built-in alias: smollm2-135m, gemma3-270m."""

    revision: str | None = None
    """Branch, tag or commit of a hub model."""

    random_weights: bool = False
    """Start from random weights of the model's architecture instead of its pretrained ones."""

    pooling: Pooling = "last"
    """Which token's final state is classified: the last, the first, or the mean of all."""

    attention: AttentionDirection = "causal"
    """Whether a token sees only the tokens before it, or all tokens of its text."""
