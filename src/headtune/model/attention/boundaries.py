"""Whether an architecture may be given packed batches: not believed, but tried.

The reference is transformers' own eager attention on each text alone, unpadded, with the masks
that transformers itself makes for the direction asked for; it shares no line with what is tried. A
few texts, longer than the windows, go through it and through the packed path. If the states of a
text differ, or the packed call fails, every batch takes the padded path.

1. Windows are shortened to six tokens meanwhile, wherever the model keeps them. Where another
   length changes nothing though the configuration names windows, a trial of short texts would not
   show them, and the model does not pack.
2. In both directions, transformers counts the distance of a window (``<=``), while a causal one has
   so many tokens, the query among them (``<``): so its window is one shorter for the reference.

``sees_ahead`` tries the direction itself: whether the first tokens of a text change with the last.

Costs: five forward passes of a few dozen tokens. Leaves the model as it found it.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import PreTrainedModel

from headtune.model.architecture import position_offset, windows_of
from headtune.model.attention.layout import SequenceLayout
from headtune.model.attention.packed import ATTENTION_NAME

__all__ = ["Trial", "respects_boundaries", "sees_ahead"]

WINDOW = 6
LENGTHS = (19, 3, 7)
WINDOW_NAMES = (
    "sliding_window",
    "sliding_window_size",
    "window_size",
    "attention_window_size",
    "keep_window_size",
    "local_attention",
    "local_attention_window_len",
    "attention_chunk_size",
)
"""How configurations and modules of transformers call a window or a chunk of attention."""

TOLERANCE = {torch.float32: 1e-3}
TOLERANCE_BELOW = 0.1  # in formats of fewer digits
SAME = {torch.float32: 1e-5}
SAME_BELOW = 1e-2


class Trial:
    """Texts with the states that transformers' own attention gives them, alone."""

    def __init__(self, model: PreTrainedModel, *, causal: bool) -> None:
        self.causal = causal
        self.texts = _random_texts(model)
        with torch.inference_mode(), _own_attention(model, causal=causal):
            with _windows(model, WINDOW if causal else WINDOW - 1):
                self.expected = [_states_alone(model, ids) for ids in self.texts]
            self.shows_windows = self._shows_windows(model)

    def _shows_windows(self, model: PreTrainedModel) -> bool:
        """Whether the windows that the configuration names are those that can be shortened."""
        if not any(windows_of(model.config)):
            return True
        with _windows(model, 2 * WINDOW):
            wider = _states_alone(model, self.texts[0])
        return _difference(wider, self.expected[0]) > _same(model)

    def passes(self, model: PreTrainedModel) -> bool:
        """Whether the packed path, which the model is set to, gives each text the same states."""
        with torch.inference_mode(), _windows(model, WINDOW):
            try:
                packed = _states_packed(model, self.texts, self.causal)
            except (TypeError, ValueError, RuntimeError, AttributeError):
                return False  # an architecture that does not hand our keywords on to its attention
        together = torch.split(packed, [len(ids) for ids in self.texts])
        worst = max(map(_difference, together, self.expected))
        return self.shows_windows and worst < TOLERANCE.get(model.dtype, TOLERANCE_BELOW)


def respects_boundaries(model: PreTrainedModel, *, causal: bool = True) -> bool:
    """Whether a packed batch gives each text the states that it has alone, in this direction."""
    if not getattr(model, "_supports_attention_backend", False):
        return False
    trial = Trial(model, causal=causal)
    with _implementation(model, ATTENTION_NAME), warnings.catch_warnings(action="ignore"):
        return trial.passes(model)


def sees_ahead(model: PreTrainedModel) -> bool:
    """Whether the states of a text's first tokens change with its last one, as in an encoder."""
    ids = _random_texts(model)[0]
    other = ids.clone()
    other[-1] = (ids[-1] + 1) % model.get_input_embeddings().num_embeddings
    with torch.inference_mode(), _own_attention(model, causal=True):
        first, second = (_states_alone(model, text)[:-1] for text in (ids, other))
    return _difference(second, first) > _same(model)


def _random_texts(model: PreTrainedModel) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    vocabulary = model.get_input_embeddings().num_embeddings
    return [torch.randint(vocabulary, (n,), generator=generator).to(model.device) for n in LENGTHS]


def _same(model: PreTrainedModel) -> float:
    """Two computations of the same states differ less."""
    return SAME.get(model.dtype, SAME_BELOW)


def _difference(states: torch.Tensor, expected: torch.Tensor) -> float:
    """Mean distance as a share of the mean size, shapes ``(n_tokens, hidden_size)``.

    Infinite where it is no number.
    """
    scale = expected.float().abs().mean().clamp(min=1e-6)
    difference = (states.float().to(expected.device) - expected.float()).abs().mean() / scale
    return float(difference.nan_to_num(float("inf")))


@contextmanager
def _own_attention(model: PreTrainedModel, *, causal: bool) -> Iterator[None]:
    """Within, attention is transformers' plainest, with masks of this direction.

    A configuration with ``is_causal`` false makes transformers build bidirectional masks; a model
    that does not heed it stays causal, and so differs from the packed path.
    """
    configs = {id(c): c for c in (model.config, model.config.get_text_config())}.values()
    before = [vars(config).get("is_causal") for config in configs]
    with _implementation(model, "eager"), warnings.catch_warnings(action="ignore"):
        if not causal:
            for config in configs:
                config.is_causal = False
        try:
            yield
        finally:
            for config, own in zip(configs, before, strict=True):
                if own is None and not causal:
                    del config.is_causal
                elif not causal:
                    config.is_causal = own


@contextmanager
def _implementation(model: PreTrainedModel, name: str) -> Iterator[None]:
    before = model.config._attn_implementation
    if name != "eager" or getattr(model, "_supports_attention_backend", False):
        model.set_attn_implementation(name)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


@contextmanager
def _windows(model: PreTrainedModel, size: int) -> Iterator[None]:
    """Within, sliding windows and chunks of attention are of so many tokens, wherever kept.

    Some architectures tell their attention of a window by the mask alone, which a packed batch has
    not; a window of thousands of tokens would not show in a trial of dozens.
    """
    owners: list[Any] = [model.config, model.config.get_text_config(), *model.modules()]
    found = [
        (owner, name, value)
        for owner in owners
        for name in WINDOW_NAMES
        if type(value := getattr(owner, name, None)) is int
    ]
    for owner, name, _ in found:
        setattr(owner, name, size)
    try:
        yield
    finally:
        for owner, name, value in reversed(found):
            setattr(owner, name, value)


def _states_alone(model: PreTrainedModel, ids: torch.Tensor) -> torch.Tensor:
    """States of one text, shape ``(n_tokens, hidden_size)``."""
    states: torch.Tensor = model(input_ids=ids[None], use_cache=False).last_hidden_state
    return states[0]


def _states_packed(
    model: PreTrainedModel, texts: Sequence[torch.Tensor], causal: bool
) -> torch.Tensor:
    """States of all texts, one after the other, shape ``(n_tokens, hidden_size)``."""
    layout = SequenceLayout.from_lengths([len(ids) for ids in texts], model.device, causal)
    offset = position_offset(model)
    positions = torch.cat([torch.arange(len(ids), device=ids.device) + offset for ids in texts])
    states: torch.Tensor = model(
        input_ids=torch.cat(list(texts))[None],
        position_ids=positions[None],
        attention_mask=None,
        use_cache=False,
        layout=layout,
    ).last_hidden_state
    return states[0]
