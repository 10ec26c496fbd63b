"""Training: the step does not depend on the packing, resumes exactly, and stops when it must."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from torch.nn.functional import cross_entropy

from headtune.batches import StepCollator, collate
from headtune.errors import ConfigError, NonFiniteLossError, TrainingError
from headtune.model import (
    Compute,
    SequenceClassifier,
    load_backbone,
    make_trainable,
    trained_state,
)
from headtune.options import MachineConfig, ModelConfig, TrainConfig, TuneConfig
from headtune.pretrained import find_pretrained
from headtune.progress import SilentProgress
from headtune.report.history import validation_figures
from headtune.training import FitResult, count_steps, fit, resolve_learning_rate
from headtune.training.fit import _last_whole_checkpoint
from headtune.training.trainer import PackedTrainer
from headtune.types import LabelSet, TokenizedExample

LABELS = LabelSet(("a", "b"))
CPU = Compute(torch.device("cpu"), torch.float32, "as asked")


class Listener(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.n_examples = 0

    def say(self, message: str) -> None:
        self.said.append(message)

    def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
        self.n_examples += n_examples


def make_classifier(folder: Path, tune: str = "last-1") -> SequenceClassifier:
    backbone = load_backbone(
        find_pretrained(str(folder)), ModelConfig(model=str(folder)), MachineConfig(), CPU
    )
    torch.manual_seed(5)
    classifier = SequenceClassifier(backbone, 2, seed=1)
    make_trainable(classifier, TuneConfig(tune=tune, lora_rank=4, lora_dropout=0.1))
    return classifier


def make_examples(n: int, seed: int = 0) -> list[TokenizedExample]:
    """Texts whose label is told by which half of the vocabulary they use."""
    rng = np.random.default_rng(seed)
    examples = []
    for row in range(1, n + 1):
        label = int(rng.random() < 0.3)
        ids = rng.integers(2 + 150 * label, 150 + 150 * label, int(rng.integers(2, 25)))
        examples.append(TokenizedExample(ids.astype(np.int32), label, row))
    return examples


def run(
    classifier: SequenceClassifier,
    folder: Path,
    *,
    train: Sequence[TokenizedExample] | None = None,
    validation: Sequence[TokenizedExample] | None = None,
    budget: int = 10_000,
    balance: Any = "none",
    progress: Listener | None = None,
    resume: bool = False,
    **options: Any,
) -> FitResult:
    settings = TrainConfig(**{"epochs": 2, "batch_size": 8, "log_steps": 1} | options)
    return fit(
        classifier,
        LABELS,
        make_examples(40) if train is None else train,
        make_examples(16, seed=1) if validation is None else validation,
        settings,
        tune="last-1",
        balance=balance,
        max_tokens_per_batch=budget,
        folder=folder,
        progress=progress or Listener(),
        resume=resume,
    )


def assert_same_weights(
    one: SequenceClassifier, other: SequenceClassifier, tolerance: float = 0.0
) -> None:
    theirs = trained_state(other)
    for name, tensor in trained_state(one).items():
        torch.testing.assert_close(tensor, theirs[name], atol=tolerance, rtol=0, msg=name)


def test_it_learns(tiny_llama: Path, tmp_path: Path) -> None:
    classifier = make_classifier(tiny_llama, "full")
    result = run(classifier, tmp_path, epochs=8, learning_rate=5e-3)
    evaluations = [row for row in result.history if "validation_loss" in row]
    assert len(evaluations) == 8
    assert evaluations[-1]["validation_loss"] < 0.5 * evaluations[0]["validation_loss"]
    assert evaluations[-1]["validation_accuracy"] > 0.9
    losses = [row["loss"] for row in result.history if "loss" in row]
    assert len(losses) == result.n_steps == 40


@pytest.mark.parametrize("balance", ["none", "weights"])
@pytest.mark.parametrize("accumulation", [1, 3])
def test_trained_weights_do_not_depend_on_the_packing(
    tiny_llama: Path, tmp_path: Path, balance: str, accumulation: int
) -> None:
    whole, split = (make_classifier(tiny_llama) for _ in range(2))
    expected = run(whole, tmp_path / "whole", balance=balance)
    result = run(
        split,
        tmp_path / "split",
        balance=balance,
        budget=30,
        gradient_accumulation_steps=accumulation,
    )
    assert_same_weights(whole, split, tolerance=2e-5)
    # AdamW does not feel the scale of a gradient, so losses and norms are compared as well.
    for ours, row in zip(result.history, expected.history, strict=True):
        assert ours == pytest.approx(row, rel=1e-3)


def test_every_epoch_sees_every_example_in_an_order_of_its_own(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    collate = StepCollator.__call__

    def watch(self: StepCollator, examples: Sequence[TokenizedExample]) -> Any:
        rows.extend(example.row for example in examples)
        return collate(self, examples)

    monkeypatch.setattr(StepCollator, "__call__", watch)
    run(make_classifier(tiny_llama, "head"), tmp_path)
    assert sorted(rows[:40]) == sorted(rows[40:]) == list(range(1, 41))
    assert rows[:40] != rows[40:]
    assert rows[:40] != list(range(1, 41))


@pytest.mark.parametrize("budget", [10_000, 40])
def test_the_first_loss_is_that_of_torch_with_class_weights(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    """In one micro-batch or several, divided by the weights of the step's own examples."""
    steps: list[Sequence[TokenizedExample]] = []
    divide = StepCollator.__call__

    def watch(self: StepCollator, examples: Sequence[TokenizedExample]) -> Any:
        steps.append(examples)
        return divide(self, examples)

    monkeypatch.setattr(StepCollator, "__call__", watch)
    train = make_examples(40)
    result = run(
        make_classifier(tiny_llama),
        tmp_path,
        train=train,
        budget=budget,
        balance="weights",
        max_steps=1,
    )
    counts = torch.bincount(torch.tensor([example.label for example in train]))
    ids = torch.tensor([example.label for example in steps[0]])
    weights = len(train) / (2 * counts)
    assert weights[ids].sum().item() != pytest.approx(len(ids))
    with torch.no_grad():
        logits = make_classifier(tiny_llama).eval()(collate(steps[0]))
    expected = cross_entropy(logits, ids, weight=weights).item()
    assert result.history[0]["loss"] == pytest.approx(expected, rel=1e-4)


