"""How long texts are, by label, and what a maximum length would cut."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtune.data.findings.finding import Finding, LabelledTexts

__all__ = ["Lengths", "cut_texts", "lengths_by_label"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of the texts of one label, in a unit that is told with them."""

    label: str
    texts: int
    median: int
    p95: int
    longest: int
    cut: int
    """Texts longer than the maximum length."""


def lengths_by_label(
    lengths: Ints, labels: Sequence[str], names: Sequence[str], max_length: int | None
) -> list[Lengths]:
    """A row for each of ``names``, in order. ``lengths``: ``(n_texts,)``."""
    of_row = np.array(labels, dtype=object)
    return [_lengths(name, lengths[of_row == name], max_length) for name in names]


def _lengths(label: str, lengths: Ints, max_length: int | None) -> Lengths:
    return Lengths(
        label=label,
        texts=len(lengths),
        median=int(np.median(lengths)),
        p95=int(np.percentile(lengths, 95, method="higher")),
        longest=int(lengths.max()),
        cut=0 if max_length is None else int((lengths > max_length).sum()),
    )


def cut_texts(
    table: LabelledTexts, lengths: Ints, max_length: int | None, unit: str
) -> list[Finding]:
    """One finding for the texts that a maximum length cuts."""
    if max_length is None:
        return []
    cut = np.flatnonzero(lengths > max_length)
    if not len(cut):
        return []
    share = len(cut) / len(lengths)
    lost = int((lengths[cut] - max_length).sum())
    return [
        Finding(
            kind="cut_texts",
            severity="medium" if share > 0.05 else "low",
            count=len(cut),
            title=f"{len(cut):,} texts ({share:.1%}) are longer than {max_length:,} {unit} and "
            f"would lose {lost:,}",
            advice="What is cut off is not read. Raise the option max_length, or see that the "
            "beginning of a text says what matters.",
            rows=table.shown(cut[np.argsort(-lengths[cut], kind="stable")]),
        )
    ]
