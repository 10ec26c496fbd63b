"""What ``report.json`` shows under ``data``: every row accounted for, in JSON values.

``repeats`` counts rows whose text was there before, to the letter. ``conflicting_texts`` counts
texts that carry different labels, ``repeats_across_parts`` texts that are in more than one part,
both whatever the whitespace around them. The last is 0 unless the parts were given or cut by time.
``prepare`` adds ``notes``, ``near_repeats`` and ``leaks``.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headtune.data.checks import count_conflicting, text_groups
from headtune.data.parts.parts import PARTS, GivenParts
from headtune.data.parts.split import parse_split
from headtune.options import DataConfig
from headtune.types import DataAccount, Example, LabelSet, PreparedData

__all__ = ["fingerprint", "summarize"]

Ints = npt.NDArray[np.int64]


def summarize(
    source: object,
    given: GivenParts,
    prepared: PreparedData,
    label_ids: Ints,
    parts: Mapping[str, Ints],
    config: DataConfig,
) -> DataAccount:
    """The account of one ``prepare``. ``label_ids``: of all usable rows, shape ``(n,)``."""
    columns = given.columns
    texts = [text for usable in given.parts.values() for text in usable.texts]
    groups = text_groups(texts)
    return {
        "source": str(source) if isinstance(source, str | Path) else type(source).__name__,
        "columns": {
            "text": columns.text,
            "label": columns.label,
            "template": columns.template,
            "found": columns.explanation,
        },
        "detected": list(given.notes),
        "read_with": _read_with(given),
        "rows_read": given.n_read,
        "set_aside": {
            "count": len(given.set_aside),
            "by_reason": dict(Counter(row.reason for row in given.set_aside).most_common()),
        },
        "repeats": len(texts) - len(set(texts)),
        "conflicting_texts": count_conflicting(groups, label_ids),
        "repeats_across_parts": _repeats_across(groups, parts),
        "labels": _label_counts(label_ids, prepared.labels),
        "parts": {
            part: {
                "rows": len(prepared.parts[part]),
                "labels": _label_counts(label_ids[indices], prepared.labels),
            }
            for part, indices in parts.items()
        },
        "balance": config.balance,
        "split": _split(given, config),
        "split_seed": config.split_seed,
        "fingerprint": fingerprint(prepared),
    }


def _read_with(given: GivenParts) -> dict[str, str | int]:
    """The options that read this table so again, without looking: columns, and form of the file."""
    text, label = given.columns.text, given.columns.label
    columns = {"text": text, "label": label}
    found: dict[str, str | int] = {n: column for n, column in columns.items() if column is not None}
    return found | dict(sorted(given.options.items()))


def _split(given: GivenParts, config: DataConfig) -> str:
    """How the parts came about: ``70/10/20``, ``80/20 by time (column 'date')``, ``given by …``."""
    how = config.split if given.given_by is None else _given_split(given, config)
    if config.split_by_time is not None:
        return f"{how} by time (column {config.split_by_time!r})"
    if config.group_by is not None:
        return f"{how}, rows of one {config.group_by!r} together"
    return how


def _given_split(given: GivenParts, config: DataConfig) -> str:
    fractions = dict(zip(PARTS, parse_split(config.split), strict=True))
    cut = [part for part in PARTS[1:] if part not in given.parts and fractions[part] > 0]
    also = f"; {' and '.join(cut)} cut from train by {config.split}" if cut else ""
    return f"given by {given.given_by}{also}"


def _label_counts(label_ids: Ints, labels: LabelSet) -> dict[str, int]:
    counts = np.bincount(label_ids, minlength=len(labels))
    return {name: int(count) for name, count in zip(labels.names, counts, strict=True)}


def _repeats_across(groups: Ints, parts: Mapping[str, Ints]) -> int:
    indices = np.concatenate([np.unique(part) for part in parts.values()])
    numbers = np.concatenate(
        [np.full(len(np.unique(part)), i) for i, part in enumerate(parts.values())]
    )
    return count_conflicting(groups[indices], numbers)


def fingerprint(prepared: PreparedData) -> str:
    """sha256 over the label names, then label and text of each example of each part, in order."""
    digest = hashlib.sha256(repr(prepared.labels.names).encode())
    for part in PARTS:
        _update(digest, part, prepared.parts[part])
    return digest.hexdigest()


def _update(digest: "hashlib._Hash", part: str, examples: Iterable[Example]) -> None:
    digest.update(f"\0{part}".encode())
    for example in examples:
        digest.update(f"\0{example.label}\0{len(example.text)}\0".encode())
        digest.update(example.text.encode())
