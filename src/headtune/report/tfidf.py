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
from headtune.tasks.task import Features, LinearModel, Probabilities
from headtune.types import LabelSet
from headtune.wording.word_spans import UNSPACED

__all__ = [
    "MAX_TRAIN_ROWS",
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
) -> TfidfBaseline:
    """Fits the TF-IDF model; validation texts may be empty. See the top of this file."""
    if len(train_texts) == 0:
        raise PredictionError("A baseline needs at least one training row; received none.")
    texts, ids = _draw(train_texts, train_label_ids, seed)
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2),
        token_pattern=TOKEN_PATTERN,
        max_features=MAX_FEATURES,
        sublinear_tf=True,
        dtype=np.float32,
    )
    features = vectorizer.fit_transform(texts)
    held_back = None
    if len(validation_texts) > 0:
        held_back_texts, held_back_ids = _draw(validation_texts, validation_label_ids, seed)
        held_back = (vectorizer.transform(held_back_texts), held_back_ids)
    c = choose_penalty(C_GRID, features, ids, held_back, labels, seed, task)
    model = task.fit_linear(features, ids, c)
    return TfidfBaseline(labels, vectorizer, model, c, len(texts), task)


def choose_penalty(
    grid: Sequence[float],
    features: Features,
    ids: Ids,
    held_back: tuple[Features, Ids] | None,
    labels: LabelSet,
    seed: int,
    task: Task = SINGLE_LABEL,
) -> float:
    """The C of the grid, strongest penalty first, after which the log loss rises.

    Judged on ``held_back``, features ``(n, n_features)`` and label ids ``(n,)``; by three folds of
    the training rows where it is None.
    """
    splits = [(features, ids, *held_back)] if held_back else _folds(features, ids, seed)
    return _first_minimum(grid, lambda c: _mean_loss(splits, c, labels, task))


Split: TypeAlias = tuple[Features, Ids, Features, Ids]
"""Features and label ids to fit on, then those to judge by."""


def _draw(
    texts: Sequence[str], label_ids: Sequence[int] | Ids, seed: int
) -> tuple[Sequence[str], Ids]:
    """At most ``MAX_TRAIN_ROWS`` rows, in their order."""
    ids = np.asarray(label_ids)
    if len(texts) <= MAX_TRAIN_ROWS:
        return texts, ids
    generator = np.random.default_rng(seed)
    kept = np.sort(generator.choice(len(texts), size=MAX_TRAIN_ROWS, replace=False))
    return [texts[index] for index in kept], ids[kept]


def _folds(features: Features, ids: Ids, seed: int) -> list[Split]:
    """The training rows in three folds, each judged by a model of the other two."""
    if len(ids) < FOLDS:
        return []
    folds = KFold(FOLDS, shuffle=True, random_state=seed).split(ids)
    return [(features[fit], ids[fit], features[judge], ids[judge]) for fit, judge in folds]


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
    for x, targets, judge_x, judge_targets in splits:
        model = task.fit_linear(x, targets, c)
        answers = task.linear_probabilities(model, judge_x, labels)
        losses.append(task.loss(answers, judge_targets, labels))
    return float(np.mean(losses)) if losses else 0.0
