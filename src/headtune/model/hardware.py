"""Which device and which number format, decided by what this machine does well.

A CPU that lists bfloat16 instructions multiplies it 4 times faster than float32; one that does
not emulates it 8 times slower. Flags lie (virtual machines hide them, old libraries ignore them),
so a product of two small matrices is timed in both: 0.1 s at start-up, and the reason is said.
"""

import os
import time
from dataclasses import dataclass
from functools import cache

import torch

from headtune.config import ComputeDtype, ModelConfig
from headtune.errors import ModelError

__all__ = ["Compute", "choose_compute"]


@dataclass(frozen=True, slots=True)
class Compute:
    """Device and format of the frozen weights and of the arithmetic, and why."""

    device: torch.device
    dtype: torch.dtype
    reason: str

    @property
    def dtype_name(self) -> ComputeDtype:
        return "bfloat16" if self.dtype == torch.bfloat16 else "float32"


def choose_compute(config: ModelConfig) -> Compute:
    """Resolve ``device`` and ``dtype``. Raises ``ModelError`` on a device that is not there."""
    device = _device(config.device)
    if config.dtype != "auto":
        return Compute(device, getattr(torch, config.dtype), f"{config.dtype}, as asked")
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Compute(device, torch.bfloat16, "bfloat16, which this GPU multiplies fast")
        return Compute(device, torch.float32, "float32, since this GPU has no bfloat16 units")
    if device.type != "cpu":
        return Compute(device, torch.float32, f"float32, the safe choice on {device.type}")
    ratio = _bfloat16_speed_up()
    if ratio > 1.5:
        return Compute(
            device,
            torch.bfloat16,
            f"bfloat16, which this CPU multiplies {ratio:.1f} times faster than float32",
        )
    slower = f"{1 / ratio:.0f} times slower" if ratio < 0.7 else "hardly faster"
    return Compute(device, torch.float32, f"float32 (bfloat16 is {slower} here)")


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            # Under torchrun each process has its own GPU.
            return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"--device {name!r} cannot be used here: {reason}") from error
    return device


@cache
def _bfloat16_speed_up() -> float:
    """How many times faster this CPU multiplies bfloat16 than float32 matrices."""
    best = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    for _ in range(10):  # in turn, so that a busy moment of the machine hits both
        for dtype in best:
            best[dtype] = min(best[dtype], _matmul_seconds(dtype))
    return best[torch.float32] / best[torch.bfloat16]


def _matmul_seconds(dtype: torch.dtype) -> float:
    a, b = torch.ones(256, 512, dtype=dtype), torch.ones(512, 512, dtype=dtype)
    start = time.perf_counter()
    torch.nn.functional.linear(a, b)
    return time.perf_counter() - start
