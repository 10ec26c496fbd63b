"""The machine in words: what it is, what headtune computes in on it, and how fast that is.

All that is timed is asked for here, so that it is known before the first run, and can be made anew
where it was measured at a bad moment. Costs: one to two seconds where nothing is known yet.
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from headtune.model.hardware.compute import choose_compute, format_of_cpu
from headtune.model.hardware.measured import (
    Kept,
    drop_measured,
    machine_file,
    machine_name,
    measurements,
)
from headtune.model.hardware.timing import cores
from headtune.model.hardware.yardstick import FORMATS, matrix_product_rate
from headtune.options import MachineConfig

__all__ = ["MachineInfo", "describe_machine"]


@dataclass(frozen=True, slots=True)
class MachineInfo:
    """What ``headtune info --machine`` says; rates are None where it is too busy to tell."""

    processor: str
    cores: int
    threads: int
    torch: str
    device: str
    dtype: str
    reason: str
    matrix_flops_per_second: dict[str, float | None]
    measured: dict[str, Kept]
    kept_in: Path


def describe_machine(*, remeasure: bool = False) -> MachineInfo:
    """This machine; with ``remeasure``, what was kept of it is forgotten and timed anew."""
    if remeasure:
        drop_measured()
        format_of_cpu.cache_clear()
    compute = choose_compute(MachineConfig())
    rates = {name: matrix_product_rate(dtype, compute.device) for name, dtype in FORMATS.items()}
    return MachineInfo(
        processor=machine_name(),
        cores=cores(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        device=str(compute.device),
        dtype=compute.dtype_name,
        reason=compute.reason,
        matrix_flops_per_second=rates,
        measured=measurements(),
        kept_in=machine_file(),
    )
