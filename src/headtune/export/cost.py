"""What rounding costs, on the validation part: accuracy before and after, and labels that changed.

Where the validation part cannot be had, the probes are all there is, and the export says so.
"""

from dataclasses import dataclass
from pathlib import Path

from headtune.export.formats import Format, RoundingCost
from headtune.export.proof import Tolerance, agreement_of, require
from headtune.export.source import Source
from headtune.export.validation import validation_part

__all__ = ["Cost", "round_and_measure"]

MOST_CHANGED = 0.01
"""Share of validation texts whose label may change."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What rounding cost, as figures (empty where nothing could be measured) and a sentence."""

    figures: RoundingCost
    sentence: str


def round_and_measure(source: Source, row: Format, folder: Path) -> Cost:
    """Round what is in ``folder``, asking the tool the validation texts before and after.

    Raises ``ProbeError`` when more than one label in a hundred changed.
    """
    part = validation_part(source)
    if isinstance(part, str):
        row.quantizer()(source, folder)
        return Cost({}, f"What rounding costs was measured on the probes alone: {part}.")
    exact = row.answerer()(source, folder, part.texts)
    row.quantizer()(source, folder)
    rounded = row.answerer()(source, folder, part.texts)
    agreement = agreement_of(exact, rounded, source.task)
    share = max(MOST_CHANGED, 1 / agreement.n_texts)
    require(agreement, Tolerance(1.0, share), "rounded export, on validation texts,")
    truth = source.task.targets(part.labels)
    right = (source.task.is_right(found, truth) for found in (exact, rounded))
    before, after = (float(rows.mean()) for rows in right)
    figures: RoundingCost = {
        "n_texts": agreement.n_texts,
        "max_probability_difference": agreement.max_probability_difference,
        "n_changed_labels": agreement.n_changed_labels,
        "accuracy": before,
        "accuracy_rounded": after,
    }
    sentence = (
        f"On {agreement.n_texts:,} validation texts ({part.origin}): accuracy {before:.2%} before "
        f"rounding, {after:.2%} after; {agreement}."
    )
    return Cost(figures, sentence)