def test_class_weights_change_what_is_learned(tiny_llama: Path, tmp_path: Path) -> None:
    plain, weighted = (make_classifier(tiny_llama) for _ in range(2))
    run(plain, tmp_path / "plain")
    run(weighted, tmp_path / "weighted", balance="weights")
    with pytest.raises(AssertionError):
        assert_same_weights(plain, weighted, tolerance=1e-4)


def test_gradient_checkpointing_changes_nothing(tiny_llama: Path, tmp_path: Path) -> None:
    plain, checkpointed = (make_classifier(tiny_llama, "full") for _ in range(2))
    run(plain, tmp_path / "plain", max_steps=3)
    run(checkpointed, tmp_path / "checkpointed", max_steps=3, gradient_checkpointing=True)
    assert_same_weights(plain, checkpointed, tolerance=1e-6)


@pytest.mark.parametrize("tune", ["last-1", "lora"])
@pytest.mark.parametrize("stop_after", [7, 10])
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    tiny_llama: Path, tmp_path: Path, tune: str, stop_after: int
) -> None:
    """Stopped within the second epoch and at its end, of three; LoRA with dropout."""
    straight = make_classifier(tiny_llama, tune)
    expected = run(straight, tmp_path / "straight", epochs=3, checkpoint_minutes=0)

    class Stop(Listener):
        def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
            super().advance(n_examples)
            if self.n_examples > 8 * stop_after:
                raise KeyboardInterrupt

    options: dict[str, Any] = {"epochs": 3, "checkpoint_minutes": 0}
    with pytest.raises(KeyboardInterrupt):
        run(make_classifier(tiny_llama, tune), tmp_path / "run", progress=Stop(), **options)
    listener = Listener()
    resumed = make_classifier(tiny_llama, tune)
    result = run(resumed, tmp_path / "run", resume=True, progress=listener, **options)
    assert f"Resuming from step {stop_after}." in listener.said
    assert listener.n_examples == 3 * 40 - 8 * stop_after
    assert_same_weights(straight, resumed)
    assert result.history == expected.history
    assert result.best_step == expected.best_step


