"""Options of tuning: which parameters are trained."""

import re
from dataclasses import dataclass
from typing import Literal

from headtune.errors import ConfigError, option
from headtune.options.ranges import check_above_zero, check_at_least
from headtune.options.written import parse_tune

__all__ = ["LoraBias", "TuneConfig"]

LoraBias = Literal["none", "lora_only", "all"]


@dataclass(frozen=True, kw_only=True)
class TuneConfig:
    """Which parameters are trained."""

    tune: str = "last-1"
    """head: only the new head. last-N: the last N blocks, the final norm and the head.
    lora: low-rank adapters and the head. full: everything."""

    lora_rank: int = 16
    """Rank of the LoRA adapters."""

    lora_alpha: float = 32.0
    """LoRA scale: adapters count alpha / rank."""

    lora_dropout: float = 0.0
    """Dropout in front of the adapters while training, 0 to 1."""

    lora_bias: LoraBias = "none"
    """Which biases are trained along with the adapters."""

    lora_targets: tuple[str, ...] = ("attention",)
    """Layers that get adapters: attention (its projections, by whatever names the architecture
    has), all-linear (those of the MLP, too), or names of linear layers."""

    lora_layers: str = "all"
    """Which blocks get adapters: all, or last-N (last-1, last-2, …). What is below the last N is
    frozen, and runs once."""

    @property
    def trained_blocks(self) -> int | None:
        """How many blocks, from the top, hold what is trained: 0 for head, None for all."""
        kind, n_blocks = parse_tune(self.tune)
        if kind == "lora" and self.lora_layers != "all":
            return parse_tune(self.lora_layers)[1]
        return n_blocks if kind in ("head", "last") else None

    def __post_init__(self) -> None:
        parse_tune(self.tune)
        self._check_lora_layers()
        if self.tune == "lora" and not self.lora_targets:
            raise ConfigError(
                f"{option('lora_targets')} names no layers.",
                option="lora_targets",
                way_out="Give attention, all-linear or names of layers.",
            )
        check_at_least(self, 1, "lora_rank")
        check_above_zero(self, "lora_alpha")
        if not 0 <= self.lora_dropout < 1:
            raise ConfigError(
                f"{option('lora_dropout')} must be at least 0 and below 1; "
                f"received {self.lora_dropout}.",
                option="lora_dropout",
            )

    def _check_lora_layers(self) -> None:
        if self.lora_layers == "all":
            return
        if not re.fullmatch(r"last-[1-9][0-9]{0,4}", self.lora_layers):
            raise ConfigError(
                f"{option('lora_layers')} takes all or last-N (last-1, last-2, …); "
                f"received {self.lora_layers[:40]!r}.",
                option="lora_layers",
            )
        if self.lora_bias == "all":
            raise ConfigError(
                f"{option('lora_bias', 'all')} trains biases of every block.",
                option="lora_bias",
                way_out=f"With {option('lora_layers', self.lora_layers)} use none or lora_only.",
            )
