"""How fast a model is on this machine, and how near that comes to what the machine can do.

    load          a run folder, or a base model with an untrained head, from its files
    matrix        the machine's matrix product, in each number format: the yardstick
    prediction    texts to probabilities, tokenization included
    latency       the same for one text at a time
    training      optimizer steps of LoRA, tokenization left out

``bench`` does these in turn and returns plain values. Useful floating-point operations are those
of ``useful_flops_per_token`` for real tokens, and their share of the matrix rate says how much of
the machine is used. Labels are made up: they cost what real ones cost.

Guarantees: nothing is written but a temporary folder; the model in the files stays as it is.
Costs: about ``seconds`` of measuring after loading: the number of texts is chosen by how fast the
first ones went.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles

import torch

from headtune.artifact import load_artifact
from headtune.artifact.layout import MANIFEST
from headtune.bench.result import BenchResult, Latency, PaceFigures
from headtune.data import find_text_column, read_table, usable_rows
from headtune.errors import DataError
from headtune.model import (
    Compute,
    SequenceClassifier,
    assemble,
    choose_compute,
    load_config,
    make_trainable,
    matrix_product_rate,
    peak_memory_bytes,
    rate_and_share,
    token_budget,
    useful_flops_per_token,
)
from headtune.model.hardware.yardstick import FORMATS
from headtune.options import DataConfig, MachineConfig, ModelConfig, TrainConfig, TuneConfig
from headtune.predict import Predictor
from headtune.pretrained import Trust, find_pretrained
from headtune.progress import Progress, SilentProgress
from headtune.tasks import SINGLE_LABEL
from headtune.tokens import (
    context_length,
    embedding_size,
    load_tokenizer,
    resolve_max_length,
)
from headtune.training import fit
from headtune.types import LabelSet, TokenizedExample

__all__ = ["bench", "train_steps", "untrained_predictor"]

LABELS = LabelSet(("a", "b"))
ROUNDS = 3
WARM_UP_TEXTS = 16
WARM_UP_STEPS = 2


def bench(
    name: str,
    *,
    source: str = "sms-spam",
    data: DataConfig | None = None,
    model: str | None = None,
    options: ModelConfig | None = None,
    machine: MachineConfig | None = None,
    batch_size: int = 16,
    seconds: float = 45.0,
    progress: Progress | None = None,
) -> BenchResult:
    """Measure a run folder, or a base model by alias, folder, GGUF file or hub id.

    Args:
        name: The run folder or the base model.
        source: A table of texts, as ``read_table`` takes it.
        model: For a run: where its base model is, if it has moved.
        options: How a base model is read: revision, pooling and the like.
        machine: How it runs here: device, dtype, token budget and the like.
        batch_size: Examples of an optimizer step.
        seconds: What measuring may take: prediction two fifths of it, training too, latency the
            rest.

    Returns:
        JSON values: ``name``, ``is_run``, ``device``, ``dtype``, ``reason``, ``threads``,
        ``parameters``, ``texts``, ``load_seconds``, ``matrix_flops_per_second``, ``prediction``,
        ``latency``, ``training``, ``peak_memory_bytes``. Rates and shares of matrix products are
        None where the machine is too busy to tell.

    Raises:
        ArtifactError, ModelError, DataError: The run, the model or the table cannot be used.
    """
    progress, machine = progress or SilentProgress(), machine or MachineConfig()
    texts = _texts(source, data or DataConfig())
    progress.stage("Loading the model")
    start = time.perf_counter()
    predictor, compute = _load(name, model, options or ModelConfig(), machine)
    load_seconds = time.perf_counter() - start
    classifier = predictor.classifier
    memory = {"loaded": peak_memory_bytes()}
    n_parameters = sum(parameter.numel() for parameter in classifier.parameters())
    examples = predictor.tokenize(texts)
    progress.stage("Multiplying matrices")
    rates: dict[str, float | None] = {
        format_name: matrix_product_rate(dtype, compute.device)
        for format_name, dtype in FORMATS.items()
    }
    progress.stage("Predicting")
    forward, _ = useful_flops_per_token(classifier)
    prediction = _prediction(predictor, texts, examples, 0.4 * seconds, progress)
    progress.stage("Predicting one text at a time")
    latency = _latency(predictor, texts, 0.2 * seconds)
    memory["prediction"] = peak_memory_bytes()
    progress.stage("Training")
    _open_adapters(classifier)
    _, backward = useful_flops_per_token(classifier)
    budget = machine.max_tokens_per_batch or token_budget(classifier, trains=True).max_tokens
    training = _training(classifier, examples, batch_size, 0.4 * seconds, budget, progress)
    memory["training"] = peak_memory_bytes()
    fastest = max(prediction.flops(forward), training.flops(backward))
    rate, _ = rate_and_share(fastest, compute.dtype, compute.device)
    rates[compute.dtype_name] = rate
    return {
        "name": name,
        "is_run": _is_run(name),
        "device": str(compute.device),
        "dtype": compute.dtype_name,
        "reason": compute.reason,
        "threads": torch.get_num_threads(),
        "parameters": n_parameters,
        "texts": {
            "source": source,
            "texts": len(texts),
            "tokens": sum(map(len, examples)),
            "longest": max(map(len, examples)),
        },
        "load_seconds": load_seconds,
        "matrix_flops_per_second": rates,
        "prediction": prediction.figures(forward, rate),
        "latency": latency,
        "training": {
            "tune": "lora",
            "batch_size": batch_size,
            **training.figures(backward, rate),
        },
        "peak_memory_bytes": memory,
    }


def untrained_predictor(
    name: str,
    options: ModelConfig,
    machine: MachineConfig | None = None,
    labels: LabelSet = LABELS,
    *,
    max_length: int | None = None,
    seed: int = 42,
) -> tuple[Predictor, Compute]:
    """A base model with a new head, ready for texts, and what it computes with.

    Raises ``ModelError`` and ``TokenizationError``.
    """
    machine = machine or MachineConfig()
    folder = find_pretrained(
        name,
        revision=options.revision,
        trust=Trust.of(machine),
        weights=not options.random_weights,
    )
    config = load_config(folder)
    n_embeddings = embedding_size(config)
    tokenizer = load_tokenizer(folder, split_special_tokens=True, n_embeddings=n_embeddings)
    compute = choose_compute(machine)
    n_outputs = SINGLE_LABEL.n_outputs(labels)
    classifier = assemble(folder, n_outputs, options, machine, compute, seed=seed)
    classifier.backbone.config.pad_token_id = tokenizer.pad_token_id
    classifier.requires_grad_(False).eval()
    predictor = Predictor(
        classifier=classifier,
        tokenizer=tokenizer,
        labels=labels,
        max_length=resolve_max_length(max_length, context_length(config.get_text_config())),
        max_tokens_per_batch=machine.max_tokens_per_batch
        or token_budget(classifier, trains=False).max_tokens,
    )
    return predictor, compute


def train_steps(
    classifier: SequenceClassifier,
    examples: Sequence[TokenizedExample],
    *,
    batch_size: int,
    n_steps: int,
    max_tokens_per_batch: int,
    labels: LabelSet = LABELS,
    progress: Progress | None = None,
) -> None:
    """Take ``n_steps`` optimizer steps as ``headtune train`` does, over ``examples`` in a random
    order; what is trained is what requires a gradient. Nothing is kept.
    """
    options = TrainConfig(
        batch_size=batch_size, max_steps=n_steps, learning_rate=1e-5, keep_best=False
    )
    with tempfile.TemporaryDirectory(prefix="headtune-bench-") as folder:
        fit(
            classifier,
            labels,
            examples,
            [],
            options,
            tune="lora",
            balance="none",
            max_tokens_per_batch=max_tokens_per_batch,
            folder=Path(folder),
            progress=progress or SilentProgress(),
        )


@dataclass(frozen=True, slots=True)
class _Pace:
    """Examples and tokens that were gone through in so many seconds."""

    n_examples: int
    n_tokens: int
    seconds: float

    def flops(self, flops_per_token: float) -> float:
        """Useful operations a second."""
        return flops_per_token * self.n_tokens / self.seconds

    def figures(self, flops_per_token: float, matrix_rate: float | None) -> PaceFigures:
        useful = self.flops(flops_per_token)
        return {
            "examples_per_second": self.n_examples / self.seconds,
            "tokens_per_second": self.n_tokens / self.seconds,
            "useful_flops_per_second": useful,
            "share_of_matrix_rate": None if matrix_rate is None else useful / matrix_rate,
        }


def _is_run(name: str) -> bool:
    return (Path(name) / MANIFEST).is_file()


def _load(
    name: str, model: str | None, options: ModelConfig, machine: MachineConfig
) -> tuple[Predictor, Compute]:
    if _is_run(name):
        artifact = load_artifact(name, model=model, options=machine)
        return Predictor.of(artifact), artifact.compute
    return untrained_predictor(name, options, machine)


def _texts(source: str, data: DataConfig) -> list[str]:
    """The usable texts of a table. Raises ``DataError`` where there is none."""
    table = read_table(source, data)
    texts = list(usable_rows(table, find_text_column(table, data, trained_on=None), data).texts)
    if not texts:
        raise DataError(f"{source} has no text to measure with.")
    return texts


def _prediction(
    predictor: Predictor,
    texts: Sequence[str],
    examples: Sequence[TokenizedExample],
    seconds: float,
    progress: Progress,
) -> _Pace:
    """The median of three rounds over as many texts as the time allows."""
    few = list(islice(cycle(texts), WARM_UP_TEXTS))
    predictor.predict_proba(few)
    per_text = _seconds(lambda: predictor.predict_proba(few)) / len(few)
    n_texts = max(WARM_UP_TEXTS, min(len(texts), int(seconds / ROUNDS / per_text)))
    chosen = list(islice(cycle(texts), n_texts))
    n_tokens = sum(len(example) for example in islice(cycle(examples), n_texts))
    progress.start(ROUNDS * n_texts, "examples")
    times = [_seconds(lambda: predictor.predict_proba(chosen, progress)) for _ in range(ROUNDS)]
    progress.finish()
    return _Pace(n_texts, n_tokens, median(times))


def _latency(predictor: Predictor, texts: Sequence[str], seconds: float) -> Latency:
    """Seconds for one text, over at most 100 of them."""
    until = time.perf_counter() + seconds
    predictor.predict(texts[:1])
    times: list[float] = []
    for text in islice(cycle(texts), 100):
        times.append(_seconds(partial(predictor.predict, [text])))
        if time.perf_counter() > until and len(times) >= ROUNDS:
            break
    return {
        "texts": len(times),
        "median_seconds": median(times),
        "slowest_tenth_seconds": quantiles(times, n=10)[-1],
    }


def _open_adapters(classifier: SequenceClassifier) -> None:
    """New LoRA adapters; where a run has some, these are trained on."""
    adapters = [p for name, p in classifier.named_parameters() if "lora_" in name]
    if not adapters:
        make_trainable(classifier, TuneConfig(tune="lora"))
        return
    classifier.live = (classifier.backbone,)
    for parameter in [*adapters, *classifier.score.parameters()]:
        parameter.requires_grad_(True)


@dataclass(slots=True)
class _StepClock(SilentProgress):
    """Hears of every optimizer step; a step lasts from one message to the next."""

    listener: Progress
    moments: list[tuple[float, int, int]] = field(default_factory=list)

    def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
        self.moments.append((time.perf_counter(), n_examples, n_tokens))
        self.listener.advance(n_examples, n_tokens, **figures)

    def pace(self, leave_out: int) -> _Pace:
        """Of the steps after the first ``leave_out``."""
        moments = self.moments[leave_out - 1 :]
        after = moments[1:]
        return _Pace(
            n_examples=sum(moment[1] for moment in after),
            n_tokens=sum(moment[2] for moment in after),
            seconds=moments[-1][0] - moments[0][0],
        )


def _training(
    classifier: SequenceClassifier,
    examples: Sequence[TokenizedExample],
    batch_size: int,
    seconds: float,
    max_tokens_per_batch: int,
    progress: Progress,
) -> _Pace:
    labelled = [
        TokenizedExample(example.input_ids, row % len(LABELS), row)
        for row, example in enumerate(islice(cycle(examples), max(len(examples), batch_size)))
    ]

    def steps(number: int, clock: _StepClock) -> None:
        train_steps(
            classifier,
            labelled,
            batch_size=batch_size,
            n_steps=number,
            max_tokens_per_batch=max_tokens_per_batch,
            progress=clock,
        )

    trial = _StepClock(SilentProgress())
    steps(WARM_UP_STEPS + 1, trial)
    n_steps = WARM_UP_STEPS + max(ROUNDS, int(seconds / trial.pace(WARM_UP_STEPS).seconds))
    clock = _StepClock(progress)
    progress.start(n_steps * batch_size, "examples")
    steps(n_steps, clock)
    progress.finish()
    return clock.pace(WARM_UP_STEPS)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
