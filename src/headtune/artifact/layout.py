"""The files of a run folder, named once.

headtune.json        the manifest: what this is, what made it, the sha256 of every other file
adapter_config.json, adapter_model.safetensors     LoRA, as PEFT writes it
trained.safetensors                                head and last-N: only what was trained
config.json, model.safetensors                     full, and random weights: all of them
tokenizer.json, tokenizer_config.json, …           as transformers writes them
probes.json, probes.safetensors                    texts with the logits they must give
report.json, report.html                           the evidence, for machines and for people
history.jsonl, curves.png                          every logged loss, and a picture of them
reliability.png                                    how often it is right, against how sure it is
predictions.parquet                                answers to the rows that were held back
set_aside.csv, train.csv, validation.csv, test.csv where there is something to keep
README.md                                          the model card
"""

from pathlib import Path
from typing import Literal

from headtune.errors import ArtifactFormatError, ArtifactNotFoundError
from headtune.files.publish import in_place

__all__ = [
    "ADAPTER_CONFIG",
    "ADAPTER_WEIGHTS",
    "CURVES",
    "FULL_WEIGHTS",
    "HISTORY",
    "MANIFEST",
    "MODEL_CARD",
    "PREDICTIONS",
    "PROBES",
    "PROBE_TENSORS",
    "RELIABILITY",
    "REPORT",
    "REPORT_PAGE",
    "SET_ASIDE",
    "TRAINED_WEIGHTS",
    "Storage",
    "require_run_folder",
    "storage_of",
    "weights_file",
]

MANIFEST = "headtune.json"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
TRAINED_WEIGHTS = "trained.safetensors"
FULL_WEIGHTS = "model.safetensors"
PROBES = "probes.json"
PROBE_TENSORS = "probes.safetensors"
REPORT = "report.json"
REPORT_PAGE = "report.html"
PREDICTIONS = "predictions.parquet"
HISTORY = "history.jsonl"
CURVES = "curves.png"
RELIABILITY = "reliability.png"
SET_ASIDE = "set_aside.csv"
MODEL_CARD = "README.md"


Storage = Literal["adapter", "trained", "whole"]
"""How weights are kept: as a PEFT adapter, as the trained tensors alone, or all of them."""


def storage_of(tune: str, *, has_base: bool) -> Storage:
    """How a run keeps its weights: whole where everything was trained, or nothing pretrained
    underneath could be found again."""
    if not has_base or tune == "full":
        return "whole"
    return "adapter" if tune == "lora" else "trained"


def weights_file(storage: Storage) -> str:
    """The file that holds the weights."""
    return {"adapter": ADAPTER_WEIGHTS, "whole": FULL_WEIGHTS, "trained": TRAINED_WEIGHTS}[storage]


def require_run_folder(path: Path) -> Path:
    """The folder, if it is a run. Raises ``ArtifactNotFoundError`` or ``ArtifactFormatError``."""
    path = in_place(path)
    if not path.exists():
        near = sorted(p.parent.name for p in path.parent.glob(f"*/{MANIFEST}"))
        there = f"In {path.parent} there are: {', '.join(near)}." if near else ""
        raise ArtifactNotFoundError(f"There is no run folder {path}.", way_out=there)
    if not (path / MANIFEST).is_file():
        raise ArtifactFormatError(
            f"{path} is not a headtune run: it has no {MANIFEST}.",
            way_out="Give the folder that 'headtune train' wrote.",
        )
    return path
