"""How probabilities become an answer: thresholds of single labels, and "unsure".

    1. Labels with a threshold that their probability reaches: the most probable of them.
    2. Else, the most probable of the labels without a threshold; it is "unsure" when its
       probability is below ``abstain_below``.
    3. Where every label has a threshold and none reaches its own: "unsure".

So ``spam=0.9`` makes spam rarer, ``spam=0.2`` makes it more frequent, and without options the
answer is the most probable label. A label that reached its own threshold is never unsure.

``threshold_for_precision`` finds, on rows with known labels, the lowest threshold at which the
label's precision is as wanted (and so its recall the highest); ``threshold_for_recall`` the highest
at which its recall is.

Leaf module.
"""

from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from headtune.errors import ConfigError, option
from headtune.tasks.figures import AnswerFigures
from headtune.types import LabelSet, Prediction

__all__ = [
    "UNSURE",
    "DecisionRule",
    "RuleChanges",
    "answer_metrics",
    "check_label",
    "threshold_for_precision",
    "threshold_for_recall",
]

UNSURE = "unsure"

Probabilities = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


class RuleChanges(TypedDict, total=False):
    """Fields of a ``DecisionRule`` that are to be replaced."""

    thresholds: dict[str, float]
    abstain_below: float | None


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """Thresholds by label, and the probability below which the answer is "unsure".

    ``check`` raises ``ConfigError`` when the rule does not suit a classifier's labels.
    """

    thresholds: dict[str, float] = field(default_factory=dict)
    abstain_below: float | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the answer is always the most probable label."""
        return not self.thresholds and self.abstain_below is None

    def abstains(self, labels: LabelSet) -> bool:
        """Whether an answer can be "unsure"."""
        return self.abstain_below is not None or set(labels.names) <= set(self.thresholds)

    def check(self, labels: LabelSet) -> "DecisionRule":
        """The rule itself, if it can be used with these labels."""
        for name in self.thresholds:
            check_label(name, labels)
        if self.abstains(labels) and UNSURE in labels.names:
            raise ConfigError(
                f"A label is itself called {UNSURE!r}, so answers that are unsure could not be "
                "told from it.",
                option="abstain_below",
                way_out=f"Rename the label, or leave out {option('abstain_below')}.",
            )
        return self

    def decide(self, probabilities: Probabilities, labels: LabelSet) -> Ids:
        """The answer of each row as an index into ``labels``, -1 for unsure.

        Shapes: ``(n, n_labels)`` in, ``(n,)`` out.
        """
        if self.is_plain:
            best: Ids = probabilities.argmax(axis=1)
            return best
        bounds = np.array([self.thresholds.get(name, np.inf) for name in labels.names])
        reached = np.where(probabilities >= bounds, probabilities, -1.0)  # (n, n_labels)
        others = np.where(np.isinf(bounds), probabilities, -1.0)
        unsure = others.max(axis=1) < max(self.abstain_below or 0.0, 0.0)
        fallback = np.where(unsure, -1, others.argmax(axis=1))
        decided: Ids = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), fallback)
        return decided

    def answers(self, probabilities: Probabilities, labels: LabelSet) -> list[Prediction]:
        """A ``Prediction`` for each row; its label is ``unsure`` where the answer is."""
        return [
            Prediction(
                label=UNSURE if decided < 0 else labels.names[decided],
                probabilities=dict(zip(labels.names, row, strict=True)),
                unsure=decided < 0,
            )
            for decided, row in zip(
                self.decide(probabilities, labels).tolist(), probabilities.tolist(), strict=True
            )
        ]


def answer_metrics(
    rule: DecisionRule, probabilities: Probabilities, label_ids: Ids, labels: LabelSet
) -> AnswerFigures:
    """How the answers of a rule do on labelled rows.

    ``coverage`` is the share that is answered, ``accuracy`` the share of these that is right (None
    where nothing is answered), ``per_label`` has ``precision`` (None where a label is never the
    answer) and ``recall`` (None where it never occurs) of each label, unsure rows counting as
    missed.
    """
    decided = rule.decide(probabilities, labels)
    answered = decided >= 0
    return {
        "coverage": float(answered.mean()),
        "accuracy": _share(decided[answered] == label_ids[answered]),
        "per_label": {
            name: {
                "precision": _share(label_ids[decided == index] == index),
                "recall": _share(decided[label_ids == index] == index),
            }
            for index, name in enumerate(labels.names)
        },
    }


def _share(hits: npt.NDArray[np.bool_]) -> float | None:
    return float(hits.mean()) if len(hits) else None


def check_label(name: str, labels: LabelSet, given_by: str = "threshold") -> None:
    """Raises ``ConfigError`` when there is no such label, as the option ``given_by`` names."""
    if name not in labels.names:
        raise ConfigError(
            f"A {given_by.replace('_', ' ')} names the label {name!r}, which is not among the "
            f"labels: {', '.join(labels.names)}.",
            option=given_by,
        )


def threshold_for_precision(
    probabilities: Probabilities,
    is_label: npt.NDArray[np.bool_],
    wanted: float,
    row_weights: Probabilities | None = None,
) -> float | None:
    """The lowest threshold at which a share ``wanted`` of the rows that reach it has the label.

    Shapes: ``(n,)``: the label's probability, whether it is the true one, and how many rows each
    counts for (None: one). None where no threshold does it.
    """
    candidates, hits, chosen = _along_thresholds(probabilities, is_label, row_weights)
    enough = hits / chosen >= wanted
    return float(candidates[enough].min()) if enough.any() else None


def threshold_for_recall(
    probabilities: Probabilities,
    is_label: npt.NDArray[np.bool_],
    wanted: float,
    row_weights: Probabilities | None = None,
) -> float | None:
    """The highest threshold that a share ``wanted`` of the label's rows reaches.

    Shapes as in ``threshold_for_precision``. None where no row has the label.
    """
    candidates, hits, _ = _along_thresholds(probabilities, is_label, row_weights)
    if not is_label.any():
        return None
    return float(candidates[hits / hits[-1] >= wanted].max())


def _along_thresholds(
    probabilities: Probabilities,
    is_label: npt.NDArray[np.bool_],
    row_weights: Probabilities | None,
) -> tuple[Probabilities, Probabilities, Probabilities]:
    """Every probability as a threshold, and of the rows that reach it: true ones, and all."""
    weights = np.ones(len(probabilities)) if row_weights is None else row_weights
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    last = np.append(ranked[1:] != ranked[:-1], True)  # of rows that are equally probable
    hits = np.cumsum((is_label * weights)[order])
    return ranked[last], hits[last], np.cumsum(weights[order])[last]
