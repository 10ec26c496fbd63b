"""Which device and which number format, decided by what this machine does well.

A CPU that lists bfloat16 instructions multiplies it 2 to 10 times faster than float32; one that
does not emulates it 8 times slower. Flags lie (virtual machines hide them, libraries are told to
leave them alone), so a product of two small matrices is timed in both, once a machine, and what was
found is kept (see ``measured``): every run computes in the same format, however busy the machine
is. Where it is too busy to tell, the flags decide, unless they are grossly contradicted; that is
said, and not kept. Costs: 0.1 s, once a machine; up to 0.5 s in each process while it is busy.
"""

import ctypes
import os
import sys
from dataclasses import dataclass
from functools import cache, partial

import torch

from headtune.errors import ModelError, option
from headtune.model.hardware.forks import require_gpu_of_this_process
from headtune.model.hardware.measured import measured, processor_flags
from headtune.model.hardware.timing import Turns, take_turns
from headtune.options import ComputeDtype, MachineConfig
from headtune.processes import local_rank

__all__ = [
    "Compute",
    "choose_compute",
    "computes_in_full",
    "format_of_cpu",
    "keep_freed_memory",
]

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""How Linux names bfloat16 instructions on x86, and on ARM."""

LEAST_GAIN = 1.5
"""So many times faster bfloat16 must be to be taken."""

GROSS = 4.0
"""A ratio that no busy machine gives by accident, over the best of many turns."""

SPEED_UP = "bfloat16 against float32"
"""Under this name the ratio is kept."""


@dataclass(frozen=True, slots=True)
class Compute:
    """Device and format of the frozen weights and of the arithmetic, and why."""

    device: torch.device
    dtype: torch.dtype
    reason: str

    @property
    def dtype_name(self) -> ComputeDtype:
        return "bfloat16" if self.dtype == torch.bfloat16 else "float32"


def choose_compute(machine: MachineConfig) -> Compute:
    """Resolve ``device`` and ``dtype``. Raises ``ModelError`` on a device that is not there."""
    device = _device(machine.device)
    if machine.dtype != "auto":
        return Compute(device, getattr(torch, machine.dtype), f"{machine.dtype}, as asked")
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Compute(device, torch.bfloat16, "bfloat16, which this GPU multiplies fast")
        return Compute(device, torch.float32, "float32, since this GPU has no bfloat16 units")
    if device.type != "cpu":
        return Compute(device, torch.float32, f"float32, the safe choice on {device.type}")
    return Compute(device, *format_of_cpu())


@cache
def format_of_cpu() -> tuple[torch.dtype, str]:
    """The faster format, and why: as kept, as timed now, or as the flags say."""
    turns: list[Turns] = []
    ratio = measured(SPEED_UP, partial(_bfloat16_speed_up, turns))
    if ratio is None:
        return _format_by_flags(turns[1].best / turns[0].best)
    if ratio > LEAST_GAIN:
        how = f"bfloat16, which this CPU multiplies {ratio:.1f} times faster than float32"
        return torch.bfloat16, how
    slower = f"{1 / ratio:.0f} times slower" if ratio < 0.7 else "hardly faster"
    return torch.float32, f"float32 (bfloat16 is {slower} here)"


def _format_by_flags(slower: float) -> tuple[torch.dtype, str]:
    """Where no timing was undisturbed; in the best turns bfloat16 took ``slower`` times as long."""
    if BFLOAT16_FLAGS & processor_flags() and slower < GROSS:
        how = "bfloat16, for which this CPU lists instructions"
        return torch.bfloat16, f"{how}; it is too busy to time them"
    if slower < 1 / GROSS:
        return torch.bfloat16, "bfloat16, which is far faster here; how much, it is too busy to say"
    how = "float32, since this CPU lists no instructions for bfloat16"
    return torch.float32, f"{how}, or does not use them; it is too busy to time it"


def _device(name: str) -> torch.device:
    if name == "auto":
        if not torch.cuda.is_available():
            return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
        name = "cuda"
    try:
        device = torch.device(name)
        if device == torch.device("cuda"):  # each process has a GPU of its own
            device = torch.device("cuda", local_rank())
        require_gpu_of_this_process(device)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{option('device', name)} cannot be used here: {reason}", option="device"
        ) from error
    return device


def _bfloat16_speed_up(turns: list[Turns]) -> float | None:
    """How many times faster a core multiplies bfloat16 than float32 matrices, if it can be told.

    ``turns`` takes what was timed.
    """
    calls = []
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.ones(256, 512, dtype=dtype), torch.ones(512, 512, dtype=dtype)
        calls.append(partial(torch.nn.functional.linear, a, b))
    turns += take_turns(calls, torch.device("cpu"), one_core=True)
    in_float32, in_bfloat16 = (each.reproducible() for each in turns)
    if in_float32 is None or in_bfloat16 is None:
        return None
    return in_float32 / in_bfloat16


@cache
def keep_freed_memory() -> bool:
    """Let glibc keep what torch frees between two layers, rather than give it back to the system.

    A layer's states are a few MB: by default they are mapped anew, and cleared page by page, in
    every operation. Kept (blocks below 32 MB, 512 MB in all), a forward pass over 2,048 tokens of a
    model of 135 million parameters takes 1,200 page faults instead of 170,000.
    Returns whether the C library took it; others than glibc are left alone.

    Source: mallopt(3).
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return False  # the user has settings of their own
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    m_trim_threshold, m_mmap_threshold = -1, -3
    return bool(mallopt(m_mmap_threshold, 32 << 20)) and bool(mallopt(m_trim_threshold, 512 << 20))


def computes_in_full(x: torch.Tensor) -> bool:
    """Whether what lies between the layers' products is computed in float32 though these are not.

    So it is in predictions on a CPU, where ``x`` is. The same product adds up in another order in
    other company; formats of fewer digits make that a difference in the third digit, and carry it
    on from block to block. What lies between the products is little work.
    """
    return (
        x.device.type == "cpu" and torch.is_autocast_enabled("cpu") and not torch.is_grad_enabled()
    )
