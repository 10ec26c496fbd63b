"""``headtune.json``: what a run folder holds, what made it, and the sha256 of every file.

The manifest is read before anything else in the folder and trusted for nothing that it cannot
prove: its types are checked, its file names cannot leave the folder, a newer format is refused,
and the labels are proved by the probes. ``trust_remote_code`` is never taken from it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from headtune.artifact.layout import MANIFEST
from headtune.errors import ArtifactFormatError, ConfigError, TamperedArtifactError
from headtune.files.hashes import file_sha256
from headtune.files.plain_json import finite, to_json
from headtune.files.strict_json import read_strict_json
from headtune.options import AttentionDirection, Pooling, RunConfig, TuneConfig
from headtune.tasks.figures import Headline

__all__ = [
    "FORMAT_VERSION",
    "BaseModel",
    "Manifest",
    "file_hashes",
    "seal_of",
    "verify_file",
    "verify_files",
]

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
    metrics: dict[str, dict[str, Headline]] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION
    headtune_version: str = ""
    created: str = ""
    seal: str = ""

    def save(self, folder: Path) -> None:
        """Write the manifest, last of all files."""
        values = finite(asdict(self))
        values["seal"] = seal_of(values)
        text = to_json(values, indent=2)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Read and check. Raises ``ArtifactFormatError`` on anything unexpected."""
        try:
            values = read_strict_json(folder / MANIFEST)
        except (OSError, ValueError, RecursionError) as error:
            raise ArtifactFormatError(f"{folder / MANIFEST} is not JSON: {error}.") from error
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
        for name, (kind, what) in _OPTIONAL.items():
            if name in values and not isinstance(values[name], kind):
                raise ArtifactFormatError(f"{folder / MANIFEST}: {name!r} must be {what}.")
        try:
            base = BaseModel(**values["base_model"])
            manifest = cls(**values | {"base_model": base, "labels": tuple(values["labels"])})
        except TypeError as error:
            raise ArtifactFormatError(f"{folder / MANIFEST} is incomplete: {error}.") from error
        manifest._check(folder)
        if values.get("seal") != seal_of(values):
            raise TamperedArtifactError(
                f"{folder / MANIFEST} was changed after it was written: its seal is not that of "
                "its content. Copy the run folder again."
            )
        return manifest

    def _check(self, folder: Path) -> None:
        where = folder / MANIFEST
        base = self.base_model
        texts = (base.name, base.sha256, base.model_type, *self.labels, *self.files.values())
        if not all(isinstance(text, str) for text in texts):
            raise ArtifactFormatError(f"{where}: labels, base_model and files must hold strings.")
        if not isinstance(base.revision, str | None):
            raise ArtifactFormatError(f"{where}: the base model's revision must be a string.")
        if not 2 <= len(self.labels) <= MOST_LABELS or len(set(self.labels)) != len(self.labels):
            raise ArtifactFormatError(f"{where}: 'labels' must be two or more, all different.")
        if self.pooling not in get_args(Pooling) or self.attention not in get_args(
            AttentionDirection
        ):
            raise ArtifactFormatError(f"{where}: pooling or attention is of an unknown kind.")
        if self.dtype not in ("float32", "bfloat16"):
            raise ArtifactFormatError(f"{where}: 'dtype' must be float32 or bfloat16.")
        if isinstance(self.max_length, bool) or not 1 <= self.max_length < 2**31:
            raise ArtifactFormatError(f"{where}: 'max_length' must be at least 1.")
        self._check_decision(where)
        try:
            tune = self.tune_config()
        except ConfigError as error:
            raise ArtifactFormatError(f"{where}: {error}") from error
        if tune.lora_rank > MOST_RANK:
            raise ArtifactFormatError(f"{where}: a lora_rank of {tune.lora_rank} is no rank.")
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

    def tune_config(self) -> TuneConfig:
        """What was trained. Raises ``ConfigError`` on values that cannot be."""
        return RunConfig.from_dict({"source": "", "tune": self.tune}).tune


MOST_LABELS = 2**16
MOST_RANK = 2**16
"""Bounds on what memory is taken for before the weights are there to compare with."""

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

_OPTIONAL: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(("text_column", "label_column", "template"), (str | None, "a string or null")),
    **dict.fromkeys(("config", "seeds", "metrics", "libraries"), (dict, "an object")),
    **dict.fromkeys(
        ("task", "data_fingerprint", "headtune_version", "created", "seal"), (str, "a string")
    ),
}
"""The same for keys that may be missing."""


def seal_of(values: dict[str, Any]) -> str:
    """sha256 over everything in a manifest but the seal, whatever its order and white space.

    Together with the files' hashes in it, it shows any change that was not meant: labels in another
    order, another maximum length. It is no signature: who means it can seal anew.
    """
    meaning = {key: value for key, value in values.items() if key != "seal"}
    text = json.dumps(
        meaning, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _check_version(values: Any, folder: Path) -> None:
    version = values.get("format_version") if isinstance(values, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ArtifactFormatError(f"{folder / MANIFEST} has no format_version; is it a run?")
    if version > FORMAT_VERSION:
        raise ArtifactFormatError(
            f"{folder} was written by a newer headtune (format {version}; this one reads up to "
            f"{FORMAT_VERSION}). Upgrade: pip install -U headtune"
        )


def file_hashes(folder: Path) -> dict[str, str]:
    """File name -> sha256 of every file in the folder but the manifest."""
    paths = (path for path in sorted(folder.iterdir()) if path.is_file())
    return {path.name: file_sha256(path) for path in paths if path.name != MANIFEST}


LOADED = (
    "added_tokens.json",
    "chat_template.jinja",
    "config.json",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)
"""Names that transformers reads wherever they lie."""


def verify_files(folder: Path, files: dict[str, str], needed: Iterable[str] = ()) -> None:
    """Compare every file with its hash. Raises ``TamperedArtifactError`` naming the first.

    ``needed`` must be among them; a file that would be read without being among them is named, too.
    """
    for name in needed:
        if name not in files:
            raise TamperedArtifactError(f"{folder / MANIFEST} does not list {name}, the run needs.")
    found = file_hashes(folder)
    if stray := sorted((found.keys() & set(LOADED)) - files.keys()):
        raise TamperedArtifactError(f"{folder / stray[0]} is no part of this run. Take it away.")
    for name, expected in files.items():
        _compare(folder / name, found.get(name), expected)


def verify_file(folder: Path, name: str, expected: str) -> None:
    """Compare one file with its hash. Raises ``TamperedArtifactError``."""
    path = folder / name
    _compare(path, file_sha256(path) if path.is_file() else None, expected)


def _compare(path: Path, found: str | None, expected: str) -> None:
    if found is None:
        raise TamperedArtifactError(f"{path} is missing from this run.")
    if found != expected:
        raise TamperedArtifactError(
            f"{path} is not the file that was written: its sha256 begins {found[:12]}, expected "
            f"{expected[:12]}. Copy the run folder again."
        )
