"""The validation part of a run, for exports that measure something on its texts.

It is read from the run folder (``--save-split``), else made again from the table the run was
trained on; it counts only if the data's fingerprint is that of the manifest. At most 500 texts, the
first of the part, which is in random order.
"""

from dataclasses import dataclass
from pathlib import Path

from headtune.data import prepare, read_table
from headtune.errors import HeadtuneError
from headtune.export.source import Source
from headtune.options import DataConfig, RunConfig
from headtune.types import label_ids_of

__all__ = ["ValidationPart", "validation_part"]

MOST_TEXTS = 500


@dataclass(frozen=True, slots=True)
class ValidationPart:
    """Texts with their labels as indices, and where they are from."""

    texts: list[str]
    labels: list[int]
    origin: str


def validation_part(source: Source) -> ValidationPart | str:
    """The validation part, or why there is none."""
    kept = source.run / "validation.csv"
    try:
        return _kept(source, kept) if kept.is_file() else _made_again(source)
    except HeadtuneError as error:
        return str(error).rstrip(".")


def _kept(source: Source, path: Path) -> ValidationPart:
    config = DataConfig(text="text", label="label", quoting="quoted", header="yes")
    rows = read_table(str(path), config).columns.to_pylist()[:MOST_TEXTS]
    labels = source.labels.encode([str(row["label"]) for row in rows]).tolist()
    return ValidationPart([str(row["text"]) for row in rows], labels, path.name)


def _made_again(source: Source) -> ValidationPart | str:
    manifest = source.artifact.manifest
    if not manifest.config.get("source") or manifest.config["source"] in ("python", "-"):
        return "the run keeps no validation part (--save-split), and its table was not a file"
    config = RunConfig.from_dict(manifest.config)
    prepared = prepare(config.source, config.data)
    if prepared.summary.get("fingerprint") != manifest.data_fingerprint:
        return f"{config.source} is not the table the run was trained on any more"
    examples = prepared.validation[:MOST_TEXTS]
    if not examples:
        return "the run has no validation part"
    labels = label_ids_of(examples).tolist()
    return ValidationPart([example.text for example in examples], labels, config.source)
