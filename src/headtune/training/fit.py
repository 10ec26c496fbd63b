"""Options to a fitted model: sets the Trainer up, runs it, and tells what happened."""

import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import EarlyStoppingCallback, PreTrainedModel, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from headtune.batches import StepCollator
from headtune.errors import (
    ConfigError,
    HeadtuneError,
    MissingDependencyError,
    TrainingError,
    option,
)
from headtune.model import SequenceClassifier, load_trained_state
from headtune.options import Balance, TrainConfig
from headtune.options.written import parse_tune
from headtune.processes import broadcast, is_main
from headtune.progress import Progress
from headtune.quiet import quiet_transformers
from headtune.tasks import SINGLE_LABEL, Task
from headtune.training.best import BestInMemory
from headtune.training.callbacks import CheckpointByClock, EvaluateAtEnd, history_rows
from headtune.training.interruption import Interruption
from headtune.training.one_fit import one_fit
from headtune.training.trainer import PackedTrainer
from headtune.types import HistoryRow, LabelSet, TokenizedExample, known_label, row_weights

__all__ = ["FitResult", "check_options", "count_steps", "fit", "resolve_learning_rate"]

NO_WEIGHTS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FitResult:
    """What training did.

    ``history`` holds the rows of ``history.jsonl``; ``best_step`` is the step whose weights the
    model has now; ``max_tokens_per_batch`` the budget in force at the end. Examples and tokens
    do not count what a resumed run had done before.
    """

    history: list[HistoryRow]
    n_steps: int
    best_step: int
    max_tokens_per_batch: int
    n_examples: int
    n_tokens: int


def resolve_learning_rate(options: TrainConfig, tune: str) -> float:
    """The peak learning rate: as given, else by what is tuned."""
    if options.learning_rate is not None:
        return options.learning_rate
    return 2e-5 if parse_tune(tune)[0] == "full" else 3e-4


def count_steps(options: TrainConfig, n_examples: int) -> int:
    """Optimizer steps that training will take."""
    if options.max_steps is not None:
        return options.max_steps
    return math.ceil(options.epochs * math.ceil(n_examples / options.batch_size))


