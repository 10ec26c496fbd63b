"""The fresh process loads on the devices that the saving one had."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headtune.artifact import verify
from headtune.artifact.manifest import Manifest
from headtune.artifact.probes import ProbeResult
from headtune.cli.flags import as_flag
from headtune.errors import ModelNotFoundError, ProbeError, option
from headtune.options import MachineConfig


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What the fresh process does, without one."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr("sys.argv", command[2:])
        return subprocess.CompletedProcess(command, verify.main(), *capsys.readouterr())

    monkeypatch.setattr(subprocess, "run", run)


def test_what_concerns_the_machine_is_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that is spread over devices may fit on none of them alone."""
    given = MachineConfig(
        device="cpu",
        dtype="float32",
        device_map="auto",
        offload_folder=tmp_path / "offload",
        trust_remote_code=True,
        cache_limit="1GB",
    )
    seen: list[MachineConfig] = []

    class Loaded:
        probes = ProbeResult(16, 0.0, 0, True)

    def load(path: str, *, model: str | None, options: MachineConfig) -> Loaded:
        assert (path, model) == (str(tmp_path), "the model that was named in training")
        seen.append(options)
        return Loaded()

    base = SimpleNamespace(name="the model that was named in training")
    monkeypatch.setattr(Manifest, "load", lambda folder: SimpleNamespace(base_model=base))
    monkeypatch.setattr(verify, "load_artifact", load)
    assert verify.verify_in_fresh_process(tmp_path, given) == Loaded.probes
    (found,) = seen
    for name in ("device", "dtype", "device_map", "offload_folder", "trust_remote_code"):
        assert getattr(found, name) == getattr(given, name)


def test_an_error_over_there_is_worded_for_the_reader_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise ModelNotFoundError("No base.", way_out=f"Give {option('model', 'FOLDER')}")

    monkeypatch.setattr(verify, "load_artifact", lost)
    with pytest.raises(ProbeError) as refused:
        verify.verify_in_fresh_process(tmp_path, MachineConfig())
    assert refused.value.worded(as_flag).endswith("process: No base. Give --model FOLDER")
    assert str(refused.value).endswith('process: No base. Give model="FOLDER"')


def test_a_process_that_breaks_down_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = subprocess.CompletedProcess([], 1, "loading…", "Traceback:\nKeyError: 'x'\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: broken)
    with pytest.raises(ProbeError, match=r"fresh process: KeyError: 'x'$"):
        verify.verify_in_fresh_process(tmp_path, MachineConfig())
