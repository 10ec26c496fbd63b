"""The model that a language model has to beat: TF-IDF with logistic regression.

Words counted by a linear model often come close to a language model at a thousandth of the cost.

    1. training rows beyond ``MAX_TRAIN_ROWS`` are dropped at random, by the seed;
    2. words, punctuation marks and pairs of neighbours are weighed by TF-IDF; in scripts without
       spaces (Chinese, Japanese, Thai, ...) each character is a word;
    3. logistic regression is fitted along a grid of C, from simple to flexible, until the log loss
       on the validation part rises. Where there is no validation part, the mean log loss of three
       folds of the training part decides.

The validation part chooses C here as it chooses the weights of the tuned model, so both are
flattered alike on it; the test part is never looked at.

Guarantees: the same rows and seed give the same figures; every sign that is not a space belongs to
a token, so odd alphabets do not stop a run; one label in the training part is no error.
Costs: one core, and at most ``MAX_FEATURES`` coefficients a label. Time grows with the labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import KFold

from headtune.errors import PredictionError
from headtune.tasks import SINGLE_LABEL, Task
from headtune.tasks.task import Features, LinearModel, Probabilities, RowWeights
from headtune.types import LabelSet
from headtune.wording.word_spans import UNSPACED

__all__ = [
    "MAX_TRAIN_ROWS",
    "Rows",
    "TfidfBaseline",
    "choose_penalty",
    "fit_tfidf",
]

MAX_TRAIN_ROWS = 50_000
"""Training rows that are read; of a larger part, this many are drawn at random. The same bound
holds for the validation rows that choose C."""

MAX_FEATURES = 100_000
"""Words and pairs that are kept, the most frequent first."""

C_GRID = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Inverse strengths of the penalty, the strongest penalty first."""

FOLDS = 3
TOKEN_PATTERN = rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s]"

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Features ``(n, n_features)``, label ids ``(n,)``, and weights ``(n,)``, None for ones."""

    features: Features
    ids: Ids
    weights: RowWeights = None

    def at(self, places: Ids) -> "Rows":
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[places]
        return Rows(self.features[places], self.ids[places], weights)


@dataclass(frozen=True, slots=True)
class TfidfBaseline:
    """A fitted TF-IDF model: the C that was chosen, and how many training rows it read."""

    labels: LabelSet
    vectorizer: TfidfVectorizer
    model: LinearModel
    c: float
    train_rows: int
    task: Task = SINGLE_LABEL

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Probabilities of shape ``(n_texts, n_labels)``; 0 for labels it was never shown."""
        features = self.vectorizer.transform(texts)
        return self.task.linear_probabilities(self.model, features, self.labels)


def fit_tfidf(
    train_texts: Sequence[str],
    train_label_ids: Sequence[int] | Ids,
    validation_texts: Sequence[str],
    validation_label_ids: Sequence[int] | Ids,
    labels: LabelSet,
    seed: int,
    task: Task = SINGLE_LABEL,
    train_weights: RowWeights = None,
    validation_weights: RowWeights = None,
) -> TfidfBaseline:
    """Fits the TF-IDF model; validation texts may be empty. See the top of this file."""
    if len(train_texts) == 0:
        raise PredictionError("A baseline needs at least one training row; received none.")
    drawn = _draw(len(train_texts), seed)
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2),
        token_pattern=TOKEN_PATTERN,
        max_features=MAX_FEATURES,
        sublinear_tf=True,
        dtype=np.float32,
    )
    features = vectorizer.fit_transform([train_texts[place] for place in drawn])
    train = _rows(features, train_label_ids, train_weights, drawn)
    held_back = None
    if len(validation_texts) > 0:
        drawn = _draw(len(validation_texts), seed)
        features = vectorizer.transform([validation_texts[place] for place in drawn])
        held_back = _rows(features, validation_label_ids, validation_weights, drawn)
    c = choose_penalty(C_GRID, train, held_back, labels, seed, task)
    model = task.fit_linear(train.features, train.ids, c, train.weights)
    return TfidfBaseline(labels, vectorizer, model, c, len(train.ids), task)


def choose_penalty(
    grid: Sequence[float],
    train: Rows,
    held_back: Rows | None,
    labels: LabelSet,
    seed: int,
    task: Task = SINGLE_LABEL,
) -> float:
    """The C of the grid, strongest penalty first, after which the log loss rises.

    Judged on ``held_back``; by three folds of the training rows where it is None.
    """
    splits = [(train, held_back)] if held_back else _folds(train, seed)
    return _first_minimum(grid, lambda c: _mean_loss(splits, c, labels, task))


Split: TypeAlias = tuple[Rows, Rows]
"""Rows to fit on, then those to judge by."""


def _draw(n: int, seed: int) -> Ids:
    """The places of at most ``MAX_TRAIN_ROWS`` of ``n`` rows, in their order."""
    if n <= MAX_TRAIN_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size=MAX_TRAIN_ROWS, replace=False))


def _rows(
    features: Features, label_ids: Sequence[int] | Ids, weights: RowWeights, drawn: Ids
) -> Rows:
    """The rows that were drawn; ``features`` are of these alone."""
    of_drawn = None if weights is None else weights[drawn]
    return Rows(features, np.asarray(label_ids)[drawn], of_drawn)


def _folds(train: Rows, seed: int) -> list[Split]:
    """The training rows in three folds, each judged by a model of the other two."""
    if len(train.ids) < FOLDS:
        return []
    folds = KFold(FOLDS, shuffle=True, random_state=seed).split(train.ids)
    return [(train.at(fit), train.at(judge)) for fit, judge in folds]


def _first_minimum(values: Sequence[float], loss: Callable[[float], float]) -> float:
    """The value before the first rise of the loss: the loss of a penalty has one valley."""
    best, best_loss = values[0], loss(values[0])
    for value in values[1:]:
        value_loss = loss(value)
        if value_loss >= best_loss:
            break
        best, best_loss = value, value_loss
    return best


def _mean_loss(splits: Sequence[Split], c: float, labels: LabelSet, task: Task) -> float:
    losses = []
    for fit, judge in splits:
        model = task.fit_linear(fit.features, fit.ids, c, fit.weights)
        answers = task.linear_probabilities(model, judge.features, labels)
        losses.append(task.loss(answers, judge.ids, labels, judge.weights))
    return float(np.mean(losses)) if losses else 0.0
