"""Validation texts of a run, for exports that measure something on texts.

From a table that the user names; else out of the run folder itself: ``validation.csv``
(``--save-split``), else the rows of ``predictions.parquet`` whose texts it keeps whole. A path that
a folder names is data and is never opened. Guarantees: files of the folder are read only where the
manifest lists them, so their hashes have been checked. At most 500 texts, the first of the part,
which is in random order. Costs: one read of the file.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from headtune.artifact.layout import PREDICTIONS
from headtune.data import labelled_examples, read_table
from headtune.errors import ArtifactFormatError, HeadtuneError
from headtune.export.source import Source
from headtune.options import DataConfig
from headtune.types import label_ids_of

__all__ = ["ValidationPart", "validation_part"]

MOST_TEXTS = 500
KEPT = "validation.csv"
NONE_KEPT = "the run keeps no validation texts (save_split), and no table was named"


@dataclass(frozen=True, slots=True)
class ValidationPart:
    """Texts with their labels as indices, and where they are from."""

    texts: list[str]
    labels: list[int]
    origin: str


def validation_part(source: Source) -> ValidationPart | str:
    """The validation part, or why there is none.

    Raises ``DataError`` where the table that the user named cannot be used.
    """
    if source.validation_file is not None:
        return _named(source, source.validation_file)
    try:
        return _of_the_folder(source) or NONE_KEPT
    except HeadtuneError as error:
        return str(error).rstrip(".")


def _named(source: Source, path: Path) -> ValidationPart:
    manifest = source.artifact.manifest
    config = DataConfig(template=manifest.template, missing=manifest.missing)
    examples, _ = labelled_examples(
        str(path), config, source.labels, manifest.text_column, manifest.label_column
    )
    first = examples[:MOST_TEXTS]
    return ValidationPart([row.text for row in first], label_ids_of(first).tolist(), path.name)


def _of_the_folder(source: Source) -> ValidationPart | None:
    listed = source.artifact.manifest.files
    if KEPT in listed:
        config = DataConfig(text="text", label="label", quoting="quoted", header="yes")
        rows = read_table(str(source.run / KEPT), config).columns.to_pylist()
        return _part(source, ((row.get("text"), row.get("label")) for row in rows), KEPT)
    if PREDICTIONS in listed:
        return _part(source, _whole_texts(source.run / PREDICTIONS), PREDICTIONS)
    return None


def _whole_texts(path: Path) -> Iterator[tuple[Any, Any]]:
    """Texts and labels of the validation rows whose beginning is all of the text."""
    try:
        table = pq.read_table(path, columns=["part", "text", "sha256", "label"])
        rows = table.filter(pa.compute.equal(table["part"], "validation")).to_pylist()
    except (pa.ArrowException, KeyError, OSError, ValueError) as error:
        raise ArtifactFormatError(f"{path} holds no predictions of headtune: {error}.") from error
    for row in rows:
        text = str(row["text"])
        if hashlib.sha256(text.encode()).hexdigest() == row["sha256"]:
            yield text, row["label"]


def _part(source: Source, rows: Iterable[tuple[Any, Any]], origin: str) -> ValidationPart | None:
    """The first rows; None where there are none. Raises ``ArtifactFormatError``."""
    first = [row for _, row in zip(range(MOST_TEXTS), rows, strict=False)]
    known = source.labels.label2id
    if not all(isinstance(text, str) and text.strip() for text, _ in first):
        raise ArtifactFormatError(
            f"{source.run / origin} holds a row without a text.", column="text"
        )
    if not all(isinstance(label, str) and label in known for _, label in first):
        raise ArtifactFormatError(
            f"{source.run / origin} holds a label that the run has not.", column="label"
        )
    if not first:
        return None
    return ValidationPart([t for t, _ in first], [known[label] for _, label in first], origin)
