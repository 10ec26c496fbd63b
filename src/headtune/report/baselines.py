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

from headtune.report.tfidf import fit_tfidf
from headtune.tasks import SINGLE_LABEL, Task
from headtune.tasks.figures import HELD_BACK, BaselineFacts, BaselineFigures, HeldBack, Metrics
from headtune.tasks.task import Probabilities, Targets
from headtune.types import Example, PreparedData, known_label, row_weights

__all__ = [
    "Baseline",
    "baseline_figures",
    "measure_baselines",
]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline says of the rows of each part that has any, and facts about its making.

    ``probabilities`` are of shape ``(n, n_labels)``, rows in the order of the part.
    """

    probabilities: dict[str, Probabilities]
    facts: BaselineFacts = field(default_factory=BaselineFacts)


def measure_baselines(
    data: PreparedData, seed: int, task: Task = SINGLE_LABEL
) -> dict[str, Baseline]:
    """``majority`` and ``tfidf`` on the parts that have rows.

    ``tfidf`` also has the ``C`` that was chosen and its ``train_rows``.
    """
    train_texts, train_targets = _texts(data.train), _targets(data.train, task)
    parts = {name: data.parts[name] for name in HELD_BACK if data.parts[name]}
    tfidf = fit_tfidf(
        train_texts,
        train_targets,
        _texts(data.validation),
        _targets(data.validation, task),
        data.labels,
        seed,
        task,
        row_weights(data.train),
        row_weights(data.validation),
    )
    return {
        "majority": Baseline(
            {
                name: task.constant(train_targets, len(part), data.labels, row_weights(data.train))
                for name, part in parts.items()
            }
        ),
        "tfidf": Baseline(
            {name: tfidf.predict_proba(_texts(part)) for name, part in parts.items()},
            {"C": tfidf.c, "train_rows": tfidf.train_rows},
        ),
    }


def baseline_figures(
    baselines: Mapping[str, Baseline], data: PreparedData, task: Task = SINGLE_LABEL
) -> dict[str, BaselineFigures]:
    """The metrics of each baseline by part, None for parts without rows, and its facts."""
    return {
        name: {
            "validation": _metrics(baseline, data, "validation", task),
            "test": _metrics(baseline, data, "test", task),
            **baseline.facts,
        }
        for name, baseline in baselines.items()
    }


def _metrics(baseline: Baseline, data: PreparedData, part: HeldBack, task: Task) -> Metrics | None:
    if part not in baseline.probabilities:
        return None
    targets = _targets(data.parts[part], task)
    weights = row_weights(data.parts[part])
    return task.metrics(baseline.probabilities[part], targets, data.labels, weights)


def _targets(examples: Sequence[Example], task: Task) -> Targets:
    return task.targets(map(known_label, examples))


def _texts(examples: Sequence[Example]) -> list[str]:
    return [example.text for example in examples]
