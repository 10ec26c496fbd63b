"""Where the sequences of a packed batch lie, arranged for attention in short padded blocks.

Made once per batch: sequences sorted by length, cut into groups of like length. ``packed.py``
gathers a group's tokens into a block, and puts the results back in packed order.

Costs: a block has at most ``MAX_SCORES`` scores per head, unless one sequence alone has more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

__all__ = ["LONG_SEQUENCE", "MAX_SCORES", "Group", "SequenceLayout"]

LONG_SEQUENCE = 512
"""From this many tokens on, the fused kernel is used where it can be; else queries are chunked."""

MAX_SCORES = 1 << 19
"""Bound on ``n * L * L`` of one group: 2 MB of float32 scores per head."""

MIN_FILL = 0.8
"""A group takes sequences of at least this share of its longest."""


@dataclass(frozen=True, slots=True)
class Group:
    """Sequences of like length, as a padded block.

    ``index`` is ``(n, L)`` int64: the packed position of each token; padding repeats the
    sequence's last token. ``lengths`` is ``(n,)`` int64, or None when all are ``L`` long.
    """

    index: torch.Tensor
    lengths: torch.Tensor | None

    def to(self, device: torch.device) -> "Group":
        lengths = None if self.lengths is None else self.lengths.to(device)
        return Group(self.index.to(device), lengths)


@dataclass(slots=True)
class SequenceLayout:
    """Where the sequences of a packed batch lie, arranged for attention; made by ``from_lengths``.

    What a kernel needs is made when it first asks, on ``device``, and kept for the other layers.
    """

    lengths: tuple[int, ...]
    device: torch.device
    causal: bool
    _arranged: tuple[list[Group], torch.Tensor, torch.Tensor] | None = None
    _bounds: torch.Tensor | None = None
    _by_device: dict[torch.device, "SequenceLayout"] = field(default_factory=dict)
    _masks: dict[tuple[Any, ...], torch.Tensor] = field(default_factory=dict)

    @classmethod
    def from_lengths(
        cls, lengths: Sequence[int], device: torch.device, causal: bool = True
    ) -> "SequenceLayout":
        """The layout of sequences of these lengths, packed in this order."""
        return cls(tuple(lengths), device, causal)

    def on(self, device: torch.device) -> "SequenceLayout":
        """The layout with its tensors on ``device``: layers of one model may be spread."""
        if self.device == device:
            return self
        if device not in self._by_device:
            self._by_device[device] = SequenceLayout(self.lengths, device, self.causal)
        return self._by_device[device]

    @property
    def groups(self) -> list[Group]:
        """Cover every sequence once."""
        return self._arrange()[0]

    @property
    def places(self) -> torch.Tensor:
        """The packed position of each token of all groups' blocks, one after the other: int64,
        shape ``(n_places,)``."""
        return self._arrange()[1]

    @property
    def inverse(self) -> torch.Tensor:
        """Of each packed token, its place in the concatenation of all groups' blocks: int64,
        shape ``(n_tokens,)``."""
        return self._arrange()[2]

    @property
    def cu_seqlens(self) -> torch.Tensor:
        """Where each sequence begins, and the last ends: int32, ``(n_sequences + 1,)``."""
        if self._bounds is None:
            bounds = torch.tensor([0, *self.lengths]).cumsum(0, dtype=torch.int32)
            self._bounds = bounds.to(self.device)
        return self._bounds

    def _arrange(self) -> tuple[list[Group], torch.Tensor, torch.Tensor]:
        if self._arranged is None:
            self._arranged = _arrange(self.lengths, self.device)
        return self._arranged

    def mask(self, n_queries: int, n_keys: int, window: int | None) -> torch.Tensor:
        """Which keys a chunk of queries must not see, as 0 and -inf: ``(n_queries, n_keys)``.

        The last query stands where the last key does. Small ones are kept, since every layer asks
        for the same; those of long texts would add up to a square.
        """
        key = (n_queries, n_keys, window)
        if key in self._masks:
            return self._masks[key]
        query = torch.arange(n_keys - n_queries, n_keys, device=self.device)[:, None]
        distance = query - torch.arange(n_keys, device=self.device)
        hidden = distance < 0
        if window is not None:
            hidden |= distance >= window
        mask = torch.zeros(hidden.shape, device=self.device).masked_fill(hidden, float("-inf"))
        if n_keys <= 2 * LONG_SEQUENCE:
            self._masks[key] = mask
        return mask


def _arrange(
    lengths: Sequence[int], device: torch.device
) -> tuple[list[Group], torch.Tensor, torch.Tensor]:
    """The groups, the packed position of each of their places, and each token's place."""
    starts = torch.tensor([0, *lengths]).cumsum(0)
    groups, inverse = [], torch.empty(int(starts[-1]), dtype=torch.int64)
    offset = 0
    for members in _like_lengths(lengths):
        size = torch.tensor([lengths[member] for member in members])
        longest = int(size.max())
        steps = torch.arange(longest)
        index = starts[members, None] + torch.minimum(steps, size[:, None] - 1)
        real = steps < size[:, None]  # (n, L)
        inverse[index[real]] = offset + torch.arange(index.numel()).view_as(index)[real]
        offset += index.numel()
        ragged = None if bool((size == longest).all()) else size
        groups.append(Group(index, ragged).to(device))
    places = torch.cat([group.index.flatten() for group in groups])
    return groups, places, inverse.to(device)


def _like_lengths(lengths: Sequence[int]) -> list[list[int]]:
    """Indices of sequences, longest first, cut where the length or the size of a block changes."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    groups: list[list[int]] = []
    longest = 0
    for index in order:
        size = lengths[index]
        fits = groups and (len(groups[-1]) + 1) * longest * longest <= MAX_SCORES
        if not fits or size < MIN_FILL * longest:
            groups.append([])
            longest = size
        groups[-1].append(index)
    return groups
