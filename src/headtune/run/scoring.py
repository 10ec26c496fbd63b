"""How a classifier does on the parts that were held back: logits, figures, a row of the history."""

from typing import cast

from headtune.model import SequenceClassifier, predict_logits, predict_together
from headtune.options import RunConfig
from headtune.progress import Progress
from headtune.run.fitted import Encoded, Logits
from headtune.tasks import SINGLE_LABEL, Task
from headtune.tasks.figures import HELD_BACK, Metrics, PartMetrics
from headtune.types import HistoryRow, PreparedData, known_label, row_weights

__all__ = ["answer", "evaluation_at_start", "figures"]


def answer(
    classifier: SequenceClassifier, encoded: Encoded, config: RunConfig, progress: Progress
) -> dict[str, Logits]:
    """Logits of validation and test, part -> ``(n, n_labels)``; empty parts are left out."""
    parts = {name: encoded.parts[name] for name in ("validation", "test") if encoded.parts[name]}
    n_tokens = sum(len(example) for part in parts.values() for example in part)
    progress.start(sum(len(part) for part in parts.values()), "examples", n_tokens)
    budget = config.machine.max_tokens_per_batch or 1
    logits = {
        name: predict_together(predict_logits, classifier, examples, budget, progress)
        for name, examples in parts.items()
    }
    progress.finish()
    return logits


def figures(
    logits: dict[str, Logits],
    prepared: PreparedData,
    temperature: float = 1.0,
    *,
    task: Task = SINGLE_LABEL,
) -> PartMetrics:
    """Metrics of validation and test; None for a part without rows."""
    return {
        name: task.metrics(
            task.probabilities(logits[name], temperature),
            task.targets(map(known_label, prepared.parts[name])),
            prepared.labels,
            row_weights(prepared.parts[name]),
        )
        if name in logits
        else None
        for name in HELD_BACK
    }


def evaluation_at_start(metrics: Metrics, task: Task = SINGLE_LABEL) -> HistoryRow:
    """The row of ``history.jsonl`` for the untrained head."""
    figures = {f"validation_{name}": value for name, value in task.evaluation(metrics).items()}
    return cast(HistoryRow, {"step": 0, "epoch": 0.0, **figures})
