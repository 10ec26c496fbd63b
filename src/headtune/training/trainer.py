"""transformers' Trainer, taught packed steps.

Loop, schedules, checkpoints, devices, DDP and trackers are transformers' (and accelerate's)
business. What this subclass says differently:

- A step is ``batch_size`` examples, drawn by ``StepSampler``; packed into micro-batches under a
  token budget, each run forward and backward, and the sum of their losses divided once by the
  step's total weight. The gradient does not depend on the budget.
- Where examples have weights, the losses of a step are divided by what so many examples weigh on
  average, not by what they happen to weigh: else a light example alone in a step would count as
  much as a heavy one, and steps of light examples as much as others. The scale of the weights
  plays no role, and a learning rate means what it means without them.
- Several processes draw the same steps, and each takes its share of a step's examples, so a step
  is the same with any number of them; gradients are averaged in its last micro-batch.
- Memory runs out: the budget is halved, the step is taken again, and that is said once.
- A loss that is not finite stops the run, naming the step and the data rows. An accelerator works
  ahead of Python, and reading a loss would make it wait; so there the losses are looked at when a
  step is logged, and before anything is saved.
- Random numbers are seeded, drawn, saved and loaded while no other thread puts a model together,
  which draws some of its own and then puts the generator back (``pretrained/turns.py``).
- Validation goes through the packed inference that prediction uses.
- Checkpoints hold trained tensors only, as safetensors: 7 MB, not 540, for one block of a model
  of 135 million parameters.
"""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate.data_loader import prepare_data_loader
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from headtune.batches import StepCollator, StepSampler, share_out
from headtune.errors import NonFiniteLossError, TrainingError, option
from headtune.files.whole_file import written_aside
from headtune.model import (
    SequenceClassifier,
    is_out_of_memory,
    load_trained_state,
    predict_logits,
    predict_together,
    trained_state,
)
from headtune.pretrained import beside
from headtune.processes import n_processes, rank
from headtune.progress import OnlySays, Progress
from headtune.tasks import Task
from headtune.types import LabelSet, TokenizedExample, known_label, row_weights

__all__ = ["PackedTrainer"]

TRAINED_FILE = "trained.safetensors"


@dataclass(frozen=True, slots=True)
class _StepLoss:
    """The mean loss of a step, on its device, and the data rows that it is of."""

    step: int
    loss: torch.Tensor
    rows: tuple[int, ...]


