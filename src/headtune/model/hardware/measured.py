"""What was timed on this machine, kept, so that every run goes by the same figures.

How a model computes here (bfloat16 or float32, packed weights, which integer product) depends on
what is fast here, and a timing comes out otherwise when other programs run. So each is timed once a
machine, when it is quiet enough to tell, and kept in a small JSON file of the cache folder:

    machines/<key>.json     the machine in words, and value and moment of each measurement

The key is the processor with its instructions, torch's version, and what tells torch which
instructions to use. A lock lets one process measure while the others wait for what it finds.

Guarantees: as long as the file is there, each process of this machine reads the same. What could
not be told (None) is not kept, and whoever asked decides by what is sure. A cache folder that
cannot be written means that each process measures for itself; a damaged file is made anew.
Costs: reading a file of 2 kB.
"""

import hashlib
import json
import math
import os
import platform
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from headtune.files.cache_folder import cache_folder
from headtune.files.plain_json import to_json
from headtune.files.whole_file import write_whole

__all__ = [
    "Kept",
    "drop_measured",
    "machine_file",
    "machine_name",
    "measured",
    "measurements",
    "processor_flags",
]

DECIDES_INSTRUCTIONS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
LONGEST_WAIT = 30.0
"""Seconds that a process waits for another that measures."""

LARGEST_FILE = 1 << 20

_in_memory: dict[tuple[Path, str], float] = {}
"""What this process has measured, where it could be kept or not."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A figure, above 0, and the moment in UTC when it was measured."""

    value: float
    when: str


def measured(name: str, measure: Callable[[], float | None]) -> float | None:
    """What is kept under ``name``, else what ``measure`` finds now, which is then kept.

    None, and nothing kept, where ``measure`` finds that the machine is too busy to tell.
    """
    if (known := _known(name)) is not None:
        return known
    with _one_at_a_time():
        if (known := _known(name)) is not None:
            return known  # by the process that this one has waited for
        found = measure()
        if found is not None:
            _keep(name, found)
        return found


def measurements() -> dict[str, Kept]:
    """All that is kept of this machine, by name."""
    try:
        with machine_file().open("rb") as file:
            content = json.loads(file.read(LARGEST_FILE))
        rows = content["measurements"].items()
        found = {str(name): Kept(float(row["value"]), str(row["when"])) for name, row in rows}
    except (OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError):
        return {}  # there is none, or it is damaged
    return {name: kept for name, kept in found.items() if 0 < kept.value < math.inf}


def drop_measured(*names: str) -> None:
    """Forget these measurements, or all of this machine: they are made again when asked for."""
    for key in [key for key in _in_memory if key[1] in names or not names]:
        del _in_memory[key]
    with _one_at_a_time(), suppress(OSError):
        if not names:
            machine_file().unlink(missing_ok=True)
            return
        kept = measurements()
        _write({name: values for name, values in kept.items() if name not in names})


def machine_file() -> Path:
    """Where the measurements of this machine are kept."""
    key = hashlib.sha256(to_json(_machine()).encode()).hexdigest()[:16]
    return cache_folder() / "machines" / f"{key}.json"


@cache
def machine_name() -> str:
    """The processor in its maker's words."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


@cache
def processor_flags() -> frozenset[str]:
    """What the system says that the processor can do; empty where it does not say."""
    return frozenset((_cpuinfo("flags") or _cpuinfo("Features")).split())


def _cpuinfo(key: str) -> str:
    """The first value of a key of /proc/cpuinfo, or ""."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(rf"^{key}\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _machine() -> dict[str, Any]:
    """What a timing depends on; the file begins with it."""
    return {
        "processor": machine_name(),
        "instructions": " ".join(sorted(processor_flags())),
        "torch": torch.__version__,
        "settings": {name: os.environ.get(name) for name in DECIDES_INSTRUCTIONS},
    }


def _known(name: str) -> float | None:
    """As measured by this process, else as kept by another."""
    if (value := _in_memory.get((machine_file(), name))) is not None:
        return value
    kept = measurements().get(name)
    return None if kept is None else kept.value


def _keep(name: str, value: float) -> None:
    _in_memory[machine_file(), name] = value
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    with suppress(OSError):  # a folder that cannot be written: the next process measures again
        _write(measurements() | {name: Kept(value, when)})


def _write(kept: dict[str, Kept]) -> None:
    path = machine_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {name: asdict(each) for name, each in kept.items()}
    content = to_json({"machine": _machine(), "measurements": rows}, indent=2) + "\n"
    write_whole(path, content.encode())


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Within, no other process of this machine measures; without a lock to be had, at once."""
    path = machine_file().with_suffix(".lock")
    lock = FileLock(path, timeout=LONGEST_WAIT)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        lock.acquire()
    except (OSError, Timeout):  # Timeout is an OSError: said for the reader
        yield
        return
    try:
        yield
    finally:
        lock.release()
