"""One label a text: softmax over the labels, cross-entropy, and the most probable label.

    logits          ``(n, n_labels)``; probabilities of the same shape, rows adding up to one
    targets         ``(n,)`` int64: indices into the labels
    decisions       ``(n,)`` int64: such indices, or -1 where the answer is "unsure"

What it does is in the modules that it calls: ``losses.py``, ``metrics.py``, ``decision.py``,
``calibration.py``, ``paired.py``, ``linear.py``, ``log_odds.py``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtune.errors import ConfigError, PredictionError, option
from headtune.tasks import calibration, conformal, decision, linear, log_odds
from headtune.tasks.class_weights import class_weights
from headtune.tasks.conformal import SetRule
from headtune.tasks.decision import UNSURE, DecisionRule
from headtune.tasks.figures import AnswerFigures, Metrics, Reliability, SetFigures
from headtune.tasks.metrics import (
    accuracy_interval,
    classification_metrics,
    softmax,
)
from headtune.tasks.paired import PairedTest, compare_paired
from headtune.tasks.task import (
    AnyProbabilities,
    Bools,
    Chances,
    Decisions,
    Features,
    Figure,
    LinearModel,
    Logits,
    Probabilities,
    RowWeights,
    Targets,
)
from headtune.types import LabelSet, Prediction

if TYPE_CHECKING:
    import torch

__all__ = ["SINGLE_LABEL", "SingleLabel"]

ACCURACY = Figure("accuracy", "accuracy", "accuracy", higher_is_better=True)
MACRO_F1 = Figure("macro_f1", "macro_f1", "macro F1", higher_is_better=True)
LOG_LOSS = Figure("log_loss", "loss", "log loss", higher_is_better=False, decimals=3)


@dataclass(frozen=True)
class SingleLabel:
    """The ``Task`` of one label a text. What each method is for is said there."""

    _focal_gamma: float | None = None
    """Of the focal loss; None where it is trained by cross-entropy."""

    _label_smoothing: float = 0.0

    name = "single-label"
    problem_type = "single_label_classification"
    activation = "softmax"
    best_metrics = (LOG_LOSS, ACCURACY, MACRO_F1)
    headline = (ACCURACY, MACRO_F1, LOG_LOSS)
    metric_keys = ("n", "accuracy", "macro_f1", "log_loss", "per_label", "confusion")

    def best_metric(self, option_value: str) -> Figure:
        for figure in self.best_metrics:
            if figure.option == option_value:
                return figure
        known = ", ".join(figure.option for figure in self.best_metrics)
        raise ConfigError(
            f"{option('best_metric')} is {option_value!r}; of {self.name} classifiers there are: "
            f"{known}.",
            option="best_metric",
        )

    def n_outputs(self, labels: LabelSet) -> int:
        return len(labels)

    def targets(self, labels: Iterable[Any]) -> Targets:
        known = list(labels)
        if None in known:
            raise PredictionError("Only labelled rows can be measured; one has no label.")
        return np.array(known, dtype=np.int64)

    def loss_weights(
        self, targets: Targets, labels: LabelSet, row_weights: RowWeights = None
    ) -> npt.NDArray[np.float64]:
        return class_weights(targets, len(labels), row_weights)

    def with_loss(self, loss: str, *, focal_gamma: float, label_smoothing: float) -> "SingleLabel":
        gamma = focal_gamma if loss == "focal" else None
        return replace(self, _focal_gamma=gamma, _label_smoothing=label_smoothing)

    def loss_sum(
        self,
        logits: "torch.Tensor",
        targets: "torch.Tensor",
        weights: "torch.Tensor | None",
        row_weights: "torch.Tensor | None" = None,
    ) -> "torch.Tensor":
        from headtune.tasks.losses import focal_sum, weighted_sum  # brings in torch

        if self._focal_gamma is not None:
            return focal_sum(logits, targets, weights, row_weights, self._focal_gamma)
        return weighted_sum(logits, targets, weights, row_weights, self._label_smoothing)

    def step_weight(
        self,
        targets: "torch.Tensor",
        weights: "torch.Tensor | None",
        row_weights: "torch.Tensor | None" = None,
    ) -> "torch.Tensor":
        from headtune.tasks.losses import total_weight

        return total_weight(targets, weights, row_weights)

    def evaluation(self, metrics: Metrics) -> dict[str, float]:
        return {figure.option: figure.of(metrics) for figure in self.best_metrics}

    def probabilities(self, logits: npt.ArrayLike, temperature: float = 1.0) -> Probabilities:
        return softmax(np.asarray(logits) / temperature)

    def calibrate(self, logits: Logits, targets: Targets, row_weights: RowWeights = None) -> float:
        return calibration.fit_temperature(logits, targets, row_weights)

    def decide(self, probabilities: AnyProbabilities) -> Decisions:
        best: Decisions = probabilities.argmax(axis=1)
        return best

    def decide_by(
        self, rule: DecisionRule, probabilities: Probabilities, labels: LabelSet
    ) -> Decisions:
        return rule.decide(probabilities, labels)

    def same_answer(self, decisions: Decisions, others: Decisions) -> Bools:
        same: Bools = decisions == others
        return same

    def possible_answers(self, labels: LabelSet, rule: DecisionRule) -> tuple[str, ...]:
        return (*labels.names, UNSURE) if rule.abstains(labels) else labels.names

    def named(self, decisions: Decisions, labels: LabelSet) -> list[str]:
        return [UNSURE if index < 0 else labels.names[index] for index in decisions.tolist()]

    def answers(
        self, rule: DecisionRule, probabilities: Probabilities, labels: LabelSet
    ) -> list[Prediction]:
        return rule.answers(probabilities, labels)

    def set_rule(
        self, probabilities: Probabilities, targets: Targets, chances: Chances, coverage: float
    ) -> SetRule:
        return SetRule.fitted(coverage, conformal.set_scores(probabilities, targets, chances))

    def sets(self, rule: SetRule, probabilities: Probabilities, chances: Chances) -> Bools:
        return conformal.prediction_sets(probabilities, chances, rule.bound)

    def has_label(self, targets: Targets, index: int) -> Bools:
        has: Bools = targets == index
        return has

    def log_odds(self, logits: npt.ArrayLike, index: int) -> Probabilities:
        return log_odds.log_odds(logits, index)

    def log_odds_of_tensor(self, logits: "torch.Tensor", index: int) -> "torch.Tensor":
        return log_odds.log_odds_of_tensor(logits, index)

    def metrics(
        self,
        probabilities: npt.ArrayLike,
        targets: npt.ArrayLike,
        labels: LabelSet,
        row_weights: RowWeights = None,
    ) -> Metrics:
        return classification_metrics(probabilities, targets, labels, row_weights)

    def answer_metrics(
        self, rule: DecisionRule, probabilities: Probabilities, targets: Targets, labels: LabelSet
    ) -> AnswerFigures:
        return decision.answer_metrics(rule, probabilities, targets, labels)

    def set_figures(
        self, rule: SetRule, sets: Bools, targets: Targets, labels: LabelSet
    ) -> SetFigures:
        return conformal.set_figures(sets, targets, labels, rule.coverage)

    def interval(self, metrics: Mapping[str, Any]) -> tuple[float, float]:
        n = metrics["n"]  # a manifest has no confusion matrix to count in
        return accuracy_interval(round(metrics["accuracy"] * n), n)

    def is_right(self, probabilities: AnyProbabilities, targets: Targets) -> Bools:
        return self.same_answer(self.decide(probabilities), targets)

    def certainty(self, probabilities: AnyProbabilities) -> AnyProbabilities:
        most: AnyProbabilities = probabilities.max(axis=1)
        return most

    def truth_probability(
        self, probabilities: AnyProbabilities, targets: Targets
    ) -> AnyProbabilities:
        return probabilities[np.arange(len(targets)), targets]

    def confusion(
        self, probabilities: Probabilities, targets: Targets, labels: LabelSet
    ) -> list[list[int]]:
        counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
        np.add.at(counts, (targets, self.decide(probabilities)), 1)
        rows: list[list[int]] = counts.tolist()
        return rows

    def reliability(self, probabilities: Probabilities, targets: Targets) -> Reliability:
        return calibration.reliability(probabilities, targets)

    def compare(
        self,
        probabilities: AnyProbabilities,
        others: AnyProbabilities,
        targets: Targets,
        seed: int = 0,
    ) -> PairedTest:
        return compare_paired(
            self.is_right(probabilities, targets), self.is_right(others, targets), seed
        )

    def constant(
        self, targets: Targets, n: int, labels: LabelSet, row_weights: RowWeights = None
    ) -> Probabilities:
        return linear.constant_probabilities(targets, n, labels, row_weights)

    def fit_linear(
        self, features: Features, targets: Targets, c: float, row_weights: RowWeights = None
    ) -> LinearModel:
        return linear.fit_linear(features, targets, c, row_weights)

    def linear_probabilities(
        self, model: LinearModel, features: Features, labels: LabelSet
    ) -> Probabilities:
        return linear.linear_probabilities(model, features, labels)

    def loss(
        self,
        probabilities: Probabilities,
        targets: Targets,
        labels: LabelSet,
        row_weights: RowWeights = None,
    ) -> float:
        return linear.mean_log_loss(probabilities, targets, labels, row_weights)

    def runner_up(self, probabilities: Probabilities, targets: Targets) -> Decisions:
        others = probabilities.copy()
        others[np.arange(len(targets)), targets] = -1.0
        return self.decide(others)


SINGLE_LABEL = SingleLabel()
