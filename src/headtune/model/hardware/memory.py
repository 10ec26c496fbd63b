"""The most memory that this process has needed so far, where the system keeps count.

On CUDA that is what torch has allocated on all devices together. Else it is the resident set of
the process: on Linux the high-water mark in /proc/self/status, since getrusage(2) counts there what
the process that started this one had needed by then, as well; elsewhere getrusage's, which is in
bytes on macOS. On Windows, which has no getrusage, and for other accelerators it is not known.
"""

import re
import sys
from pathlib import Path

import torch

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

__all__ = ["peak_memory_bytes"]

STATUS = Path("/proc/self/status")


def peak_memory_bytes(device: torch.device | None = None) -> int | None:
    """Bytes, or None where they are not known; without a device, those of the process."""
    if device is not None and device.type == "cuda":
        return sum(map(torch.cuda.max_memory_allocated, range(torch.cuda.device_count())))
    if resource is None or (device is not None and device.type != "cpu"):
        return None
    if STATUS.is_file() and (mark := re.search(r"VmHWM:\s*(\d+) kB", STATUS.read_text())):
        return 1024 * int(mark[1])
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
