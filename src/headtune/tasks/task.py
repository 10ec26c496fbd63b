"""What an answer is, as every stage asks it: the ``Task`` protocol.

    labels of rows           -> targets            -> loss, weight of a step     training
    logits                   -> probabilities      -> decisions, their words     prediction
    probabilities, targets   -> metrics, what is right, paired tests             evidence

A stage holds a task beside its labels (``Predictor.task``, ``Fitted.task``, …) and asks it; it
never looks at which one it is. What a row of logits, a target or a decision is shaped like is the
task's business: ``(n, n_outputs)`` for logits and probabilities; ``(n,)`` for targets and decisions
of one label a text, ``(n, n_labels)`` of several. Stages hand these arrays on, take rows of them
and count rows; nothing else.

A task is a value: a copy of it is equal to it, and it holds what it has learned of the
training part, if anything. Nothing here or in a task imports torch before a tensor comes in, so
the command line and the data stage stay quick.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from headtune.tasks.conformal import SetRule
from headtune.tasks.decision import DecisionRule
from headtune.tasks.figures import AnswerFigures, Metrics, Reliability, SetFigures
from headtune.tasks.paired import PairedTest
from headtune.types import LabelSet, Prediction
from headtune.wording.numbers import percent

if TYPE_CHECKING:
    import torch

__all__ = [
    "AnyProbabilities",
    "Bools",
    "Chances",
    "Decisions",
    "Features",
    "Figure",
    "LinearModel",
    "Logits",
    "Probabilities",
    "RowWeights",
    "Targets",
    "Task",
]

Logits: TypeAlias = npt.NDArray[np.floating[Any]]
Probabilities: TypeAlias = npt.NDArray[np.float64]
AnyProbabilities: TypeAlias = npt.NDArray[np.floating[Any]]
"""As they are kept in files: float32 does."""

Targets: TypeAlias = npt.NDArray[Any]
RowWeights: TypeAlias = npt.NDArray[np.float64] | None
"""How much each row counts beside the others, ``(n,)``; None where all count as one."""

Chances: TypeAlias = npt.NDArray[np.float64]
"""A number from 0 to 1 for each text, by which it is decided what is left to chance."""

Decisions: TypeAlias = npt.NDArray[Any]
Bools: TypeAlias = npt.NDArray[np.bool_]
Features: TypeAlias = Any
"""Rows of numbers, ``(n, n_features)``: an array, or scipy's sparse rows."""

LinearModel: TypeAlias = Any
"""What ``fit_linear`` gives and ``linear_probabilities`` takes."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of ``Metrics`` that says in one number how good a classifier is.

    ``key`` is its name in ``Metrics`` and ``report.json``, ``option`` that of ``best_metric`` and
    ``history.jsonl``, ``words`` what people read. ``decimals`` of a plain number; None for a
    share, which is written in percent.
    """

    key: str
    option: str
    words: str
    higher_is_better: bool
    decimals: int | None = None

    def of(self, metrics: Mapping[str, Any]) -> float:
        """The number itself."""
        value: float = metrics[self.key]
        return value

    def written(self, metrics: Mapping[str, Any]) -> str:
        """``97.2 %``, ``0.081``."""
        value = self.of(metrics)
        return percent(value) if self.decimals is None else f"{value:.{self.decimals}f}"

    def is_better(self, value: float, other: float) -> bool:
        """Whether ``value`` beats ``other``; equal ones do not."""
        return value > other if self.higher_is_better else value < other

    def rank(self, value: float) -> float:
        """A number to sort by, the best first."""
        return -value if self.higher_is_better else value


