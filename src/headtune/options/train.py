"""Options of training: how long, how fast and how carefully."""

from dataclasses import dataclass
from typing import Literal

from headtune.errors import ConfigError, option
from headtune.options.ranges import check_above_zero, check_at_least, check_seed

__all__ = ["EvaluationMetric", "LearningRateSchedule", "Loss", "TrainConfig"]

LearningRateSchedule = Literal["linear", "cosine", "constant"]
EvaluationMetric = Literal["loss", "accuracy", "macro_f1"]
Loss = Literal["cross-entropy", "focal"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long, how fast and how carefully the trainable parameters are fitted."""

    epochs: float = 3.0
    """Passes over the training part."""

    max_steps: int | None = None
    """Optimizer steps to take, instead of epochs."""

    batch_size: int = 16
    """Examples per optimizer step, whatever the packing and the number of devices."""

    learning_rate: float | None = None
    """Peak learning rate. By default 3e-4 for head, last-N and lora, 2e-5 for full."""

    schedule: LearningRateSchedule = "linear"
    """What the learning rate does after warm-up: falls to zero (linear, cosine) or stays."""

    warmup: float = 0.05
    """Warm-up: a share of all steps when below 1, else a number of steps."""

    loss: Loss = "cross-entropy"
    """What training makes small. "focal" counts texts little that are answered well already, for
    rare labels."""

    focal_gamma: float = 2.0
    """How little: a text answered with probability p counts (1 - p) to this power."""

    label_smoothing: float = 0.0
    """Share of each text's label that is spread over all labels, so that training does not strive
    for certainty: 0.1 where labels are noisy."""

    weight_decay: float = 0.01
    """Decay of AdamW on weight matrices (not on norms and biases)."""

    max_gradient_norm: float = 1.0
    """Gradients are scaled down to this norm. 0 leaves them alone."""

    gradient_accumulation_steps: int = 1
    """Least number of micro-batches that a step's examples are divided into. Memory falls; the
    result stays, since batch_size still counts examples per step."""

    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a third more time."""

    evaluations_per_epoch: int = 1
    """How often the validation part is scored while training."""

    early_stopping: int = 0
    """Stop after this many evaluations without a better validation metric. 0: never."""

    best_metric: EvaluationMetric = "loss"
    """The validation metric that picks the weights that are kept."""

    keep_best: bool = True
    """At the end, go back to the weights of the best evaluation. Needs a validation part."""

    log_steps: int = 10
    """Optimizer steps between two logged losses."""

    checkpoint_minutes: float = 5.0
    """Minutes between two checkpoints to resume from, besides those at evaluations."""

    report_to: tuple[str, ...] = ()
    """Experiment trackers by transformers' names: tensorboard, wandb, mlflow, …"""

    seed: int = 42
    """Seed of the new head's weights, of the order of examples and of dropout."""

    def __post_init__(self) -> None:
        counts = ("batch_size", "gradient_accumulation_steps", "log_steps", "evaluations_per_epoch")
        check_at_least(self, 1, *counts, "max_steps")
        check_at_least(self, 0, "early_stopping", "warmup", "weight_decay", "max_gradient_norm")
        check_at_least(self, 0, "checkpoint_minutes")
        check_above_zero(self, "epochs", "learning_rate")
        check_seed(self, "seed")
        check_at_least(self, 0, "focal_gamma")
        self._check_loss()
        if self.early_stopping and not self.keep_best:
            raise ConfigError(
                f"{option('early_stopping')} goes back to the best weights.",
                option="keep_best",
                way_out=f"Leave out {option('keep_best', False)}.",
            )

    def _check_loss(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ConfigError(
                f"{option('label_smoothing')} must be at least 0 and below 1; received "
                f"{self.label_smoothing}.",
                option="label_smoothing",
            )
        if self.label_smoothing and self.loss == "focal":
            raise ConfigError(
                f"{option('label_smoothing')} and {option('loss', 'focal')} pull the loss of sure "
                "answers in opposite ways.",
                option="label_smoothing",
                way_out="Keep one of them.",
            )
