"""What rounding costs, on the validation part: accuracy before and after, and labels that changed.

The validation part is read from the run folder (``--save-split``), else made again from the table
the run was trained on; it counts only if the data's fingerprint is that of the manifest. Where it
cannot be had, the probes are all there is, and the export says so. At most 500 texts are asked, the
first of the part, which is in random order.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headtune.config import DataConfig, RunConfig
from headtune.data import prepare, read_table
from headtune.errors import HeadtuneError
from headtune.export.formats import Format
from headtune.export.proof import Tolerance, agreement_of, require
from headtune.export.source import Source

__all__ = ["Cost", "round_and_measure"]

MOST_TEXTS = 500

MOST_CHANGED = 0.01
"""Share of validation texts whose label may change."""


@dataclass(frozen=True, slots=True)
class ValidationPart:
    """Texts with their labels as indices, and where they are from."""

    texts: list[str]
    labels: list[int]
    origin: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What rounding cost, as figures (empty where nothing could be measured) and a sentence."""

    figures: dict[str, Any]
    sentence: str


def round_and_measure(source: Source, row: Format, folder: Path) -> Cost:
    """Round what is in ``folder``, asking the tool the validation texts before and after.

    Raises ``ProbeError`` when more than one label in a hundred changed.
    """
    part = _validation(source)
    if isinstance(part, str):
        row.quantizer()(source, folder)
        return Cost({}, f"What rounding costs was measured on the probes alone: {part}.")
    exact = row.answerer()(source, folder, part.texts)
    row.quantizer()(source, folder)
    rounded = row.answerer()(source, folder, part.texts)
    agreement = agreement_of(exact, rounded)
    share = max(MOST_CHANGED, 1 / agreement.n_texts)
    require(agreement, Tolerance(1.0, share), "rounded export, on validation texts,")
    truth = np.array(part.labels)
    before, after = (float((p.argmax(axis=1) == truth).mean()) for p in (exact, rounded))
    figures = asdict(agreement) | {"accuracy": before, "accuracy_rounded": after}
    sentence = (
        f"On {agreement.n_texts:,} validation texts ({part.origin}): accuracy {before:.2%} before "
        f"rounding, {after:.2%} after; {agreement}."
    )
    return Cost(figures, sentence)


def _validation(source: Source) -> ValidationPart | str:
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
    labels = [example.label or 0 for example in examples]
    return ValidationPart([example.text for example in examples], labels, config.source)
