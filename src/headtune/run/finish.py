"""A trained model to a fitted classifier: scored, calibrated, its thresholds settled.

One way for a run and for the winner of a sweep.
"""

from dataclasses import replace

from headtune.model import KeptTexts
from headtune.progress import Progress, Stopwatch
from headtune.run.fitted import Encoded, Fitted
from headtune.run.loading import Loaded
from headtune.run.scoring import answer, evaluation_at_start, figures
from headtune.run.untrained import Untrained
from headtune.tasks.conformal import chances_of
from headtune.tasks.settle import settle
from headtune.training import FitResult
from headtune.types import PreparedData, known_label, row_weights

__all__ = ["finish"]


def finish(
    loaded: Loaded,
    encoded: Encoded,
    prepared: PreparedData,
    result: FitResult,
    untrained: Untrained,
    kept: KeptTexts | None,
    clock: Stopwatch,
    progress: Progress,
) -> Fitted:
    """Score validation and test, and settle on validation what an answer is.

    ``loaded`` has the options and the model that were trained, ``encoded`` its texts, with what
    frozen layers gave where that is kept. The time of scoring is added to ``clock``, whose seconds
    go on counting in what is returned.
    """
    config, task = loaded.config, loaded.task
    loaded.classifier.eval()
    if validation := untrained.metrics.get("validation"):
        start = evaluation_at_start(validation, task)
        result = replace(result, history=[start, *result.history])
    with clock.stage("evaluate", "Scoring after training"):
        logits = answer(loaded.classifier, encoded, config, progress)
        targets = task.targets(map(known_label, prepared.validation))
        weights = row_weights(prepared.validation)
        chances = chances_of(encoded.parts["validation"])
        settled = settle(
            logits.get("validation"), targets, prepared.labels, config, task, weights, chances
        )
        after = figures(logits, prepared, settled.temperature, task=task)
    return Fitted(
        config=config,
        labels=prepared.labels,
        encoded=encoded,
        compute=loaded.compute,
        classifier=loaded.classifier,
        parameters=loaded.parameters,
        result=result,
        before=untrained.metrics,
        after=after,
        seconds=clock.seconds,
        logits_before=untrained.logits,
        logits=logits,
        settled=settled,
        frozen=untrained.states,
        kept=kept,
        task=task,
    )
