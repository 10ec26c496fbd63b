"""What kind of model this is, read off it once, so that nobody else has to guess.

How a model attends, how far, where its positions begin, what it is given beside token ids: each was
found by looking for attributes wherever it mattered. ``Architecture`` holds it, the manifest keeps
it, and the modules that run, freeze or export a model ask it.

The direction that a model attends in by itself is known from its configuration before a weight is
read (``direction_of``): from what it says of itself, and from what transformers makes of its kind.
One that says nothing is found out by trial (``attention/boundaries.py``).

Costs: building one block of the model without weights, a few milliseconds.
"""

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
)
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from headtune.errors import TokenizationError
from headtune.options import AttentionDirection
from headtune.pretrained import from_config_of_transformers
from headtune.tokens import token_ids

__all__ = ["Architecture", "direction_of", "position_offset", "windows_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """How a model is built and run.

    Attributes:
        model_type: transformers' name of it.
        direction: In which it attends here: "causal" tokens see those before them, "bidirectional"
            ones the whole text.
        windows: Of each layer, the tokens that one sees to a side, itself included; None for all.
        position_offset: The position of a text's first token; 2 for RoBERTa, 0 for most.
        has_token_types: Whether tokens have a type beside their id, as in BERT.
        tokens_before: Ids that the tokenizer puts before each text; empty until a tokenizer is
            given (``with_tokenizer``).
        tokens_after: Ids that it puts after each.
        head: The name of the last layer in transformers' own classifier of this kind, ``score`` or
            ``classifier``; None where transformers has none.
        packs: Whether packed batches give each text what it has alone, in this direction: tried.
    """

    model_type: str
    direction: AttentionDirection
    windows: tuple[int | None, ...]
    position_offset: int = 0
    has_token_types: bool = False
    tokens_before: tuple[int, ...] = ()
    tokens_after: tuple[int, ...] = ()
    head: str | None = None
    packs: bool = False

    @classmethod
    def of(
        cls, model: PreTrainedModel, direction: AttentionDirection, *, packs: bool
    ) -> "Architecture":
        """Read off a model, which may be on torch's meta device; ``packs`` was found by trial."""
        config = model.config
        return cls(
            model_type=str(config.model_type),
            direction=direction,
            windows=windows_of(config),
            position_offset=position_offset(model),
            has_token_types=any(
                name.endswith("token_type_embeddings") for name, _ in model.named_modules()
            ),
            head=_head_of(config),
            packs=packs,
        )

    @property
    def window_sides(self) -> Literal["behind", "both"]:
        """To which sides of a token its window reaches."""
        return "behind" if self.direction == "causal" else "both"

    def with_tokenizer(self, tokenizer: PreTrainedTokenizerBase) -> "Architecture":
        """The same, with the tokens that this tokenizer adds to each text."""
        before, after = _added_tokens(copy.deepcopy(tokenizer))  # whose settings calls change
        return replace(self, tokens_before=before, tokens_after=after)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as the manifest has them."""
        values = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def direction_of(config: PreTrainedConfig) -> AttentionDirection:
    """In which direction a model of this configuration attends by itself.

    Bidirectional are those that say so, and those that transformers knows for masked language
    modelling, unless they are decoders by a switch of their configuration, as BERT can be.
    """
    text = config.get_text_config()
    if any(_says_bidirectional(each) for each in (config, text)):
        return "bidirectional"
    if text.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        return "causal"
    can_be_causal = text.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    switches = [getattr(text, name, False) for name in ("is_decoder", "causal")]  # BERT's, XLM's
    return "causal" if can_be_causal and any(switches) else "bidirectional"


def _says_bidirectional(config: PreTrainedConfig) -> bool:
    both_ways = getattr(config, "use_bidirectional_attention", None)
    return not getattr(config, "is_causal", True) or bool(both_ways and both_ways != "vision")


def windows_of(config: PreTrainedConfig) -> tuple[int | None, ...]:
    """The sliding window of each layer, in tokens to a side, the token itself included."""
    text = config.get_text_config()
    window = getattr(text, "sliding_window", None)
    window = window if type(window) is int and window > 0 else None
    kinds: Sequence[str] | None = getattr(text, "layer_types", None)
    if kinds is None:
        return (window,) * int(getattr(text, "num_hidden_layers", 0))
    return tuple(window if kind == "sliding_attention" else None for kind in kinds)


def position_offset(model: PreTrainedModel) -> int:
    """The position of a text's first token.

    Models that number positions behind their padding id keep its row in the embedding.
    """
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return 0 if module.padding_idx is None else module.padding_idx + 1
    return 0


def _head_of(config: PreTrainedConfig) -> str | None:
    """The last linear layer outside the base model of transformers' own classifier."""
    if config.model_type not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES:
        return None
    try:
        model = _own_classifier(_shallow(config))
    except (AttributeError, KeyError, TypeError, ValueError):  # layers that need all others
        model = _own_classifier(config)
    base = f"{model.base_model_prefix}."
    found = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and not name.startswith(base)
    ]
    return found[-1].split(".")[0] if found else None


def _own_classifier(config: PreTrainedConfig) -> PreTrainedModel:
    """transformers' classifier of this kind, without weights."""
    build = AutoModelForSequenceClassification.from_config
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        model: PreTrainedModel = from_config_of_transformers(build, config)
    return model


def _shallow(config: PreTrainedConfig) -> PreTrainedConfig:
    """The same with one layer."""
    shallow = copy.deepcopy(config)
    if isinstance(getattr(shallow, "layer_types", None), list):
        shallow.layer_types = shallow.layer_types[:1]
    shallow.num_hidden_layers = 1
    return shallow


def _added_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Ids before and after the tokens of a text."""
    try:
        [whole] = token_ids(["a"], tokenizer, [1])
        plain: list[int] = tokenizer("a", add_special_tokens=False)["input_ids"]
    except TokenizationError:  # it has no token for that letter: the empty text has what is added
        [whole], plain = token_ids([""], tokenizer, [1]), []
    for start in range(len(whole) - len(plain) + 1):
        if whole[start : start + len(plain)] == plain:
            return tuple(whole[:start]), tuple(whole[start + len(plain) :])
    return tuple(whole), ()