def fit(
    classifier: SequenceClassifier,
    labels: LabelSet,
    train: Sequence[TokenizedExample],
    validation: Sequence[TokenizedExample],
    options: TrainConfig,
    *,
    tune: str,
    balance: Balance,
    max_tokens_per_batch: int,
    folder: Path,
    progress: Progress,
    resume: bool = False,
    best: BestInMemory | None = None,
    interruption: Interruption | None = None,
    task: Task = SINGLE_LABEL,
    label_weights: Mapping[str, float] = NO_WEIGHTS,
) -> FitResult:
    """Train ``classifier`` in place, while no other thread of the process trains.

    Args:
        train: Training examples, all with labels.
        validation: May be empty; then nothing is scored while training, and the last weights
            are kept.
        balance: "weights" weighs the loss by inverse label frequency.
        folder: Where checkpoints are written.
        resume: Go on from the newest whole checkpoint in ``folder``, if there is one.
        best: Keeps the best weights instead of checkpoints, and may end the run; for a run of
            seconds with a validation part.
        interruption: Ends training early when the user asks for it.
        task: What an answer is, and so the loss.
        label_weights: Of labels in the loss, by name; those not named weigh 1. Without any,
            ``balance`` decides.

    Raises:
        NonFiniteLossError: The loss became infinite or not-a-number.
        TrainingError: A single text does not fit into memory.
        ConfigError: Early stopping without a validation part, a tracker that is not there, or a
            best metric that the task does not have.
    """
    task = task.with_loss(
        options.loss, focal_gamma=options.focal_gamma, label_smoothing=options.label_smoothing
    )
    with one_fit(progress):
        arguments = _arguments(
            options,
            tune,
            len(train),
            bool(validation),
            classifier,
            folder,
            higher_is_better=task.best_metric(options.best_metric).higher_is_better,
            checkpoints=best is None,
        )
        if options.gradient_checkpointing:
            classifier.prunes_last_block = False
            _recompute_activations(classifier.backbone)
        trainer = PackedTrainer(
            classifier,
            arguments,
            task=task,
            labels=labels,
            train_examples=train,
            validation_examples=validation,
            collator=StepCollator(max_tokens_per_batch, options.gradient_accumulation_steps),
            loss_weights=_weights(task, train, labels, balance, label_weights),
            progress=progress,
            callbacks=_callbacks(options, bool(validation), best, interruption),
        )
        checkpoint = broadcast(_last_whole_checkpoint(folder) if resume and is_main() else None)
        n_done = int(checkpoint.name.partition("-")[2]) if checkpoint else 0
        if resume:
            progress.say(f"Resuming from {f'step {n_done}' if n_done else 'the beginning'}.")
        n_left = _n_examples(trainer, options, len(train)) - n_done * options.batch_size
        progress.start(max(0, n_left), "examples")
        with quiet_transformers(), _writing_to(folder):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        trainer.accelerator.wait_for_everyone()  # checkpoints are read at the end
        progress.finish()
        state = trainer.state
        if best is not None and options.keep_best:
            load_trained_state(classifier, best.state)
            state.best_global_step = best.step
        return FitResult(
            history=history_rows(state.log_history),
            n_steps=state.global_step,
            best_step=(bool(validation) and options.keep_best and state.best_global_step)
            or state.global_step,
            max_tokens_per_batch=trainer.collator.max_tokens_per_batch,
            n_examples=trainer.n_examples_seen,
            n_tokens=trainer.n_tokens_seen,
        )


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """A full disk in one line; safetensors and torch have errors of their own for it."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        if isinstance(error, HeadtuneError) or not _could_not_write(error):
            raise
        raise TrainingError(
            f"A checkpoint cannot be written to {folder} ({' '.join(str(error).split())[:120]}).",
            option="out",
            way_out=f"Make room there, or choose another place with {option('out')}; "
            f"{option('resume', True)} goes on from the last whole checkpoint.",
        ) from error


def _could_not_write(error: Exception) -> bool:
    return isinstance(error, OSError | SafetensorError) or "inline_container" in str(error)


def _arguments(
    options: TrainConfig,
    tune: str,
    n_train: int,
    validates: bool,
    classifier: SequenceClassifier,
    folder: Path,
    *,
    higher_is_better: bool,
    checkpoints: bool,
) -> TrainingArguments:
    check_options(options, validates=validates)
    steps_per_epoch = math.ceil(n_train / options.batch_size)
    keeps_best = validates and options.keep_best and checkpoints
    when = {
        "strategy": "steps" if validates else "no",
        "steps": math.ceil(steps_per_epoch / options.evaluations_per_epoch),
    }
    if "tensorboard" in options.report_to:
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(folder.parent / "tensorboard"))
    try:
        arguments = TrainingArguments(
            output_dir=str(folder),
            num_train_epochs=options.epochs,
            max_steps=options.max_steps or -1,
            learning_rate=resolve_learning_rate(options, tune),
            lr_scheduler_type=options.schedule,
            warmup_steps=options.warmup,
            weight_decay=options.weight_decay,
            max_grad_norm=options.max_gradient_norm,
            eval_strategy=when["strategy"],
            eval_steps=when["steps"],
            save_strategy=when["strategy"] if checkpoints else "no",
            save_steps=when["steps"],
            save_total_limit=2,
            restore_callback_states_from_checkpoint=True,  # early stopping goes on counting
            load_best_model_at_end=keeps_best,
            metric_for_best_model=f"eval_{options.best_metric}" if validates else None,
            greater_is_better=higher_is_better,
            logging_steps=options.log_steps,
            logging_first_step=True,
            logging_nan_inf_filter=False,  # the trainer stops at such a loss itself
            disable_tqdm=True,
            report_to=list(options.report_to) or "none",
            seed=options.seed,
            per_device_train_batch_size=options.batch_size,  # each process draws whole steps
            ddp_find_unused_parameters=False,
            ddp_broadcast_buffers=False,
            use_cpu=classifier.device.type == "cpu",
            dataloader_pin_memory=False,  # a step's examples become tensors in the trainer
            remove_unused_columns=False,
        )
    except (ValueError, ImportError) as error:
        raise ConfigError(" ".join(str(error).split())) from error
    arguments._n_gpu = min(1, arguments.n_gpu)  # several GPUs: torchrun or device_map, never DP
    return arguments


def check_options(options: TrainConfig, *, validates: bool) -> None:
    """Raises what ``fit`` would raise of its options; ``validates``: there is a validation part."""
    if options.early_stopping and not validates:
        raise ConfigError(
            f"{option('early_stopping')} needs a validation part; see {option('split')}.",
            option="early_stopping",
        )
    _check_trackers(options.report_to)


def _check_trackers(names: tuple[str, ...]) -> None:
    if not names:
        return
    from transformers.integrations import get_available_reporting_integrations
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    for name in names:
        if name not in INTEGRATION_TO_CALLBACK:
            raise ConfigError(
                f"{option('report_to', name)}: no such tracker.",
                option="report_to",
                way_out=f"There are: {', '.join(sorted(INTEGRATION_TO_CALLBACK))}.",
            )
        if name not in get_available_reporting_integrations():
            raise MissingDependencyError(
                f"{option('report_to', name)} needs a package that is not installed:",
                option="report_to",
                way_out=f"pip install {name}",
            )


def _recompute_activations(backbone: PreTrainedModel) -> None:
    """Under the name that this version of transformers has for it."""
    enable = getattr(backbone, "activation_checkpointing_enable", None)
    (enable or backbone.gradient_checkpointing_enable)({"use_reentrant": False})


def _callbacks(
    options: TrainConfig,
    validates: bool,
    best: BestInMemory | None,
    interruption: Interruption | None,
) -> list[Any]:
    if best is not None:
        return [EvaluateAtEnd(), best]
    callbacks: list[Any] = [CheckpointByClock(options.checkpoint_minutes)]
    if interruption is not None:
        callbacks.append(interruption)
    if validates:
        callbacks.append(EvaluateAtEnd())
    if options.early_stopping and validates:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=options.early_stopping))
    return callbacks


def _weights(
    task: Task,
    train: Sequence[TokenizedExample],
    labels: LabelSet,
    balance: Balance,
    label_weights: Mapping[str, float],
) -> torch.Tensor | None:
    """Of labels in the loss, ``(n_labels,)``; None where all weigh the same."""
    if label_weights:
        return torch.tensor([label_weights.get(name, 1.0) for name in labels.names])
    if balance != "weights":
        return None
    targets = task.targets(map(known_label, train))
    return torch.from_numpy(task.loss_weights(targets, labels, row_weights(train))).float()


def _n_examples(trainer: PackedTrainer, options: TrainConfig, n_train: int) -> int:
    """Examples that all steps together will see."""
    if options.max_steps is None:
        return round(options.epochs * n_train)
    return options.max_steps * options.batch_size


def _last_whole_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end: its state file is the last one.

    What a kill left of newer ones is removed.
    """
    if not folder.is_dir():
        return None
    newest = get_last_checkpoint(str(folder))
    while newest is not None and not _is_whole(Path(newest)):
        shutil.rmtree(newest)
        newest = get_last_checkpoint(str(folder))
    return None if newest is None else Path(newest)


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / "trainer_state.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return True
