"""``headtune info --machine``: what is fast here, as kept, and made anew on request."""

import json
from pathlib import Path

import pytest
import torch

from headtune.model.hardware import compute, measured, yardstick

from .conftest import Headtune


@pytest.fixture(autouse=True)
def _float32_where_nothing_is_said() -> None:
    """Here the choice is the real one."""


@pytest.fixture(autouse=True)
def ratios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """What the next timings of bfloat16 find."""
    found: list[float | None] = [9.0, 0.5]
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(measured, "_in_memory", {})
    monkeypatch.setattr(yardstick, "_busy", set())
    monkeypatch.setattr(compute, "_bfloat16_speed_up", lambda turns: found.pop(0))
    monkeypatch.setattr(
        yardstick, "_measure", lambda dtype, _: 2e12 if dtype == torch.bfloat16 else None
    )
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    compute.format_of_cpu.cache_clear()
    return found


def test_the_machine_is_shown(headtune: Headtune) -> None:
    shown = " ".join(headtune("info", "--machine").out.split())
    assert "bfloat16, which this CPU multiplies 9.0 times faster than float32" in shown
    assert f"torch {torch.__version__}, {torch.get_num_threads()} thread" in shown
    assert "multiplies bfloat16 2,000.0 GFLOP/s" in shown
    assert "multiplies float32 not known: too busy to tell" in shown
    assert "UTC: bfloat16 against float32" in shown


def test_it_is_as_kept_until_it_is_made_anew(headtune: Headtune) -> None:
    first = json.loads(headtune("info", "--machine", "--json").out)
    measured._in_memory.clear()
    compute.format_of_cpu.cache_clear()
    assert json.loads(headtune("info", "--machine", "--json").out) == first
    assert first["dtype"] == "bfloat16"
    assert first["measured"]["bfloat16 against float32"]["value"] == 9.0
    assert Path(first["kept_in"]).is_file()
    anew = json.loads(headtune("info", "--machine", "--remeasure", "--json").out)
    assert (anew["dtype"], anew["reason"]) == (
        "float32",
        "float32 (bfloat16 is 2 times slower here)",
    )
    assert anew["matrix_flops_per_second"] == {"float32": None, "bfloat16": 2e12}


@pytest.mark.parametrize("arguments", [(), ("run", "--machine"), ("run", "--remeasure")])
def test_a_run_or_the_machine(arguments: tuple[str, ...], headtune: Headtune) -> None:
    done = headtune("info", *arguments)
    assert done.code == 2
    assert "Expected one of RUN and --machine" in done.err
