"""The stages in order: prepared examples in, a fitted and measured classifier out.

    examples -> token ids -> backbone and head -> what is trained -> frozen layers, once
             -> scores before -> training -> scores after

``TextClassifier`` runs it on lists of Python, ``train.py`` on a table. Nothing is written here but
checkpoints, in the folder it is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from headtune.model import (
    FrozenTrunk,
    Keeper,
    KeptTexts,
    SequenceClassifier,
    attach_trunk,
    open_store,
    predict_logits,
    predict_together,
)
from headtune.options import RunConfig
from headtune.progress import Progress, Stopwatch
from headtune.report.frozen_states import FrozenStates
from headtune.run.fitted import Encoded, Fitted, Logits
from headtune.run.loading import Loaded, load_classifier
from headtune.run.untrained import head_logits, observe_states
from headtune.tasks import SINGLE_LABEL, Task
from headtune.tasks.figures import HELD_BACK, Metrics, PartMetrics
from headtune.tasks.settle import settle
from headtune.training import count_steps, fit
from headtune.types import HistoryRow, PreparedData, TokenizedExample, known_label

__all__ = [
    "Untrained",
    "answer",
    "evaluation_at_start",
    "figures",
    "fit_classifier",
    "keep_texts",
    "look_before",
    "say_kept",
]


@dataclass(frozen=True, slots=True)
class Untrained:
    """The model before tuning: its states, and how the head answers from them."""

    states: FrozenStates | None = None
    logits: dict[str, Logits] = field(default_factory=dict)
    metrics: PartMetrics = field(default_factory=dict)


def fit_classifier(
    prepared: PreparedData,
    config: RunConfig,
    *,
    folder: Path,
    progress: Progress,
    resume: bool = False,
    clock: Stopwatch | None = None,
    score_before: bool = True,
    task: Task = SINGLE_LABEL,
) -> Fitted:
    """Run stages 2 to 5.

    Args:
        folder: For checkpoints.
        resume: Go on from the newest checkpoint there.
        clock: Goes on with the times of the stages that were before.
        score_before: Whether the untrained head is scored, too.

    Raises:
        ModelError, TokenizationError, TrainingError, ConfigError: As the stages say.
    """
    clock = clock or Stopwatch(progress)
    loaded = load_classifier(prepared, config, progress, clock, task)
    encoded, classifier = loaded.encoded, loaded.classifier
    config, parameters = loaded.config, loaded.parameters
    progress.say(
        f"Training {parameters.trainable:,} of {parameters.total:,} parameters "
        f"({parameters.share:.2%}), learning rate {config.train.learning_rate:g}."
    )
    kept = _keep_trunk(loaded, progress, clock)
    if kept is not None:
        encoded = encoded.with_kept(kept.examples)
    with clock.stage("evaluate", "Scoring before training"):
        untrained = (
            look_before(
                classifier, encoded, config, prepared, progress, is_kept=kept is not None, task=task
            )
            if score_before
            else Untrained()
        )
    with clock.stage("train", "Training"):
        result = fit(
            classifier,
            prepared.labels,
            encoded.parts["train"],
            encoded.parts["validation"],
            config.train,
            tune=config.tune.tune,
            balance=config.data.balance,
            max_tokens_per_batch=config.machine.max_tokens_per_batch or 1,
            folder=folder,
            progress=progress,
            resume=resume,
            task=task,
        )
    classifier.eval()
    if validation := untrained.metrics.get("validation"):
        result = replace(result, history=[evaluation_at_start(validation, task), *result.history])
    with clock.stage("evaluate", "Scoring after training"):
        logits = answer(classifier, encoded, config, progress)
        settled = settle(
            logits.get("validation"),
            task.targets(map(known_label, prepared.validation)),
            prepared.labels,
            config,
            task,
        )
        after = figures(logits, prepared, settled.temperature, task=task)
    return Fitted(
        config=config,
        labels=prepared.labels,
        encoded=encoded,
        compute=loaded.compute,
        classifier=classifier,
        parameters=parameters,
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


def look_before(
    classifier: SequenceClassifier,
    encoded: Encoded,
    config: RunConfig,
    prepared: PreparedData,
    progress: Progress,
    *,
    is_kept: bool,
    task: Task = SINGLE_LABEL,
) -> Untrained:
    """The model before tuning: one pass over what can be afforded; see ``untrained.py``."""
    states = observe_states(
        classifier,
        encoded,
        progress,
        budget=config.machine.max_tokens_per_batch or 1,
        n_trained=count_steps(config.train, len(prepared.train)) * config.train.batch_size,
        is_kept=is_kept,
        with_train=config.report.linear_probe or config.report.suspect_labels,
        seed=config.train.seed,
    )
    logits = head_logits(classifier, states)
    return Untrained(states, logits, figures(logits, prepared, task=task))


def evaluation_at_start(metrics: Metrics, task: Task = SINGLE_LABEL) -> HistoryRow:
    """The row of ``history.jsonl`` for the untrained head."""
    figures = {f"validation_{name}": value for name, value in task.evaluation(metrics).items()}
    return cast(HistoryRow, {"step": 0, "epoch": 0.0, **figures})


def _keep_trunk(loaded: Loaded, progress: Progress, clock: Stopwatch) -> KeptTexts | None:
    """All examples with the output of the frozen layers, where it pays and fits; else None."""
    config, encoded = loaded.config, loaded.encoded
    n_train = len(encoded.parts["train"])
    steps = count_steps(config.train, n_train)
    sees_all = steps * config.train.batch_size >= n_train
    if not sees_all or config.train.gradient_checkpointing:  # which runs blocks again, unhooked
        return None
    trunk = attach_trunk(loaded.classifier, config.tune)
    if trunk is None:
        return None
    with clock.stage("trunk", "Running the frozen layers, once"):
        kept = keep_texts(trunk, loaded, encoded.examples, progress)
        say_kept(kept, progress)
    return kept


def keep_texts(
    trunk: FrozenTrunk,
    loaded: Loaded,
    examples: Sequence[TokenizedExample],
    progress: Progress,
) -> KeptTexts | None:
    """The examples with what ``trunk`` makes of them, from the cache or run now; see ``Keeper``."""
    config = loaded.config
    store = open_store(
        trunk,
        loaded.encoded.folder,
        config.model,
        config.machine,
        loaded.compute,
        config.train.seed,
        progress.say,
    )
    kept = Keeper(
        trunk,
        config.machine.max_tokens_per_batch or 1,
        store,
        on_start=lambda n_texts, n_tokens: progress.start(n_texts, "examples", n_tokens),
        on_batch=progress.advance,
    ).keep(examples)
    progress.finish()
    return kept


def say_kept(kept: KeptTexts | None, progress: Progress) -> None:
    """Of how many texts an earlier run has kept what frozen layers gave."""
    if kept is None:
        progress.say(
            "Their output fits neither into memory nor on the disk, so they run again in every "
            "epoch: same result, more work."
        )
        return
    found = []
    if kept.n_reused:
        found.append(f"{kept.n_reused:,} texts went through them in an earlier run")
    if kept.n_begun:
        found.append(f"{kept.n_begun:,} texts went part of the way in an earlier run")
    if found:
        progress.say(f"{'; '.join(found)}; {kept.n_run - kept.n_begun:,} are new.")


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
        )
        if name in logits
        else None
        for name in HELD_BACK
    }
