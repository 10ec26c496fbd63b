"""A labelled table to test a classifier on: its answers, and how good they are.

The table is read as one, since its figures are of all rows; rows that cannot be used are counted,
and said. Costs: as the model.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import numpy.typing as npt

from headtune.data import labelled_examples, set_aside_sentence
from headtune.options import DataConfig
from headtune.predict.predictor import Predictor
from headtune.progress import Progress, SilentProgress
from headtune.tasks.figures import FileMetrics
from headtune.types import Example, SetAsideRow, known_label

__all__ = ["answer_file", "evaluate_file", "evaluate_in_int8"]


def evaluate_file(
    predictor: Predictor,
    source: object,
    *,
    data: DataConfig | None = None,
    progress: Progress | None = None,
) -> FileMetrics:
    """Metrics of a classifier on a labelled table (keys: ``metrics`` of its task).

    ``set_aside`` counts the rows that could not be used; ``answers`` says how the answers do where
    thresholds or "unsure" make them differ from the most probable label, ``sets`` how sets of
    labels do where the run has them. Raises ``DataError``.
    """
    examples, set_aside, probabilities = answer_file(predictor, source, data, progress)
    task, rule, labels = predictor.task, predictor.rule, predictor.labels
    targets = task.targets(map(known_label, examples))
    metrics = cast(FileMetrics, task.metrics(probabilities, targets, labels))
    if not rule.is_plain:
        metrics["answers"] = task.answer_metrics(rule, probabilities, targets, labels)
    if predictor.set_rule is not None:
        encoded = predictor.encode([example.text for example in examples])
        sets = predictor.sets(probabilities, encoded)
        metrics["sets"] = task.set_figures(predictor.set_rule, sets, targets, labels)
    return {**metrics, "set_aside": len(set_aside)}


def answer_file(
    predictor: Predictor,
    source: object,
    data: DataConfig | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[Example, ...], tuple[SetAsideRow, ...], npt.NDArray[np.float64]]:
    """The usable rows of a labelled table, the others, and probabilities ``(n, n_labels)``."""
    data, progress = predictor.reading(data or DataConfig()), progress or SilentProgress()
    progress.stage("Reading")
    examples, set_aside = labelled_examples(
        source, data, predictor.labels, predictor.text_column, predictor.label_column
    )
    if set_aside:
        progress.say(set_aside_sentence(len(set_aside), set_aside[0]))
    progress.stage("Classifying")
    progress.start(len(examples), "examples")
    texts = [example.text for example in examples]
    probabilities = predictor.probabilities(predictor.encode(texts), progress)
    progress.finish()
    return examples, set_aside, probabilities


def evaluate_in_int8(
    predictor: Predictor,
    source: object,
    *,
    data: DataConfig | None = None,
    progress: Progress | None = None,
) -> FileMetrics:
    """``evaluate_file`` in 8-bit integers, and what they cost: the table is classified twice.

    The metrics are those of int8, with ``plain``, the metrics without it. The classifier is
    quantized in place. Raises ``ModelError`` where that cannot be done.
    """
    progress = progress or SilentProgress()
    found = [
        evaluate_file(each, source, data=data, progress=progress)
        for each in _plain_and_quantized(predictor, progress)
    ]
    plain, quantized = found
    progress.say(
        f"Accuracy {plain['accuracy']:.2%} without int8, {quantized['accuracy']:.2%} with it, on "
        f"{quantized['n']:,} rows."
    )
    return {**quantized, "plain": plain}


def _plain_and_quantized(predictor: Predictor, progress: Progress) -> Iterator[Predictor]:
    yield predictor
    quantized = predictor.in_int8()
    progress.say(quantized.note)
    yield quantized
