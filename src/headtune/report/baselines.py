"""What a classifier has to beat, measured on the same rows with the same functions.

An accuracy means little alone: 87 % is what "always ham" reaches on text messages. So a report
shows, beside the tuned model,

    majority                     every text gets the label frequencies of the training part
    tfidf_logistic_regression    counted words and a linear model; see tfidf.py

Guarantees: the same data and seed give the same figures; the test part decides nothing.
Costs: what tfidf.py costs, a few seconds for some thousand rows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headtune.errors import PredictionError
from headtune.metrics import Metrics, classification_metrics
from headtune.report.tfidf import fit_tfidf
from headtune.types import Example, LabelSet, PreparedData

__all__ = ["majority_baseline", "measure_baselines", "tfidf_baseline"]

Ids = npt.NDArray[np.int64]


def majority_baseline(
    train_label_ids: Sequence[int] | Ids, test_label_ids: Sequence[int] | Ids, labels: LabelSet
) -> Metrics:
    """Figures of giving every test row the label frequencies of the training part."""
    if len(train_label_ids) == 0:
        raise PredictionError("A baseline needs at least one training row; received none.")
    counts = np.bincount(np.asarray(train_label_ids), minlength=len(labels))  # (n_labels,)
    probabilities = np.tile(counts / counts.sum(), (len(test_label_ids), 1))
    return classification_metrics(probabilities, test_label_ids, labels)


def tfidf_baseline(
    train_texts: Sequence[str],
    train_label_ids: Sequence[int] | Ids,
    validation_texts: Sequence[str],
    validation_label_ids: Sequence[int] | Ids,
    test_texts: Sequence[str],
    test_label_ids: Sequence[int] | Ids,
    labels: LabelSet,
    seed: int,
) -> Metrics:
    """Figures of TF-IDF with logistic regression on the test texts."""
    fitted = fit_tfidf(
        train_texts, train_label_ids, validation_texts, validation_label_ids, labels, seed
    )
    return fitted.evaluate(test_texts, test_label_ids)


def measure_baselines(data: PreparedData, seed: int) -> dict[str, dict[str, Any]]:
    """Both baselines on validation and test, as ``report.json`` shows them; None for empty parts.

    ``tfidf_logistic_regression`` also has the ``C`` that was chosen and its ``train_rows``.
    """
    train_texts, train_ids = _texts_and_ids(data.train)
    held_back = {name: _texts_and_ids(part) for name, part in data.parts.items() if name != "train"}
    tfidf = fit_tfidf(train_texts, train_ids, *held_back["validation"], data.labels, seed)
    return {
        "majority": {
            name: majority_baseline(train_ids, ids, data.labels) if texts else None
            for name, (texts, ids) in held_back.items()
        },
        "tfidf_logistic_regression": {
            **{
                name: tfidf.evaluate(texts, ids) if texts else None
                for name, (texts, ids) in held_back.items()
            },
            "C": tfidf.c,
            "train_rows": tfidf.train_rows,
        },
    }


def _texts_and_ids(examples: Sequence[Example]) -> tuple[list[str], list[int]]:
    labelled = [(example.text, example.label) for example in examples if example.label is not None]
    return [text for text, _ in labelled], [label for _, label in labelled]
