"""``headtune.json``: what a run folder holds, what made it, and the sha256 of every file.

The manifest is read before anything else in the folder and trusted for nothing that it cannot
prove: every field is checked (``manifest_rules.py``), a newer format and an unknown task are
refused, and the labels are proved by the probes. Whether code may run is never taken from it. A
manifest of format 1 is held as one of format 2.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from headtune.artifact.layout import MANIFEST
from headtune.artifact.manifest_rules import FORMAT_VERSION, check_manifest
from headtune.errors import ArtifactFormatError, ConfigError, TamperedArtifactError
from headtune.files.hashes import file_sha256
from headtune.files.plain_json import JsonObject, finite, to_json
from headtune.files.strict_json import read_strict_json
from headtune.options import RunConfig, TuneConfig
from headtune.tasks import SINGLE_LABEL
from headtune.tasks.conformal import SetRule
from headtune.types import LabelSet, LabelValue

__all__ = [
    "FORMAT_VERSION",
    "BaseModel",
    "Manifest",
    "file_hashes",
    "seal_of",
    "verify_file",
    "verify_files",
]


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
    the run was made, and the probes prove it again. ``split_special_tokens`` says that special
    tokens in a text are read as text; runs that do not say so are older, and take them as such.
    ``temperature`` divides logits before they become probabilities; ``thresholds`` and
    ``abstain_below`` make answers of these; ``set_bound`` makes sets of labels that hold the true
    one in a share ``coverage`` of texts, None where such were not asked for. ``label_values`` are
    the labels as the data have them, None where these are the names. ``missing`` are the words that
    stand for no value in a table; older runs have none.
    ``architecture`` is what ``model.Architecture`` says of the backbone; None where format 1 did
    not know.
    """

    labels: tuple[str, ...]
    base_model: BaseModel
    tune: dict[str, Any]
    pooling: str
    attention: str
    max_length: int
    dtype: str
    split_special_tokens: bool = False
    packs: bool = True
    temperature: float = 1.0
    thresholds: dict[str, float] = field(default_factory=dict)
    abstain_below: float | None = None
    coverage: float | None = None
    set_bound: float | None = None
    text_column: str | None = None
    label_column: str | None = None
    template: str | None = None
    missing: tuple[str, ...] = ()
    task: str = SINGLE_LABEL.name
    label_values: tuple[LabelValue, ...] | None = None
    architecture: dict[str, Any] | None = None
    config: dict[str, Any] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)
    data_fingerprint: str = ""
    metrics: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
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
        """The inverse of ``asdict``, for the manifest of ``folder``; of format 1, too.

        Raises ``ArtifactFormatError`` on a field that is not what it may be, see
        ``manifest_rules.py``, and ``TamperedArtifactError`` if the seal is not that of the content.
        """
        where = folder / MANIFEST
        check_manifest(values, where)
        if values.get("seal") != seal_of(values):
            raise TamperedArtifactError(
                f"{where} was changed after it was written: its seal is not that of its content.",
                way_out="Copy the run folder again.",
            )
        newest = {"task": SINGLE_LABEL.name} if values["format_version"] == 1 else {}
        typed = {
            "base_model": BaseModel(**values["base_model"]),
            "labels": tuple(values["labels"]),
            "missing": tuple(values.get("missing", ())),
            "label_values": tuple(values.get("label_values") or ()) or None,
            "format_version": FORMAT_VERSION,
        }
        manifest = cls(**values | newest | typed)
        try:
            manifest.tune_config()
        except ConfigError as error:
            raise ArtifactFormatError(
                f"{where}: {error.message}", option=error.option, way_out=error.way_out
            ) from error
        return manifest

    @property
    def set_rule(self) -> SetRule | None:
        """What makes sets of labels; None where they were not asked for."""
        if self.coverage is None or self.set_bound is None:
            return None
        return SetRule(self.coverage, self.set_bound)

    @property
    def label_set(self) -> LabelSet:
        """The labels, with the values that the data have for them."""
        return LabelSet(self.labels, self.label_values or ())

    def tune_config(self) -> TuneConfig:
        """What was trained. Raises ``ConfigError`` on values that cannot be."""
        return RunConfig.from_dict({"source": "", "tune": self.tune}).tune


def seal_of(values: JsonObject) -> str:
    """sha256 over everything in a manifest but the seal, whatever its order and white space.

    Together with the files' hashes in it, it shows any change that was not meant: labels in another
    order, another maximum length. It is no signature: who means it can seal anew.
    """
    meaning = {key: value for key, value in values.items() if key != "seal"}
    text = json.dumps(
        meaning, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


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
        raise TamperedArtifactError(
            f"{folder / stray[0]} is no part of this run.", way_out="Take it away."
        )
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
            f"{expected[:12]}.",
            way_out="Copy the run folder again.",
        )
