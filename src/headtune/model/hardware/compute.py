"""Which device and which number format, decided by what this machine does well.

A CPU that lists bfloat16 instructions multiplies it 4 times faster than float32; one that does
not emulates it 8 times slower. Flags lie (virtual machines hide them, old libraries ignore them),
so a product of two small matrices is timed in both: 0.1 s at start-up, and the reason is said.

``matrix_product_rate`` is the yardstick of every speed that headtune reports: how fast this
machine multiplies large matrices of one format, which nothing that a model does can exceed.
"""

import ctypes
import os
import statistics
import sys
import time
from dataclasses import dataclass
from functools import cache, partial

import torch

from headtune.errors import ModelError
from headtune.model.hardware.timing import best_seconds
from headtune.options import ComputeDtype, MachineConfig
from headtune.processes import local_rank

__all__ = ["Compute", "choose_compute", "keep_freed_memory", "matrix_product_rate"]

SECONDS_A_PRODUCT = 0.01
"""A product of the yardstick takes at least this long, so that starting it does not count."""

SECONDS_OF_MEASURING = 0.25
SECONDS_OF_CHOOSING = 0.05  # between formats, once two turns are done
LARGEST_SIDE = 8_192


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
        if not torch.cuda.is_available():
            return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
        name = "cuda"
    try:
        device = torch.device(name)
        if device == torch.device("cuda"):  # each process has a GPU of its own
            device = torch.device("cuda", local_rank())
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"--device {name!r} cannot be used here: {reason}") from error
    return device


@cache
def _bfloat16_speed_up() -> float:
    """How many times faster this CPU multiplies bfloat16 than float32 matrices.

    Where bfloat16 is emulated, each product costs a tenth of a second, so there are fewer rounds.
    """
    calls = []
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.ones(256, 512, dtype=dtype), torch.ones(512, 512, dtype=dtype)
        calls.append(partial(torch.nn.functional.linear, a, b))
    in_float32, in_bfloat16 = best_seconds(
        calls, torch.device("cpu"), n_rounds=10, most_seconds=SECONDS_OF_CHOOSING
    )
    return in_float32 / in_bfloat16


@cache
def matrix_product_rate(dtype: torch.dtype, device: torch.device) -> float:
    """Floating-point operations a second of a large matrix product, measured once a process.

    The median over a quarter of a second of products of two square matrices, with as many threads
    as torch uses now. Their side is doubled until one product takes 10 ms, 8,192 at most. Under
    0.5 s in all, on a machine that emulates the format too.

    Args:
        dtype: float32, bfloat16 or another format that ``torch.nn.functional.linear`` takes.
    """
    side = 256
    _square_seconds(side, dtype, device)  # the first one starts threads and loads kernels
    while (seconds := _square_seconds(side, dtype, device)) < SECONDS_A_PRODUCT:
        if side == LARGEST_SIDE:
            break
        side *= 2
    times = [seconds]
    until = time.perf_counter() + SECONDS_OF_MEASURING
    while time.perf_counter() < until:
        times.append(_square_seconds(side, dtype, device))
    return 2.0 * side**3 / statistics.median(times)


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


def _square_seconds(side: int, dtype: torch.dtype, device: torch.device) -> float:
    a, b = (torch.ones(side, side, dtype=dtype, device=device) for _ in range(2))
    _wait_for(device)
    start = time.perf_counter()
    torch.nn.functional.linear(a, b)
    _wait_for(device)
    return time.perf_counter() - start


def _wait_for(device: torch.device) -> None:
    """Accelerators work behind the caller's back; a clock must wait for them."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
