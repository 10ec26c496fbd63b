"""Options of the machine: where and how a model computes, which decides its speed, not its answer.

A run folder does not pass them on: whoever loads it says how it runs on the machine at hand.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headtune.options.ranges import check_at_least
from headtune.options.written import parse_duration, parse_size

__all__ = ["ComputeDtype", "Computing", "MachineConfig"]

ComputeDtype = Literal["auto", "float32", "bfloat16"]
Computing = Literal["plain", "int8"]


@dataclass(frozen=True, kw_only=True)
class MachineConfig:
    """Where and how the model computes. A run folder does not pass these on."""

    device: str = "auto"
    """cpu, cuda, cuda:1, mps; "auto" takes an accelerator if there is one."""

    device_map: str | None = None
    """"auto" spreads a model that is larger than one device over all of them."""

    offload_folder: Path | None = None
    """With device_map, where weights that fit on no device are kept."""

    dtype: ComputeDtype = "auto"
    """Number format of frozen weights and of the arithmetic. "auto" takes bfloat16 where this
    machine multiplies it faster than float32, else float32. Trained weights are always float32."""

    compute: Computing = "plain"
    """How predictions are computed: "plain", in the format of dtype, or "int8", with 8-bit weights
    and activations, which is faster where the machine multiplies integers fast and costs a little
    accuracy: headtune evaluate measures how much. Training is always plain."""

    exact: bool = False
    """Predict each text in a forward pass of its own: its answer is then the same to the last bit,
    whatever is asked beside it. Without it, answers differ by rounding with their company (README
    says by how much), and many texts take a fraction of the time."""

    max_tokens_per_batch: int | None = None
    """Most tokens in one forward pass. The result does not depend on it; memory does. By default
    2,048 on a CPU and 16,384 on an accelerator, fewer where memory is short."""

    cache_limit: int | str = "20GB"
    """Most room on disk for what frozen layers made of texts, kept for later runs (see headtune
    cache): bytes, or a size such as 500MB. What was not used for longest goes first. 0: keep
    nothing."""

    rendezvous_timeout: str = "10m"
    """How long processes that torchrun launched wait for each other at the start: 90s, 10m, 2h."""

    trust_remote_code: bool = False
    """Run Python code that comes with the model you name. Only for authors you trust. Code in a run
    folder, or in a model that only a run folder names, is never run."""

    def __post_init__(self) -> None:
        check_at_least(self, 1, "max_tokens_per_batch")
        parse_size("cache_limit", self.cache_limit)
        parse_duration("rendezvous_timeout", self.rendezvous_timeout)