def test_the_last_step_leaves_a_checkpoint(tiny_llama: Path, tmp_path: Path) -> None:
    """Without a validation part too: a failure after training must not lose it."""
    result = run(make_classifier(tiny_llama), tmp_path, validation=[], epochs=1)
    assert (tmp_path / f"checkpoint-{result.n_steps}" / "trainer_state.json").is_file()


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        SafetensorError("I/O error: No space left on device"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"),
    ],
)
def test_a_full_disk_is_one_clear_line(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(PackedTrainer, "_save_checkpoint", fail)
    with pytest.raises(TrainingError, match=r"cannot be written to .* Make room there"):
        run(make_classifier(tiny_llama), tmp_path, epochs=1)


def test_other_errors_of_training_stay_what_they_are(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(PackedTrainer, "_save_checkpoint", fail)
    with pytest.raises(RuntimeError, match=r"^a defect$"):
        run(make_classifier(tiny_llama), tmp_path, epochs=1)


def test_a_checkpoint_that_is_not_whole_is_passed_over(tmp_path: Path) -> None:
    for step, state in ((3, '{"global_step": 3}'), (6, '{"global_st')):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(state)
    (tmp_path / "checkpoint-9").mkdir()
    assert _last_whole_checkpoint(tmp_path) == tmp_path / "checkpoint-3"
    assert _last_whole_checkpoint(tmp_path / "nowhere") is None


def test_the_best_weights_come_back(tiny_llama: Path, tmp_path: Path) -> None:
    """A learning rate that ruins the model late: the kept weights are the earlier, better ones."""
    classifier = make_classifier(tiny_llama)
    result = run(classifier, tmp_path, epochs=5, learning_rate=0.3, schedule="constant", warmup=0)
    evaluations = {
        row["step"]: row["validation_loss"] for row in result.history if "validation_loss" in row
    }
    assert result.best_step == min(evaluations, key=lambda step: evaluations[step])
    from safetensors.torch import load_file

    kept = load_file(tmp_path / f"checkpoint-{result.best_step}" / "trained.safetensors")
    for name, tensor in trained_state(classifier).items():
        assert torch.equal(tensor, kept[name])


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"epochs": 1.5}, [5, 8]),
        ({"max_steps": 7}, [5, 7]),
        ({"epochs": 1, "evaluations_per_epoch": 2}, [3, 5]),
    ],
)
def test_the_last_step_is_always_scored(
    tiny_llama: Path, tmp_path: Path, options: dict[str, Any], steps: list[int]
) -> None:
    """Five steps are an epoch here."""
    result = run(make_classifier(tiny_llama), tmp_path, **options)
    assert [row["step"] for row in result.history if "validation_loss" in row] == steps
    assert result.n_steps == steps[-1]


def test_early_stopping(tiny_llama: Path, tmp_path: Path) -> None:
    result = run(
        make_classifier(tiny_llama),
        tmp_path,
        epochs=40,
        learning_rate=0.3,
        schedule="constant",
        warmup=0,
        early_stopping=2,
    )
    assert result.n_steps < 40 * 5
    with pytest.raises(ConfigError, match="validation part"):
        run(make_classifier(tiny_llama), tmp_path / "b", validation=[], early_stopping=2)


def test_early_stopping_goes_on_counting_after_a_resume(tiny_llama: Path, tmp_path: Path) -> None:
    """Stopped one evaluation before patience ends: one is left, not all of them."""
    options: dict[str, Any] = {
        "epochs": 40,
        "learning_rate": 0.3,
        "schedule": "constant",
        "warmup": 0,
        "early_stopping": 3,
        "checkpoint_minutes": 0,
    }
    expected = run(make_classifier(tiny_llama), tmp_path / "straight", **options)

    class Stop(Listener):
        def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
            super().advance(n_examples)
            if self.n_examples > 8 * (expected.n_steps - 2):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(make_classifier(tiny_llama), tmp_path / "run", progress=Stop(), **options)
    result = run(make_classifier(tiny_llama), tmp_path / "run", resume=True, **options)
    assert result.history == expected.history


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_the_best_weights_by_a_metric_that_should_be_high(
    tiny_llama: Path, tmp_path: Path, metric: str
) -> None:
    result = run(
        make_classifier(tiny_llama),
        tmp_path,
        epochs=6,
        learning_rate=0.1,
        schedule="constant",
        best_metric=metric,
    )
    found = {row["step"]: figure for row, figure in validation_figures(result.history, metric)}
    assert len(set(found.values())) > 1
    assert found[result.best_step] == max(found.values())