class PackedTrainer(Trainer):  # type: ignore[misc]
    """Fits a ``SequenceClassifier`` on tokenized examples.

    Raises ``NonFiniteLossError`` and ``TrainingError`` from ``train``.
    """

    def __init__(
        self,
        classifier: SequenceClassifier,
        arguments: TrainingArguments,
        *,
        task: Task,
        labels: LabelSet,
        train_examples: Sequence[TokenizedExample],
        validation_examples: Sequence[TokenizedExample],
        collator: StepCollator,
        loss_weights: torch.Tensor | None,
        progress: Progress,
        callbacks: Sequence[TrainerCallback] = (),
    ) -> None:
        self.task = task
        self.labels = labels
        self.examples = train_examples
        self.validation_examples = validation_examples
        self.collator = collator
        self.loss_weights = loss_weights
        self.progress = progress
        self.n_examples_seen = 0
        self.n_tokens_seen = 0
        self.unread: list[_StepLoss] = []
        self.last_loss: float | None = None
        self.sampler = StepSampler(
            len(train_examples), arguments.per_device_train_batch_size, arguments.seed
        )
        with beside():  # seeds the random numbers
            super().__init__(
                model=classifier,
                args=arguments,
                train_dataset=train_examples,
                eval_dataset=validation_examples or None,
                callbacks=list(callbacks),
            )
        self.remove_callback(PrinterCallback)
        if loss_weights is not None:
            self.loss_weights = loss_weights.to(classifier.score.weight.device)
        self.mean_weight = self._mean_weight()

    def get_train_dataloader(self) -> Any:
        """One item a step: the step's examples, not yet packed nor shared out.

        Whole steps for every process (accelerate would deal them out), which takes its share later.
        """
        dataset: Any = self.examples  # a sequence is a map-style data set
        loader: Any = DataLoader(
            dataset,
            batch_sampler=self.sampler,
            collate_fn=list,
            generator=torch.Generator().manual_seed(self.args.seed),  # not torch's own
        )
        return prepare_data_loader(loader, num_processes=1, process_index=0)

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: list[TokenizedExample],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Forward and backward over a step's micro-batches; the mean loss, a scalar.

        Raises ``TrainingError`` where memory ran out in one of several processes, which cannot take
        a step again without the others.
        """
        model.train()
        while True:
            try:
                with beside():
                    loss = self._accumulate(model, inputs)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if n_processes() > 1:
                    raise TrainingError(
                        f"Memory ran out in process {rank()} of {n_processes()}.",
                        option="max_tokens_per_batch",
                        way_out=f"Give {option('max_tokens_per_batch')}, less than "
                        f"{self.collator.max_tokens_per_batch:,}.",
                    ) from error
                model.zero_grad()
                self._halve_budget(inputs, error)
            else:
                break
        step = self.state.global_step + 1
        self.unread.append(_StepLoss(step, loss.detach(), tuple(e.row for e in inputs)))
        if self.reads_every_loss or step % self.args.logging_steps == 0:
            self.read_losses()
        n_tokens = sum(len(example) for example in inputs)
        self.n_examples_seen += len(inputs)
        self.n_tokens_seen += n_tokens
        figures = {} if self.last_loss is None else {"loss": self.last_loss}
        self.progress.advance(len(inputs), n_tokens, **figures)
        return loss

    @property
    def reads_every_loss(self) -> bool:
        """Whether looking at a loss costs nothing."""
        return bool(self.args.device.type == "cpu")

    def read_losses(self) -> None:
        """Look at the losses since the last look. Raises ``NonFiniteLossError`` for the first
        that is not finite."""
        unread, self.unread = self.unread, []
        if not unread:
            return
        values = torch.stack([one.loss for one in unread]).tolist()
        for one, value in zip(unread, values, strict=True):
            if not math.isfinite(value):
                rows = ", ".join(map(str, one.rows))
                raise NonFiniteLossError(
                    f"The loss of step {one.step} is {value}; the step's data rows are {rows}.",
                    option="learning_rate",
                    way_out=f"Lower {option('learning_rate')}, or look at these rows.",
                )
        self.last_loss = values[-1]

    def _accumulate(self, model: torch.nn.Module, examples: list[TokenizedExample]) -> torch.Tensor:
        """The process's share of a step; the mean loss of the whole step.

        DDP averages gradients over the processes, so losses count once for each of them. One
        without a share takes an example for nothing, since the others wait for its gradients.
        """
        shares = share_out([len(example) for example in examples], n_processes())
        mine = [examples[index] for index in shares[rank()]]
        scale = (n_processes() if mine else 0) / self._step_weight(examples)
        total = torch.zeros((), device=self.args.device)
        batches = self.collator(mine or examples[:1])
        for i, batch in enumerate(batches):
            waits = i < len(batches) - 1
            sync = self.accelerator.no_sync(model) if waits else contextlib.nullcontext()
            with sync:
                logits = model(batch)
                targets = self._targets(batch.labels).to(logits.device)
                weights = None if batch.weights is None else batch.weights.to(logits.device)
                loss = self.task.loss_sum(logits, targets, self.loss_weights, weights) * scale
                self.accelerator.backward(loss)
            total += loss.detach().to(total.device)
        return total if n_processes() == 1 else self.accelerator.reduce(total, reduction="mean")

    def _step_weight(self, examples: Sequence[TokenizedExample]) -> torch.Tensor:
        """What the losses of a step are divided by: a scalar."""
        if self.mean_weight is not None:
            return self.mean_weight * len(examples)
        targets = self._targets(map(known_label, examples)).to(self.model.score.weight.device)
        return self.task.step_weight(targets, self.loss_weights)

    def _mean_weight(self) -> torch.Tensor | None:
        """Of all training examples, a scalar; None where these have no weights."""
        weights = row_weights(self.examples)
        if weights is None:
            return None
        device = self.model.score.weight.device
        targets = self._targets(map(known_label, self.examples)).to(device)
        of_rows = torch.from_numpy(weights).float().to(device)
        total = self.task.step_weight(targets, self.loss_weights, of_rows)
        return total / len(self.examples)

    def _targets(self, labels: Any) -> torch.Tensor:
        """Of a batch's or a step's labels, on the CPU."""
        values = labels.tolist() if isinstance(labels, torch.Tensor) else labels
        return torch.from_numpy(self.task.targets(values))

    def _halve_budget(self, examples: list[TokenizedExample], error: RuntimeError) -> None:
        longest = max(len(example) for example in examples)
        budget = self.collator.max_tokens_per_batch
        if len(self.collator(examples)) == len(examples):
            raise TrainingError(
                f"Memory ran out on a single text of at most {longest} tokens.",
                option="max_length",
                way_out=f"Lower {option('max_length')}, or add "
                f"{option('gradient_checkpointing', True)}.",
            ) from error
        self.collator.max_tokens_per_batch = max(1, min(budget, sum(map(len, examples))) // 2)
        self.progress.say(
            f"Memory ran out: at most {self.collator.max_tokens_per_batch:,} tokens in a batch "
            "from here on. The result is the same."
        )

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score the validation part: ``eval_loss`` and the task's other figures."""
        self.read_losses()
        logits = predict_together(
            predict_logits,
            self.accelerator.unwrap_model(self.model),
            self.validation_examples,
            self.collator.max_tokens_per_batch,
            OnlySays(self.progress),
        )
        targets = self.task.targets(map(known_label, self.validation_examples))
        found = self.task.metrics(
            self.task.probabilities(logits),
            targets,
            self.labels,
            row_weights(self.validation_examples),
        )
        metrics = {f"eval_{name}": value for name, value in self.task.evaluation(found).items()}
        self.log(dict(metrics))
        self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _save(
        self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None
    ) -> None:
        """Trained tensors of a checkpoint, written aside and renamed."""
        self.read_losses()
        if not self.args.should_save:
            return
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        with written_aside(folder / TRAINED_FILE) as work:
            save_file(trained_state(self.accelerator.unwrap_model(self.model)), work)

    def _save_rng_state(self, output_dir: str) -> None:
        with beside():
            super()._save_rng_state(output_dir)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        with beside():
            super()._load_rng_state(checkpoint)

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: torch.nn.Module | None = None
    ) -> None:
        state = load_file(Path(resume_from_checkpoint) / TRAINED_FILE)
        load_trained_state(self.accelerator.unwrap_model(model or self.model), state)

    def _load_best_model(self) -> None:
        self._load_from_checkpoint(str(self.state.best_model_checkpoint))
