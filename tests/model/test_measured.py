"""What is timed is timed once a machine: the same format in every run, however busy the machine."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from headtune.model import choose_compute
from headtune.model.hardware import compute, measured
from headtune.model.hardware.measured import drop_measured, machine_file, measurements
from headtune.model.hardware.timing import Turns
from headtune.model.speed import few_rows, int8
from headtune.options import MachineConfig

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _float32_where_nothing_is_said() -> None:
    """Here the choice is the real one."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder, and a process that has measured nothing."""
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path))
    monkeypatch.setattr(measured, "_in_memory", {})
    compute.format_of_cpu.cache_clear()
    yield tmp_path
    compute.format_of_cpu.cache_clear()


def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it would know: the files only."""
    monkeypatch.setattr(measured, "_in_memory", {})
    compute.format_of_cpu.cache_clear()


def turns_of(
    monkeypatch: pytest.MonkeyPatch, float32: float, bfloat16: float, share: float = 1.0
) -> None:
    """The next timing finds these seconds, in turns that had this share of their cores."""
    found = [Turns([seconds] * 10, [share] * 10) for seconds in (float32, bfloat16)]
    monkeypatch.setattr(compute, "take_turns", lambda *_, **__: found)


def test_a_noisy_timing_does_not_decide_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    turns_of(monkeypatch, 2.0, 1.0)
    first = choose_compute(MachineConfig(device="cpu"))
    assert (first.dtype, "2.0 times faster" in first.reason) == (torch.bfloat16, True)
    new_process(monkeypatch)
    turns_of(monkeypatch, 1.0, 5.0)  # would choose float32
    assert choose_compute(MachineConfig(device="cpu")) == first
    drop_measured()
    new_process(monkeypatch)
    assert choose_compute(MachineConfig(device="cpu")).dtype_name == "float32"  # on request


@pytest.mark.parametrize(
    ("flags", "float32", "bfloat16", "expected"),
    [
        ("amx_bf16 avx2", 1.0, 3.0, "bfloat16"),  # a noisy timing against sure flags
        ("avx2", 2.0, 1.0, "float32"),
        ("avx512_bf16", 1.0, 30.0, "float32"),  # flags that lie are grossly contradicted
        ("avx2", 10.0, 1.0, "bfloat16"),
    ],
)
def test_too_busy_to_tell(
    flags: str, float32: float, bfloat16: float, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "processor_flags", lambda: frozenset(flags.split()))
    turns_of(monkeypatch, float32, bfloat16, share=0.4)
    found = choose_compute(MachineConfig(device="cpu"))
    assert found.dtype_name == expected
    assert found.dtype_name in found.reason
    assert "too busy" in found.reason
    assert measurements() == {}


AT_ONCE = """
import os, time
from headtune.model import choose_compute
from headtune.model.hardware.measured import measured
from headtune.options import MachineConfig

def slow():
    time.sleep(0.3)
    return float(os.getpid())

busy = []
try:
    for _ in range(2):  # other programs, which take all they get
        busy.append(os.fork())
        while busy[-1] == 0:
            pass
    for n_at_once in (4, 1):
        for _ in range(n_at_once):
            if os.fork() == 0:
                reason = choose_compute(MachineConfig(device="cpu")).reason
                os.write(1, f"{reason}|{measured('a figure', slow)}\\n".encode())
                os._exit(0)
        for _ in range(n_at_once):
            os.wait()
finally:
    for pid in busy:
        os.kill(pid, 9)
"""
"""Processes that have measured nothing yet, and one import of torch for all of them."""


def chosen() -> list[list[str]]:
    """What each of five processes chose, and the figure that one of them measured."""
    command = [sys.executable, "-c", AT_ONCE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("|") for line in done.stdout.splitlines()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are made by fork")
def test_four_at_once_and_one_after_choose_the_same_on_a_loaded_machine() -> None:
    found = chosen()
    assert len(found) == 5
    assert len({reason.split(" ")[0].strip(",") for reason, _ in found}) == 1, found
    if not any("too busy" in reason for reason, _ in found):
        assert len({reason for reason, _ in found}) == 1, found
    assert len({figure for _, figure in found}) == 1  # one measured, while the others waited


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        '{"measurements": 3}',
        '{"measurements": {"a figure": {"value": "x", "when": ""}}}',
        '{"measurements": {"a figure": {"value": NaN, "when": ""}}}',
        '{"measurements": {"a figure": {"value": -1, "when": ""}}}',
        '{"measurements": {"a figure": 3}}',
    ],
)
def test_a_damaged_file_is_made_anew(content: str) -> None:
    path = machine_file()
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert measured.measured("a figure", lambda: 3.0) == 3.0
    assert json.loads(path.read_text())["measurements"]["a figure"]["value"] == 3.0


def test_a_cache_that_cannot_be_written_keeps_it_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEADTUNE_CACHE", "/dev/null/cache")
    assert measured.measured("a figure", lambda: 3.0) == 3.0
    assert measured.measured("a figure", lambda: 4.0) == 3.0


def test_what_could_not_be_told_is_not_kept() -> None:
    assert measured.measured("a figure", lambda: None) is None
    assert measured.measured("a figure", lambda: 4.0) == 4.0


def test_the_machine_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = machine_file()
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")  # other instructions, other figures
    assert machine_file() != before
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    monkeypatch.setattr("torch.__version__", "9.9")
    assert machine_file() != before


def test_whether_packed_weights_pay_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    gains = iter([None, 2.0, 1.0])
    monkeypatch.setattr(few_rows, "_times_faster", lambda ways: next(gains))
    found = [few_rows.pays.__wrapped__(torch.float32, CPU) for _ in range(3)]
    assert found == [False, True, True]  # too busy; timed; as kept


def test_which_integer_product_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = iter([None, 1.0, 3.0, 1.0, 1.0])
    right = [int8.PRODUCTS[2], int8.PRODUCTS[3]]
    monkeypatch.setattr(int8, "PRODUCTS", right)
    monkeypatch.setattr(int8, "_is_right", lambda product, device: True)
    monkeypatch.setattr(int8, "_speed_up", lambda *_: next(speeds))
    busy, timed, kept = (int8.choose_product.__wrapped__(torch.float32, CPU) for _ in range(3))
    assert (busy.name, busy.speed_up) == (right[0].name, 0.0)
    assert "too busy to say" in busy.sentence(torch.float32)
    assert (timed.name, timed.speed_up) == (right[1].name, 3.0)
    assert kept == timed