def test_a_loss_that_is_not_finite_names_step_and_rows(tiny_llama: Path, tmp_path: Path) -> None:
    classifier = make_classifier(tiny_llama)
    with torch.no_grad():
        classifier.score.weight[0, 0] = float("nan")
    with pytest.raises(NonFiniteLossError, match=r"step 1 is nan.*rows are \d+(, \d+){7}"):
        run(classifier, tmp_path)


def test_losses_that_are_read_late_still_name_step_and_rows(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on an accelerator: the third of five steps between two looks goes wrong."""
    accumulate, rows = PackedTrainer._accumulate, []

    def third_is_infinite(
        self: PackedTrainer, model: torch.nn.Module, examples: list[TokenizedExample]
    ) -> torch.Tensor:
        rows.append([example.row for example in examples])
        loss = accumulate(self, model, examples)
        return loss / 0 if len(rows) == 3 else loss

    monkeypatch.setattr(PackedTrainer, "_accumulate", third_is_infinite)
    monkeypatch.setattr(PackedTrainer, "reads_every_loss", False)
    with pytest.raises(NonFiniteLossError, match="step 3 is inf") as raised:
        run(make_classifier(tiny_llama), tmp_path, validation=[], log_steps=5)
    assert f"rows are {', '.join(map(str, rows[2]))}." in str(raised.value)
    assert len(rows) == 5


def test_memory_that_runs_out_halves_the_budget_once_and_goes_on(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, short = (make_classifier(tiny_llama) for _ in range(2))
    run(plain, tmp_path / "plain")
    forward = SequenceClassifier.forward

    def sometimes(self: SequenceClassifier, batch: Any) -> torch.Tensor:
        if batch.n_tokens > 60:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, batch)

    monkeypatch.setattr(SequenceClassifier, "forward", sometimes)
    listener = Listener()
    result = run(short, tmp_path / "short", progress=listener)
    assert_same_weights(plain, short, tolerance=2e-5)
    assert result.max_tokens_per_batch <= 60
    assert 1 <= sum("Memory ran out" in said for said in listener.said) <= 3
    monkeypatch.setattr(
        SequenceClassifier,
        "forward",
        lambda self, batch: (_ for _ in ()).throw(torch.OutOfMemoryError("out of memory")),
    )
    with pytest.raises(TrainingError, match="max_length="):
        run(make_classifier(tiny_llama), tmp_path / "none")


def test_memory_that_runs_out_in_one_of_several_processes(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others wait for its gradients, so it cannot take the step again."""

    def out_of_memory(*_: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(PackedTrainer, "_accumulate", out_of_memory)
    monkeypatch.setattr("headtune.training.trainer.n_processes", lambda: 2)
    with pytest.raises(TrainingError, match=r"process 0 of 2.* less than 10,000"):
        run(make_classifier(tiny_llama), tmp_path)


def test_trackers_by_name(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR", raising=False)
    run(make_classifier(tiny_llama), tmp_path / "run", max_steps=2, report_to=("tensorboard",))
    assert list((tmp_path / "tensorboard").rglob("events.out.tfevents.*"))
    with pytest.raises(ConfigError, match="no_such_tracker"):
        run(make_classifier(tiny_llama), tmp_path / "b", report_to=("no_such_tracker",))


def test_learning_rate_and_steps() -> None:
    assert resolve_learning_rate(TrainConfig(), "lora") == 3e-4
    assert resolve_learning_rate(TrainConfig(), "full") == 2e-5
    assert resolve_learning_rate(TrainConfig(learning_rate=0.1), "full") == 0.1
    assert count_steps(TrainConfig(epochs=3, batch_size=16), 100) == 21
    assert count_steps(TrainConfig(max_steps=5), 100) == 5
