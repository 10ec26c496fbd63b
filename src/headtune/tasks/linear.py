"""Linear models of one label a text, for what a language model has to beat: logistic regression.

Guarantees: one label in the training rows is no error; labels that were never shown have
probability 0. Costs: the first call imports scikit-learn.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headtune.types import LabelSet

if TYPE_CHECKING:
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression

__all__ = ["constant_probabilities", "fit_linear", "linear_probabilities", "mean_log_loss"]

MAX_ITERATIONS = 1000  # of the solver; 20 to 100 are usual

Features: TypeAlias = Any
Ids = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float64]


def fit_linear(
    features: Features, ids: Ids, c: float, row_weights: Probabilities | None = None
) -> "LogisticRegression | DummyClassifier":
    """Logistic regression, or the one label that there is.

    Shapes: ``features`` ``(n, n_features)``, ``ids`` and ``row_weights`` ``(n,)``.
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(ids)) < 2:
        return DummyClassifier(strategy="prior").fit(features, ids)
    model = LogisticRegression(C=c, max_iter=MAX_ITERATIONS)
    return model.fit(features, ids, sample_weight=row_weights)


def linear_probabilities(
    model: "LogisticRegression | DummyClassifier", features: Features, labels: LabelSet
) -> Probabilities:
    """Shape ``(n, n_labels)``: the model's columns, put at the labels that it was shown."""
    probabilities = np.zeros((features.shape[0], len(labels)))
    probabilities[:, model.classes_] = model.predict_proba(features)
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # float32's rounding
    return probabilities


def constant_probabilities(
    train_ids: npt.ArrayLike, n: int, labels: LabelSet, row_weights: Probabilities | None = None
) -> Probabilities:
    """Shape ``(n, n_labels)``: the label frequencies of training, weighted, for each row."""
    counts = np.bincount(np.asarray(train_ids), weights=row_weights, minlength=len(labels))
    return np.tile(counts / counts.sum(), (n, 1))


def mean_log_loss(
    probabilities: Probabilities,
    ids: Ids,
    labels: LabelSet,
    row_weights: Probabilities | None = None,
) -> float:
    """Mean, weighted, of -log(probability of the true label), in nats."""
    from sklearn.metrics import log_loss

    every_label = np.arange(len(labels))
    return float(log_loss(ids, probabilities, labels=every_label, sample_weight=row_weights))
