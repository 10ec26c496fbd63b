"""Every export of given runs, asked 500 spam messages in its own tool; then how long one takes.

    python benchmarks/check_exports.py RUN [RUN …] [--texts 500] [--formats onnx,gguf]

Each run is written in each format that can express it and read back by that format's tool, in
float32 on the CPU; what a format cannot express, or what is not installed, is listed with the
reason. Then the export to transformers and a load of it by transformers are timed, and beside them
the copy of the exported bytes and transformers' own load of the base model: once within this
process, and as commands of their own, each starting Python and its libraries. Ends in a JSON line;
exit code 1 if an exact format differs by more than 1e-4 or changes a label, or if llama.cpp or a
rounded one changes more than one label in a hundred.

Costs: two forward passes of all texts a format; 500 messages take a minute or two on a core.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from headtune import Predictor
from headtune.data import prepare
from headtune.errors import ExportError, MissingDependencyError, ProbeError
from headtune.export import FORMATS, export_run
from headtune.export.proof import agreement_of
from headtune.export.source import Source, open_source
from headtune.options import DataConfig
from headtune.pretrained import find_pretrained

LOAD = """
import sys
from transformers import AutoModelForSequenceClassification, AutoTokenizer
AutoModelForSequenceClassification.from_pretrained(sys.argv[1], dtype="float32")
AutoTokenizer.from_pretrained(sys.argv[1])
"""
"""What a process does that loads a folder with transformers alone."""


def main() -> int:
    """Check, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--formats", default=",".join(FORMATS))
    arguments = parser.parse_args()
    prepared = prepare("sms-spam", DataConfig())
    texts = [example.text for example in prepared.test[: arguments.texts]]
    rows = [
        row for run in arguments.runs for row in check_run(run, arguments.formats.split(","), texts)
    ]
    timed = time_run(arguments.runs[0])
    print(json.dumps({"n_texts": len(texts), "checks": rows, "seconds": timed}))
    return 0 if all(row.get("passes", True) for row in rows) else 1


def check_run(run: Path, formats: list[str], texts: list[str]) -> list[dict[str, Any]]:
    """One row a format and rounding."""
    predictor = Predictor.load(run, dtype="float32", device="cpu")
    expected = predictor.predict_proba(texts)
    del predictor
    source = open_source(run)
    rows = []
    for name in formats:
        for quantize in (None, *FORMATS[name].quantized):
            with tempfile.TemporaryDirectory() as folder:
                found = check_format(run, source, name, quantize, texts, expected, Path(folder))
            print(json.dumps(found), file=sys.stderr)
            rows.append(found)
    return rows


def check_format(
    run: Path,
    source: Source,
    name: str,
    quantize: str | None,
    texts: list[str],
    expected: Any,
    folder: Path,
) -> dict[str, Any]:
    """Export, ask, compare."""
    what = {"run": run.name, "format": name, "quantize": quantize}
    try:
        exported = export_run(run, name, folder / "out", quantize=quantize)
    except (ExportError, MissingDependencyError) as error:
        return what | {"refused": str(error)}
    except ProbeError as error:
        return what | {"failed": str(error), "passes": False}
    found = FORMATS[name].answerer()(source, folder / "out", texts)
    agreement = agreement_of(expected, found)
    if quantize is None and name != "gguf":  # llama.cpp takes activations from tables
        passes = agreement.max_probability_difference <= 1e-4 and not agreement.n_changed_labels
    else:
        passes = agreement.n_changed_labels <= len(texts) / 100
    return what | asdict(agreement) | {"bytes": exported.bytes, "passes": passes}


def time_run(run: Path) -> dict[str, dict[str, float]]:
    """Seconds of export and load, of copying the bytes, and of transformers' load of the base."""
    from transformers import AutoModelForSequenceClassification as Classifier

    manifest = json.loads((run / "headtune.json").read_text(encoding="utf-8"))
    base = find_pretrained(manifest["base_model"]["name"]).path
    with tempfile.TemporaryDirectory() as folder:
        out, copy = Path(folder) / "out", Path(folder) / "copy"
        within = {
            "base_load": seconds(lambda: Classifier.from_pretrained(base, dtype="float32")),
            "export": seconds(lambda: export_run(run, "transformers", out)),
            "load": seconds(lambda: Classifier.from_pretrained(out, dtype="float32")),
            "copy": seconds(lambda: shutil.copytree(out, copy)),
        }
    return {"within_a_process": within, "as_commands": time_commands(run, base)}


def time_commands(run: Path, base: Path, rounds: int = 5) -> dict[str, float]:
    """Median seconds of the same four as processes; ``times``: the first two by the other two."""
    with tempfile.TemporaryDirectory() as folder:
        out, copy = Path(folder) / "out", Path(folder) / "copy"
        headtune = [sys.executable, "-m", "headtune", "export", str(run), "--to", "transformers"]
        commands = {
            "export": [*headtune, "--out", str(out)],
            "load": [sys.executable, "-c", LOAD, str(out)],
            "copy": ["cp", "-r", str(out), str(copy)],
            "base_load": [sys.executable, "-c", LOAD, str(base)],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                act = partial(subprocess.run, command, check=True, capture_output=True)
                times[name].append(seconds(act))
            shutil.rmtree(out)
            shutil.rmtree(copy)
    medians = {name: median(found) for name, found in times.items()}
    ours, theirs = medians["export"] + medians["load"], medians["copy"] + medians["base_load"]
    return medians | {"times": ours / theirs}


def seconds(act: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