class Task(Protocol):
    """What an answer is; see the top of this file."""

    @property
    def name(self) -> str:
        """As manifests have it."""

    @property
    def problem_type(self) -> str:
        """transformers' name for it, in exported configurations."""

    @property
    def activation(self) -> str:
        """What transformers' pipelines call the way from logits to probabilities."""

    @property
    def best_metrics(self) -> tuple[Figure, ...]:
        """Figures that can pick the best weights, and that each evaluation writes down."""

    @property
    def headline(self) -> tuple[Figure, ...]:
        """Figures that tables show, the one that classifiers are ranked by first."""

    @property
    def metric_keys(self) -> tuple[str, ...]:
        """Everything that ``metrics`` gives, in its order."""

    def best_metric(self, option: str) -> Figure:
        """One of ``best_metrics`` by name. Raises ``ConfigError`` where there is none such."""

    # Training

    def n_outputs(self, labels: LabelSet) -> int:
        """Logits of a text: rows of the head."""

    def targets(self, labels: Iterable[Any]) -> Targets:
        """What rows are labelled with, as loss and metrics take it, first axis ``(n,)``.

        Raises ``PredictionError`` where a label is unknown.
        """

    def loss_weights(
        self, targets: Targets, labels: LabelSet, row_weights: RowWeights = None
    ) -> npt.NDArray[np.float64]:
        """Weights that make up for labels of unequal number, for ``loss_sum``."""

    def with_loss(self, loss: str, *, focal_gamma: float, label_smoothing: float) -> "Task":
        """The same task, trained by another loss. Raises ``ConfigError`` where it has none such."""

    def loss_sum(
        self,
        logits: "torch.Tensor",
        targets: "torch.Tensor",
        weights: "torch.Tensor | None",
        row_weights: "torch.Tensor | None" = None,
    ) -> "torch.Tensor":
        """The losses of a micro-batch, added up: a scalar.

        Shapes: logits ``(n, n_outputs)``, ``row_weights`` ``(n,)``; ``weights`` are of labels.
        """

    def step_weight(
        self,
        targets: "torch.Tensor",
        weights: "torch.Tensor | None",
        row_weights: "torch.Tensor | None" = None,
    ) -> "torch.Tensor":
        """What these rows weigh together in ``loss_sum``: a scalar, float32."""

    def evaluation(self, metrics: Metrics) -> dict[str, float]:
        """The ``best_metrics`` by their option's name, as the history has them."""

    # Answers

    def probabilities(self, logits: npt.ArrayLike, temperature: float = 1.0) -> Probabilities:
        """Logits to probabilities, float64, same shape."""

    def calibrate(self, logits: Logits, targets: Targets, row_weights: RowWeights = None) -> float:
        """The temperature that makes the probabilities fit best; 1 without rows."""

    def decide(self, probabilities: AnyProbabilities) -> Decisions:
        """The answer of each row, without thresholds."""

    def decide_by(
        self, rule: DecisionRule, probabilities: Probabilities, labels: LabelSet
    ) -> Decisions:
        """The answer of each row where thresholds, or "unsure", have a say."""

    def same_answer(self, decisions: Decisions, others: Decisions) -> Bools:
        """Whether each two answers are the same, shape ``(n,)``."""

    def possible_answers(self, labels: LabelSet, rule: DecisionRule) -> tuple[str, ...]:
        """The words that an answer can be made of, in the order in which they are counted."""

    def named(self, decisions: Decisions, labels: LabelSet) -> list[str]:
        """Decisions as people read them, and as tables hold them."""

    def answers(
        self, rule: DecisionRule, probabilities: Probabilities, labels: LabelSet
    ) -> list[Prediction]:
        """Decisions by a rule, with the probabilities that they were made from."""

    def set_rule(
        self, probabilities: Probabilities, targets: Targets, chances: Chances, coverage: float
    ) -> SetRule:
        """What makes sets of labels that hold the truth in a share ``coverage`` of such rows.

        ``chances``, ``(n,)``, are those of the texts; see ``conformal.py``.
        """

    def sets(self, rule: SetRule, probabilities: Probabilities, chances: Chances) -> Bools:
        """Which labels are in the set of each row, ``(n, n_labels)``."""

    def has_label(self, targets: Targets, index: int) -> Bools:
        """Whether each row has a label, shape ``(n,)``: what a threshold is found on."""

    def log_odds(self, logits: npt.ArrayLike, index: int) -> Probabilities:
        """log(p / (1 - p)) of a label, shape ``(n,)``."""

    def log_odds_of_tensor(self, logits: "torch.Tensor", index: int) -> "torch.Tensor":
        """``log_odds`` that gradients go through."""

    # Evidence

    def metrics(
        self,
        probabilities: npt.ArrayLike,
        targets: npt.ArrayLike,
        labels: LabelSet,
        row_weights: RowWeights = None,
    ) -> Metrics:
        """The figures of labelled rows. Raises ``PredictionError`` without rows."""

    def answer_metrics(
        self, rule: DecisionRule, probabilities: Probabilities, targets: Targets, labels: LabelSet
    ) -> AnswerFigures:
        """How the answers of a rule do: ``coverage``, the first figure of the headline, and
        ``per_label``."""

    def set_figures(
        self, rule: SetRule, sets: Bools, targets: Targets, labels: LabelSet
    ) -> SetFigures:
        """How sets do on labelled rows."""

    def interval(self, metrics: Mapping[str, Any]) -> tuple[float, float]:
        """95 % interval of the first figure of the headline."""

    def is_right(self, probabilities: AnyProbabilities, targets: Targets) -> Bools:
        """Whether each row's answer is the true one, shape ``(n,)``."""

    def certainty(self, probabilities: AnyProbabilities) -> AnyProbabilities:
        """The probability of each row's answer, shape ``(n,)``."""

    def truth_probability(
        self, probabilities: AnyProbabilities, targets: Targets
    ) -> AnyProbabilities:
        """The probability of each row's truth, shape ``(n,)``."""

    def confusion(
        self, probabilities: Probabilities, targets: Targets, labels: LabelSet
    ) -> list[list[int]]:
        """Rows: true label, columns: answer."""

    def reliability(self, probabilities: Probabilities, targets: Targets) -> Reliability:
        """Whether the classifier is as often right as it says: ``ece`` and ``bins``."""

    def compare(
        self,
        probabilities: AnyProbabilities,
        others: AnyProbabilities,
        targets: Targets,
        seed: int = 0,
    ) -> PairedTest:
        """Whether one classifier beats another on the same rows."""

    # Baselines

    def constant(
        self, targets: Targets, n: int, labels: LabelSet, row_weights: RowWeights = None
    ) -> Probabilities:
        """What a model says of ``n`` texts that has learned nothing but how often labels are."""

    def fit_linear(
        self, features: Features, targets: Targets, c: float, row_weights: RowWeights = None
    ) -> LinearModel:
        """A linear model; ``c`` is the inverse strength of its penalty."""

    def linear_probabilities(
        self, model: LinearModel, features: Features, labels: LabelSet
    ) -> Probabilities:
        """What a linear model says of rows of features."""

    def loss(
        self,
        probabilities: Probabilities,
        targets: Targets,
        labels: LabelSet,
        row_weights: RowWeights = None,
    ) -> float:
        """The mean loss of probabilities, by which penalties are chosen."""

    def runner_up(self, probabilities: Probabilities, targets: Targets) -> Decisions:
        """The best answer of each row among those that are not ``targets``."""
