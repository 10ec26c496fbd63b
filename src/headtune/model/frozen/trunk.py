"""Frozen layers run once: what enters the lowest trained block is kept, and trained from.

With ``head``, ``last-N`` and LoRA in the last layers everything below the trained blocks is frozen
and runs without dropout, so it gives the same output for the same text in every epoch and every
evaluation. For the last block of a model of 30 this leaves a thirtieth of the work of an epoch.

How it works, for any architecture of transformers:

1. A hook on the lowest trained block takes what enters it and ends the forward pass there; the
   states are cut into texts and kept. For ``head``, the pooled final state of a text is all.
2. Later, frozen blocks are stepped over, and the hook puts the kept states in their place. The
   model's own code does the rest (rotary embedding, masks, final norm), so nothing is written
   twice.

``keeping.py`` decides where the states are kept: in memory, on disk, or both.

Guarantees: the same logits and gradients as without, to rounding. Costs: one forward pass of the
frozen blocks; ``hidden_size`` numbers for each token, 83 kB for a text of 36 tokens and 576
dimensions in float32.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from headtune.batches import PackedBatch, collate
from headtune.errors import ModelError
from headtune.model.blocks import decoder_blocks
from headtune.model.finite import check_finite
from headtune.model.one_pass import one_pass
from headtune.model.sequence_classifier import SequenceClassifier
from headtune.options import TuneConfig
from headtune.types import TokenizedExample

__all__ = ["FrozenTrunk", "attach_trunk", "shorter_trunks"]


class _Reached(Exception):  # noqa: N818 (a signal, not an error)
    """The forward pass has come to the lowest trained block."""


def attach_trunk(classifier: SequenceClassifier, tune: TuneConfig) -> "FrozenTrunk | None":
    """The trunk below what ``tune`` trains, ready for kept examples; None where there is none.

    That is the case when all blocks are trained, as with full tuning and LoRA unless it is kept to
    the last layers, and for architectures that take the padded path.
    """
    n_trained = tune.trained_blocks
    if n_trained is None or not classifier.packs:
        return None
    if n_trained == 0:
        return FrozenTrunk(classifier, [], None)
    _, blocks = decoder_blocks(classifier.backbone)
    if n_trained == len(blocks):
        return None
    first = len(blocks) - n_trained
    trunk = FrozenTrunk(classifier, list(blocks)[:first], blocks[first])
    classifier.trunk = trunk
    return trunk


class FrozenTrunk:
    """The blocks ``frozen``, and the ``lowest`` trained one (None when only the head is).

    While it is attached to a classifier, a batch with kept states runs the trained part only, and
    a batch without runs everything.
    """

    def __init__(
        self, classifier: SequenceClassifier, frozen: list[nn.Module], lowest: nn.Module | None
    ) -> None:
        self.classifier = classifier
        self.frozen = frozen
        self.lowest = lowest

    @property
    def depth(self) -> str:
        """Where it ends, in words: "below block 30 of 30", or "pooled" for all blocks."""
        if self.lowest is None:
            return "pooled"
        n_blocks = self.classifier.backbone.config.get_text_config().num_hidden_layers
        return f"below block {len(self.frozen) + 1} of {n_blocks}"

    def n_bytes(self, example: TokenizedExample) -> int:
        """What the states of a text take."""
        config = self.classifier.backbone.config.get_text_config()
        n_states = 1 if self.lowest is None else len(example)
        return n_states * int(config.hidden_size) * self.classifier.compute_dtype.itemsize

    def run(self, examples: Sequence[TokenizedExample]) -> list[torch.Tensor]:
        """Run the frozen blocks over one batch; the states of each text, on the CPU.

        Shape of each: ``(n_tokens, hidden_size)``, or ``(1, hidden_size)`` if pooled. Examples
        that bring states of a shorter trunk, which is attached, go on from there. Raises
        ``ModelError`` where a state is no number.
        """
        self.classifier.eval()
        batch = collate(examples)
        with torch.no_grad():
            states = self._states(batch).to(self.classifier.compute_dtype).cpu()
        sizes = [1] * len(examples) if self.lowest is None else list(batch.lengths)
        rows = np.repeat(batch.rows, sizes).tolist()
        check_finite(states, rows, self.classifier, self.classifier.compute_dtype)
        return list(torch.split(states, sizes))

    def _states(self, batch: PackedBatch) -> torch.Tensor:
        """What enters the trained part: of each token, or (``head``) of each text, pooled."""
        if self.lowest is None:
            return self.classifier.pooled_states(batch)
        found: list[torch.Tensor] = []

        def take(module: nn.Module, args: Any, kwargs: Any) -> None:
            found.append((args[0] if args else kwargs["hidden_states"])[0])
            raise _Reached

        with one_pass(self.classifier.backbone):
            hook = self.lowest.register_forward_pre_hook(take, with_kwargs=True)
            try:
                self.classifier.pooled_states(batch)
            except _Reached:
                return found[0]
            finally:
                hook.remove()
        raise RuntimeError("The forward pass did not reach the lowest trained block.")

    @contextmanager
    def replaced_by(self, states: torch.Tensor) -> Iterator[None]:
        """While the block runs, frozen blocks do nothing and ``states`` enter the lowest one."""
        if self.lowest is None:
            raise RuntimeError("Only the head is trained: its kept states need no backbone.")

        def put(module: nn.Module, args: Any, kwargs: Any) -> tuple[Any, Any]:
            own = args[0] if args else kwargs["hidden_states"]
            given = states[None].to(own.device, own.dtype)
            if args:
                return (given, *args[1:]), kwargs
            return args, kwargs | {"hidden_states": given}

        hook = self.lowest.register_forward_pre_hook(put, with_kwargs=True)
        own = [vars(block).get("forward") for block in self.frozen]  # accelerate's, if spread
        for block in self.frozen:
            block.forward = _step_over
        try:
            yield
        finally:
            hook.remove()
            for block, forward in zip(self.frozen, own, strict=True):
                if forward is None:
                    del block.forward
                else:
                    block.forward = forward


def shorter_trunks(trunk: FrozenTrunk) -> Iterator[FrozenTrunk]:
    """Trunks of the same model that end before this one, the longest first.

    None where the blocks of an architecture cannot be told apart, which ``head`` can do without.
    """
    try:
        _, blocks = decoder_blocks(trunk.classifier.backbone)
    except ModelError:
        return
    n_frozen = len(blocks) if trunk.lowest is None else len(trunk.frozen)
    for first in range(n_frozen - 1, 0, -1):
        yield FrozenTrunk(trunk.classifier, list(blocks)[:first], blocks[first])


def _step_over(hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    return hidden_states
