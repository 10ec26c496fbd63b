"""The fresh process loads on the devices that the saving one had."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headtune.artifact import verify
from headtune.artifact.manifest import Manifest
from headtune.artifact.probes import ProbeResult
from headtune.options import MachineConfig


def test_what_concerns_the_machine_is_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
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

    def in_this_process(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr("sys.argv", command[2:])
        code = verify.main()
        return subprocess.CompletedProcess(command, code, capsys.readouterr().out, "")

    base = SimpleNamespace(name="the model that was named in training")
    monkeypatch.setattr(Manifest, "load", lambda folder: SimpleNamespace(base_model=base))
    monkeypatch.setattr(verify, "load_artifact", load)
    monkeypatch.setattr(subprocess, "run", in_this_process)
    assert verify.verify_in_fresh_process(tmp_path, given) == Loaded.probes
    (found,) = seen
    for name in ("device", "dtype", "device_map", "offload_folder", "trust_remote_code"):
        assert getattr(found, name) == getattr(given, name)
