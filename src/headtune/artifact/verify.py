"""Load a run in a process of its own and print how its probes fared, as one JSON line.

    python -m headtune.artifact.verify runs/messages

A classifier that only works in the process that trained it is the most reported fault of the
field; so before a run is called good, this module is run on it. Costs: one start of Python and
one load.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path

from headtune.artifact.load import load_artifact
from headtune.artifact.manifest import Manifest
from headtune.artifact.probes import ProbeResult
from headtune.errors import HeadtuneError, ProbeError
from headtune.files.plain_json import to_json
from headtune.options import MachineConfig, RunConfig
from headtune.options.values import to_plain
from headtune.pretrained import Trust

__all__ = ["verify_in_fresh_process"]

REFUSED = 3
"""Exit code of a process whose last line is the error that it ended in."""


def verify_in_fresh_process(folder: Path, machine: MachineConfig) -> ProbeResult:
    """Load ``folder`` in a new process of this Python, on devices and in the dtype of ``machine``.

    Raises ``ProbeError`` with what that process said, if it fails.
    """
    given = to_plain(asdict(replace(machine, compute="plain", max_tokens_per_batch=None)))
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(folder), to_json(given)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | {"TRANSFORMERS_VERBOSITY": "error"},
        check=False,
    )
    if done.returncode != 0:
        raise ProbeError(f"The saved classifier does not load in a fresh process: {_said(done)}")
    values = json.loads(done.stdout.strip().splitlines()[-1])
    return ProbeResult(**{f.name: values[f.name] for f in fields(ProbeResult)})


def _said(failed: subprocess.CompletedProcess[str]) -> str:
    """Why it failed: the text of its error, options not worded yet, or else its last line."""
    if failed.returncode == REFUSED:
        return str(json.loads(failed.stdout.strip().splitlines()[-1])["error"])
    return (failed.stderr.strip() or "no message").splitlines()[-1]


def _named(folder: str, machine: MachineConfig) -> str | None:
    """The base model, where its code may run: who trained the run had named it."""
    if Trust.of(machine) is Trust.NOT_GIVEN:
        return None
    return Manifest.load(Path(folder)).base_model.name


def main() -> int:
    """Entry point of the fresh process."""
    try:
        given = {"source": sys.argv[1], "machine": json.loads(sys.argv[2])}
        machine = RunConfig.from_dict(given).machine
        loaded = load_artifact(sys.argv[1], model=_named(sys.argv[1], machine), options=machine)
    except HeadtuneError as error:
        print(to_json({"error": error.text}))
        return REFUSED
    print(to_json(asdict(loaded.probes)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
