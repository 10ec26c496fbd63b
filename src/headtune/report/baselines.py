"""What a classifier has to beat, measured on the same rows with the same functions.

An accuracy means little alone: 87 % is what "always ham" reaches on text messages. So a report
shows, beside the tuned model,

    majority        every text gets the label frequencies of the training part
    tfidf           counted words and logistic regression; see tfidf.py
    linear_probe    logistic regression on the states of the model as it came; see linear_probe.py

A baseline keeps its probabilities, so that it can be compared with the tuned model row by row.

Guarantees: the same data and seed give the same figures; the test part decides nothing.
Costs: what tfidf.py costs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from headtune.report.tfidf import fit_tfidf
from headtune.tasks.figures import HELD_BACK, BaselineFacts, BaselineFigures, HeldBack, Metrics
from headtune.tasks.metrics import classification_metrics
from headtune.types import Example, LabelSet, PreparedData, label_ids_of

__all__ = [
    "Baseline",
    "baseline_figures",
    "label_ids_of",
    "measure_baselines",
]

Ids = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline says of the rows of each part that has any, and facts about its making.

    ``probabilities`` are of shape ``(n, n_labels)``, rows in the order of the part.
    """

    probabilities: dict[str, Probabilities]
    facts: BaselineFacts = field(default_factory=BaselineFacts)


def measure_baselines(data: PreparedData, seed: int) -> dict[str, Baseline]:
    """``majority`` and ``tfidf`` on the parts that have rows.

    ``tfidf`` also has the ``C`` that was chosen and its ``train_rows``.
    """
    train_texts, train_ids = _texts(data.train), label_ids_of(data.train)
    parts = {name: data.parts[name] for name in HELD_BACK if data.parts[name]}
    tfidf = fit_tfidf(
        train_texts,
        train_ids,
        _texts(data.validation),
        label_ids_of(data.validation),
        data.labels,
        seed,
    )
    return {
        "majority": Baseline(
            {name: _frequencies(train_ids, len(part), data.labels) for name, part in parts.items()}
        ),
        "tfidf": Baseline(
            {name: tfidf.predict_proba(_texts(part)) for name, part in parts.items()},
            {"C": tfidf.c, "train_rows": tfidf.train_rows},
        ),
    }


def baseline_figures(
    baselines: Mapping[str, Baseline], data: PreparedData
) -> dict[str, BaselineFigures]:
    """The metrics of each baseline by part, None for parts without rows, and its facts."""
    return {
        name: {
            "validation": _metrics(baseline, data, "validation"),
            "test": _metrics(baseline, data, "test"),
            **baseline.facts,
        }
        for name, baseline in baselines.items()
    }


def _metrics(baseline: Baseline, data: PreparedData, part: HeldBack) -> Metrics | None:
    if part not in baseline.probabilities:
        return None
    ids = label_ids_of(data.parts[part])
    return classification_metrics(baseline.probabilities[part], ids, data.labels)


def _frequencies(train_label_ids: Sequence[int] | Ids, n: int, labels: LabelSet) -> Probabilities:
    """Shape ``(n, n_labels)``: the label frequencies of training, for each row."""
    counts = np.bincount(np.asarray(train_label_ids), minlength=len(labels))  # (n_labels,)
    return np.tile(counts / counts.sum(), (n, 1))


def _texts(examples: Sequence[Example]) -> list[str]:
    return [example.text for example in examples]
