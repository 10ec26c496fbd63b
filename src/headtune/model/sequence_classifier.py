"""A backbone, a pooled state, a linear head: packed batches to logits.

The head is one linear layer without bias named ``score``, as in transformers' sequence
classification models, so weights can be exchanged with them name by name. It lives in float32
whatever the backbone's format: in bfloat16 small updates vanish.
"""

import math
from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import nn
from transformers import PreTrainedModel

from headtune.batches import PackedBatch
from headtune.model.attention.layout import SequenceLayout
from headtune.model.backbone import Backbone
from headtune.model.frozen.last_block import only_rows, row_modules
from headtune.model.one_pass import one_pass
from headtune.model.pooling import pool, pooled_rows
from headtune.options import AttentionDirection, Pooling

__all__ = ["SequenceClassifier", "Trunk"]


class Trunk(Protocol):
    """Frozen blocks that can be stepped over; see ``trunk.py``."""

    def replaced_by(self, states: torch.Tensor) -> AbstractContextManager[None]: ...


class SequenceClassifier(nn.Module):
    """Backbone and head.

    Attributes:
        backbone: The transformers model without language-model head.
        score: Linear, ``hidden_size`` to ``n_labels``, no bias, float32.
        architecture: What kind of model the backbone is. Where it does not pack, batches are padded
            on the right, which causal layers never see.
        compute_dtype: Format of the backbone's matrix products; below float32 they run under
            autocast, since trained blocks keep float32 weights.
        prunes_last_block: Whether the last block computes what the pooled tokens need only, where
            the architecture allows it.
        trunk: What steps over frozen blocks for a batch that brings their output along.
        live: The modules below the head that are trained, set by ``make_trainable``.
    """

    def __init__(
        self,
        backbone: Backbone,
        n_labels: int,
        *,
        pooling: Pooling = "last",
        attention: AttentionDirection = "causal",
        compute_dtype: torch.dtype = torch.float32,
        seed: int = 42,
    ) -> None:
        super().__init__()
        self.backbone: PreTrainedModel = backbone.model
        self.architecture = backbone.architecture
        self.pooling: Pooling = pooling
        self.attention: AttentionDirection = attention
        self.compute_dtype = compute_dtype
        config = self.backbone.config.get_text_config()
        self.score = nn.Linear(config.hidden_size, n_labels, bias=False)
        _initialise(self.score, getattr(config, "initializer_range", 0.02), seed)
        self.score.to(_last_device(self.backbone))
        if hasattr(self.backbone, "hf_device_map"):  # a spread model: the Trainer must not move it
            self.hf_device_map = self.backbone.hf_device_map
        self.live: tuple[nn.Module, ...] = ()
        self.trunk: Trunk | None = None
        self.prunes_last_block = True
        self.most_tokens: float = math.inf  # in a batch; less once memory has run out

    @property
    def packs(self) -> bool:
        """Whether packed batches go through the backbone as they are."""
        return self.architecture.packs

    @property
    def device(self) -> torch.device:
        """Where input ids go."""
        device: torch.device = self.backbone.get_input_embeddings().weight.device
        return device

    def forward(self, batch: PackedBatch) -> torch.Tensor:
        """Logits in float32, shape ``(n_sequences, n_labels)``."""
        pooled = self.pooled_states(batch.to(self.device))  # (n_sequences, hidden_size)
        with torch.autocast(pooled.device.type, enabled=False):
            logits: torch.Tensor = self.score(pooled.to(self.score.weight))
        return logits

    def pooled_states(self, batch: PackedBatch) -> torch.Tensor:
        """What the head classifies, shape ``(n_sequences, hidden_size)``.

        Frozen layers whose output the batch brings along are not run again.
        """
        if batch.kept is None:
            return self._run_backbone(batch)
        if self.trunk is None:  # only the head is trained: the batch brings pooled states
            return batch.kept
        with one_pass(self.backbone), self.trunk.replaced_by(batch.kept):
            return self._run_backbone(batch)

    def _run_backbone(self, batch: PackedBatch) -> torch.Tensor:
        lower = self.compute_dtype != torch.float32
        autocast = torch.autocast(self.device.type, self.compute_dtype, enabled=lower)
        with one_pass(self.backbone), autocast:
            states = self._packed_states(batch) if self.packs else self._padded_states(batch)
        return pool(states, batch.cu_seqlens, self.pooling)

    def _packed_states(self, batch: PackedBatch) -> torch.Tensor:
        """Final states, shape ``(n_tokens, hidden_size)``; right where they are pooled."""
        layout = SequenceLayout.from_lengths(
            batch.lengths, batch.input_ids.device, causal=self.attention == "causal"
        )
        with only_rows(self.pruned_modules, pooled_rows(batch.cu_seqlens, self.pooling)):
            states: torch.Tensor = self.backbone(
                input_ids=batch.input_ids[None],
                position_ids=batch.position_ids[None] + self.architecture.position_offset,
                attention_mask=None,
                use_cache=False,
                layout=layout,
            ).last_hidden_state
        return states[0]

    @property
    def pruned_modules(self) -> tuple[nn.Module, ...]:
        """Modules of the last block that compute the pooled rows only."""
        prunes = self.prunes_last_block and self.packs and self.pooling != "mean"
        return tuple(row_modules(self.backbone)) if prunes else ()

    def _padded_states(self, batch: PackedBatch) -> torch.Tensor:
        """The same through padding on the right, for layers that do not know boundaries."""
        size = (batch.n_sequences, batch.max_seqlen)
        lengths = torch.tensor(batch.lengths, device=batch.input_ids.device)
        real = torch.arange(batch.max_seqlen, device=lengths.device) < lengths[:, None]
        input_ids = batch.input_ids.new_zeros(size).masked_scatter(real, batch.input_ids)
        states: torch.Tensor = self.backbone(
            input_ids=input_ids, attention_mask=real.long(), use_cache=False
        ).last_hidden_state
        return states[real.to(states.device)]

    def train(self, mode: bool = True) -> "SequenceClassifier":
        """Train mode for ``live`` modules only: frozen layers keep running without dropout."""
        super().train(mode)
        if mode:
            self.backbone.eval()
            for module in self.live:
                module.train()
        return self


def _initialise(score: nn.Linear, standard_deviation: float, seed: int) -> None:
    """Seeded, and without touching the global random state."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        score.weight.normal_(0.0, standard_deviation, generator=generator)


def _last_device(backbone: PreTrainedModel) -> torch.device:
    """Device of the final states: that of the last parameter that is on a real device."""
    devices = [parameter.device for parameter in backbone.parameters()]
    return next((d for d in reversed(devices) if d.type != "meta"), torch.device("cpu"))
