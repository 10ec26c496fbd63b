"""``headtune.json``: what a run folder holds, what made it, and the sha256 of every file.

The manifest is read before anything else in the folder and trusted for nothing that it cannot
prove: its types are checked, its file names cannot leave the folder, a newer format is refused,
and the labels are proved by the probes. ``trust_remote_code`` is never taken from it.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from headtune.artifact.layout import MANIFEST
from headtune.config import AttentionDirection, Pooling, parse_tune
from headtune.errors import ArtifactFormatError, ConfigError, TamperedArtifactError

__all__ = ["FORMAT_VERSION", "BaseModel", "Manifest", "file_hashes", "verify_files"]

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The pretrained model: by what name it is found, and by what hash it is known.

    ``sha256`` covers its config and weight files; empty for random weights.
    """

    name: str
    revision: str | None
    sha256: str
    model_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything that is needed to load a run, and to say where it comes from.

    ``packs`` says that packed batches went through the backbone as they are: it was tried when
    the run was made, and the probes prove it again. ``temperature`` divides logits before they
    become probabilities; ``thresholds`` and ``abstain_below`` make answers of these.
    """

    labels: tuple[str, ...]
    base_model: BaseModel
    tune: dict[str, Any]
    pooling: str
    attention: str
    max_length: int
    dtype: str
    packs: bool = True
    temperature: float = 1.0
    thresholds: dict[str, float] = field(default_factory=dict)
    abstain_below: float | None = None
    text_column: str | None = None
    label_column: str | None = None
    template: str | None = None
    task: str = "single_label_classification"
    config: dict[str, Any] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)
    data_fingerprint: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION
    headtune_version: str = ""
    created: str = ""

    def save(self, folder: Path) -> None:
        """Write the manifest, last of all files."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Read and check. Raises ``ArtifactFormatError`` on anything unexpected."""
        try:
            values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise ArtifactFormatError(f"{folder / MANIFEST} is not JSON: {error}") from error
        return cls.from_dict(values, folder)

    @classmethod
    def from_dict(cls, values: Any, folder: Path) -> "Manifest":
        """The inverse of ``asdict``, for the manifest of ``folder``."""
        _check_version(values, folder)
        known = {f.name: f for f in fields(cls)}
        if unknown := sorted(values.keys() - known.keys()):
            raise ArtifactFormatError(f"{folder / MANIFEST} has an unknown key: {unknown[0]!r}.")
        for name, (kind, what) in _KINDS.items():
            if name not in values or not isinstance(values[name], kind):
                raise ArtifactFormatError(f"{folder / MANIFEST}: {name!r} must be {what}.")
        try:
            base = BaseModel(**values["base_model"])
            manifest = cls(**values | {"base_model": base, "labels": tuple(values["labels"])})
        except TypeError as error:
            raise ArtifactFormatError(f"{folder / MANIFEST} is incomplete: {error}.") from error
        manifest._check(folder)
        return manifest

    def _check(self, folder: Path) -> None:
        where = folder / MANIFEST
        base = self.base_model
        texts = (base.name, base.sha256, base.model_type, *self.labels, *self.files.values())
        if not all(isinstance(text, str) for text in texts):
            raise ArtifactFormatError(f"{where}: labels, base_model and files must hold strings.")
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ArtifactFormatError(f"{where}: 'labels' must be two or more, all different.")
        if self.pooling not in get_args(Pooling) or self.attention not in get_args(
            AttentionDirection
        ):
            raise ArtifactFormatError(f"{where}: pooling or attention is of an unknown kind.")
        if self.max_length < 1:
            raise ArtifactFormatError(f"{where}: 'max_length' must be at least 1.")
        self._check_decision(where)
        try:
            parse_tune(self.tune.get("tune", ""))
        except (ConfigError, AttributeError) as error:
            raise ArtifactFormatError(f"{where}: {error}") from error
        for name in self.files:
            if name in ("", ".", "..") or Path(name).name != name or "\\" in name:
                raise ArtifactFormatError(f"{where}: file name {name!r} leaves the folder.")

    def _check_decision(self, where: Path) -> None:
        numbers = [self.temperature, self.abstain_below or 0.0]
        if isinstance(self.thresholds, dict):
            numbers += self.thresholds.values()
        if not isinstance(self.thresholds, dict) or not set(self.thresholds) <= set(self.labels):
            raise ArtifactFormatError(f"{where}: 'thresholds' must have a number for some labels.")
        is_number = all(type(number) in (int, float) for number in numbers)
        if not is_number or not 0 < self.temperature < float("inf"):
            raise ArtifactFormatError(
                f"{where}: 'temperature' must be above 0, 'abstain_below' and thresholds numbers."
            )


_KINDS: dict[str, tuple[type, str]] = {
    "labels": (list, "a list"),
    "base_model": (dict, "an object"),
    "tune": (dict, "an object"),
    "pooling": (str, "a string"),
    "attention": (str, "a string"),
    "max_length": (int, "a number"),
    "dtype": (str, "a string"),
    "files": (dict, "an object"),
    "packs": (bool, "true or false"),
}


def _check_version(values: Any, folder: Path) -> None:
    version = values.get("format_version") if isinstance(values, dict) else None
    if not isinstance(version, int):
        raise ArtifactFormatError(f"{folder / MANIFEST} has no format_version; is it a run?")
    if version > FORMAT_VERSION:
        raise ArtifactFormatError(
            f"{folder} was written by a newer headtune (format {version}; this one reads up to "
            f"{FORMAT_VERSION}). Upgrade: pip install -U headtune"
        )


def file_hashes(folder: Path) -> dict[str, str]:
    """File name -> sha256 of every file in the folder but the manifest."""
    hashes = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != MANIFEST:
            with path.open("rb") as file:
                hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def verify_files(folder: Path, files: dict[str, str]) -> None:
    """Compare every file with its hash. Raises ``TamperedArtifactError`` naming the first."""
    found = file_hashes(folder)
    for name, expected in files.items():
        if name not in found:
            raise TamperedArtifactError(f"{folder / name} is missing from this run.")
        if found[name] != expected:
            raise TamperedArtifactError(
                f"{folder / name} is not the file that was written: its sha256 begins "
                f"{found[name][:12]}, expected {expected[:12]}. Copy the run folder again."
            )
