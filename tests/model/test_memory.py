"""The most memory that was needed, in the units of each system."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from headtune.model.hardware import memory
from headtune.model.hardware.memory import peak_memory_bytes


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
def test_it_is_what_the_system_says() -> None:
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    assert peak_memory_bytes() == pytest.approx(1024 * int(found[1]), rel=0.02)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere getrusage is right")
def test_it_is_not_that_of_the_process_that_started_this_one() -> None:
    large = b"x" * 3_000_000_000  # resident, so that a child's getrusage would begin with it
    code = (
        "from headtune.model.hardware.memory import peak_memory_bytes; print(peak_memory_bytes())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(large) > 2e9 > int(done.stdout)


@pytest.mark.parametrize(("platform", "expected"), [("linux", 7 * 1024), ("darwin", 7)])
def test_units_differ(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, expected: int
) -> None:
    usage = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda who: SimpleNamespace(ru_maxrss=7))
    monkeypatch.setattr(memory, "resource", usage)
    monkeypatch.setattr(memory, "STATUS", tmp_path / "none")
    monkeypatch.setattr(sys, "platform", platform)
    assert peak_memory_bytes() == expected
    assert peak_memory_bytes(torch.device("cpu")) == expected


def test_where_it_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert peak_memory_bytes(torch.device("mps")) is None
    monkeypatch.setattr(memory, "resource", None)
    assert peak_memory_bytes() is None
    assert peak_memory_bytes(torch.device("cpu")) is None


def test_on_cuda_it_is_that_of_all_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: [30, 4][device])
    assert peak_memory_bytes(torch.device("cuda:1")) == 34
