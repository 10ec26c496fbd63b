"""The stages in order: prepared examples in, a fitted and measured classifier out.

    examples -> token ids, backbone and head, what is trained     loading.py
             -> frozen layers, once                               kept.py
             -> scores before                                     untrained.py
             -> training
             -> scores after, calibration, thresholds             finish.py

``TextClassifier`` runs it on lists of Python, ``train.py`` on a table. Nothing is written here but
checkpoints, in the folder it is given.
"""

from pathlib import Path

from headtune.options import RunConfig
from headtune.options.written import parse_weights
from headtune.progress import Progress, Stopwatch
from headtune.run.finish import finish
from headtune.run.fitted import Encoded, Fitted
from headtune.run.kept import keep_trunk
from headtune.run.loading import Loaded, load_classifier
from headtune.run.untrained import Untrained, look_before
from headtune.tasks import SINGLE_LABEL, Task
from headtune.training import BestInMemory, FitResult, Interruption, fit, one_fit
from headtune.types import PreparedData

__all__ = ["fit_classifier", "fit_loaded"]


def fit_classifier(
    prepared: PreparedData,
    config: RunConfig,
    *,
    folder: Path,
    progress: Progress,
    resume: bool = False,
    clock: Stopwatch | None = None,
    score_before: bool = True,
    interruption: Interruption | None = None,
    task: Task = SINGLE_LABEL,
) -> Fitted:
    """Run stages 2 to 5. In a process they run once at a time: other threads wait.

    Args:
        folder: For checkpoints.
        resume: Go on from the newest checkpoint there.
        clock: Goes on with the times of the stages that were before.
        score_before: Whether the untrained head is scored, too.
        interruption: Ends training early when the user asks for it.

    Raises:
        ModelError, TokenizationError, TrainingError, ConfigError: As the stages say.
    """
    clock = clock or Stopwatch(progress)
    with one_fit(progress):
        loaded = load_classifier(prepared, config, progress, clock, task)
        _say_what_is_trained(loaded, progress)
        kept = keep_trunk(loaded, progress, clock)
        encoded = loaded.encoded if kept is None else loaded.encoded.with_kept(kept.examples)
        untrained = Untrained()
        if score_before:
            with clock.stage("evaluate", "Scoring before training"):
                untrained = look_before(
                    loaded, encoded, prepared, progress, is_kept=kept is not None
                )
        with clock.stage("train", "Training"):
            result = fit_loaded(
                loaded,
                encoded,
                folder=folder,
                progress=progress,
                resume=resume,
                interruption=interruption,
            )
        return finish(loaded, encoded, prepared, result, untrained, kept, clock, progress)


def fit_loaded(
    loaded: Loaded,
    encoded: Encoded,
    *,
    folder: Path,
    progress: Progress,
    resume: bool = False,
    best: BestInMemory | None = None,
    interruption: Interruption | None = None,
) -> FitResult:
    """Train the model of ``loaded`` by its options on ``encoded``, its texts.

    ``best`` keeps the best weights in memory instead of in ``folder``. Raises ``TrainingError``.
    """
    config = loaded.config
    return fit(
        loaded.classifier,
        loaded.labels,
        encoded.parts["train"],
        encoded.parts["validation"],
        config.train,
        tune=config.tune.tune,
        balance=config.data.balance,
        label_weights=parse_weights("label_weight", config.data.label_weight),
        max_tokens_per_batch=config.machine.max_tokens_per_batch or 1,
        folder=folder,
        progress=progress,
        resume=resume,
        best=best,
        interruption=interruption,
        task=loaded.task,
    )


def _say_what_is_trained(loaded: Loaded, progress: Progress) -> None:
    parameters = loaded.parameters
    progress.say(
        f"Training {parameters.trainable:,} of {parameters.total:,} parameters "
        f"({parameters.share:.2%}), learning rate {loaded.config.train.learning_rate:g}."
    )
