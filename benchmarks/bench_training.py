"""Training: LoRA with headtune, and with transformers' Trainer and PEFT.

    published   Trainer + PEFT as the recipe has it: fp32, batch 8, padded to the longest of a
                batch, the default attention
    best        the fastest of ``candidates`` on this machine, tried on a few steps first: batches
                of 8 to 64, texts of like length together, eager or fused attention, and weights
                in bfloat16 (or autocast) where the hardware multiplies it fast
    headtune    batch 32, packed, random batches

All take LoRA of rank 16 on the query and value projections, without dropout, and go once through
the same examples; the time is that of ``Trainer.train`` and of headtune's ``fit``, which also
writes a checkpoint in it. Peak memory is that of a process of its own for each side, at batch 32
(the published side: 8).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from harness import (
    Side,
    add_rounds,
    alternate,
    finish,
    machine,
    parser,
    print_table,
    ratio,
    say,
    set_threads,
)
from headtune.bench.measure import train_steps
from headtune.model import (
    make_trainable,
    peak_memory_bytes,
    rate_and_share,
    useful_flops_per_token,
)
from headtune.options import TuneConfig
from headtune.quiet import quiet_transformers
from headtune.tokens import encode_examples
from headtune.types import TokenizedExample
from workload import Workload, add_options, load_workload, peer_classifier

TARGETS = ("q_proj", "v_proj", "c_attn", "query_key_value", "qkv_proj")
RANK, ALPHA = 16, 32
BATCH_SIZE = 32
SIDES = ("headtune", "best", "published")


@dataclass(frozen=True)
class TrainerSettings:
    """How transformers' Trainer is set up; ``attention`` None leaves it its default."""

    batch_size: int = 8
    dtype: str = "float32"
    autocast: bool = False
    attention: str | None = None
    by_length: bool = False


PUBLISHED = TrainerSettings()


def candidates(bfloat16_is_fast: bool) -> list[TrainerSettings]:
    """What is tried for "best": the first is the best that was known before."""
    best = TrainerSettings(BATCH_SIZE, attention="eager", by_length=True)
    formats: list[dict[str, Any]] = [{"dtype": "float32"}]
    if bfloat16_is_fast:
        formats = [{"dtype": "bfloat16"}, {"dtype": "float32", "autocast": True}]
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"attention": "sdpa"},
        {"batch_size": 64},
        {"batch_size": 16, "attention": "sdpa"},
        {"batch_size": 8, "attention": "sdpa"},
    )
    return [
        TrainerSettings(**{**asdict(best), **form, **change})
        for form in formats
        for change in changes
    ]


def lora_peer(work: Workload, settings: TrainerSettings) -> torch.nn.Module:
    """transformers' classifier with PEFT's adapters."""
    from peft import LoraConfig, TaskType, get_peft_model

    model = peer_classifier(work, getattr(torch, settings.dtype), settings.attention)
    targets = [name for name in TARGETS if any(n.endswith(name) for n, _ in model.named_modules())]
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS,
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.0,
        target_modules=targets,
    )
    with warnings.catch_warnings(action="ignore"):  # PEFT asks transformers by an old name
        peer: torch.nn.Module = get_peft_model(model, config)
    return peer


class TrainerPeer:
    """One way of training with transformers' Trainer, ready to run."""

    def __init__(
        self, work: Workload, settings: TrainerSettings, examples: Sequence[TokenizedExample]
    ) -> None:
        self.work = work
        self.settings = settings
        self.model = lora_peer(work, settings)
        self.rows = [
            {"input_ids": example.input_ids.tolist(), "labels": example.label}
            for example in examples
        ]

    def __call__(self, rows: Sequence[dict[str, Any]] | None = None) -> None:
        """One pass through the examples."""
        from transformers import (
            DataCollatorWithPadding,
            PrinterCallback,
            Trainer,
            TrainingArguments,
        )

        settings = self.settings
        with tempfile.TemporaryDirectory() as folder, quiet_transformers():
            arguments = TrainingArguments(
                output_dir=folder,
                num_train_epochs=1,
                per_device_train_batch_size=settings.batch_size,
                learning_rate=1e-5,
                bf16=settings.autocast,
                train_sampling_strategy="group_by_length" if settings.by_length else "random",
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                use_cpu=self.work.compute.device.type == "cpu",
                dataloader_pin_memory=False,
            )
            trainer = Trainer(
                model=self.model,
                args=arguments,
                train_dataset=list(rows or self.rows),
                data_collator=DataCollatorWithPadding(self.work.predictor.tokenizer),
            )
            trainer.remove_callback(PrinterCallback)  # stdout is for results
            trainer.train()


class HeadtunePeer:
    """headtune's side, ready to run."""

    def __init__(self, work: Workload, examples: Sequence[TokenizedExample]) -> None:
        self.work = work
        self.examples = examples
        names = [name for name, _ in work.predictor.classifier.named_modules()]
        targets = tuple(t for t in TARGETS if any(name.endswith(t) for name in names))
        tune = TuneConfig(tune="lora", lora_rank=RANK, lora_alpha=ALPHA, lora_targets=targets)
        make_trainable(work.predictor.classifier, tune)

    def __call__(self, examples: Sequence[TokenizedExample] | None = None) -> None:
        """One pass through the examples."""
        chosen = examples or self.examples
        train_steps(
            self.work.predictor.classifier,
            chosen,
            batch_size=BATCH_SIZE,
            n_steps=-(-len(chosen) // BATCH_SIZE),
            max_tokens_per_batch=self.work.predictor.max_tokens_per_batch,
            labels=self.work.labels,
        )


def find_best(
    work: Workload, examples: Sequence[TokenizedExample], n_trial: int
) -> tuple[TrainerPeer, list[dict[str, Any]]]:
    """The fastest candidate over ``n_trial`` examples after one untimed step, and all of them."""
    best: TrainerPeer | None = None
    fastest, found = 0.0, []
    for settings in candidates(work.compute.dtype == torch.bfloat16):
        peer = TrainerPeer(work, settings, examples)
        peer(peer.rows[: settings.batch_size])
        start = time.perf_counter()
        peer(peer.rows[:n_trial])
        rate = n_trial / (time.perf_counter() - start)
        found.append({**asdict(settings), "examples_per_second": round(rate, 3)})
        say(f"  {found[-1]}")
        if best is None or rate > fastest:  # the others are let go: each holds a model
            best, fastest = peer, rate
    assert best is not None
    return best, found


def encode(work: Workload) -> list[TokenizedExample]:
    """The same token ids for every side."""
    return encode_examples(work.examples, work.predictor.tokenizer, work.predictor.max_length)


def compare(given: argparse.Namespace) -> dict[str, Any]:
    """Run all sides in turn, then each once more in a process of its own for its memory."""
    n_threads = set_threads(given.threads)
    n_examples = 16 if given.quick else given.examples
    work = load_workload(given, n_examples)
    examples = encode(work)
    say("Looking for the best settings of Trainer + PEFT")
    best, found = find_best(work, examples, min(len(examples), 16 if given.quick else 128))
    published, ours = TrainerPeer(work, PUBLISHED, examples), HeadtunePeer(work, examples)
    few = min(len(examples), 8 if given.quick else BATCH_SIZE)
    published(published.rows[:few])
    ours(examples[:few])
    sides = [
        Side("headtune", ours, {"batch_size": BATCH_SIZE, "dtype": work.compute.dtype_name}),
        Side("best", best, asdict(best.settings)),
        Side("published", published, asdict(PUBLISHED)),
    ]
    alternate(sides, given.rounds, n_threads)
    memory = {} if given.no_memory else measure_memory(given, best.settings)
    return result(given, work, sides, examples, memory, found, n_threads)


def result(
    given: argparse.Namespace,
    work: Workload,
    sides: list[Side],
    examples: Sequence[TokenizedExample],
    memory: dict[str, int],
    found: list[dict[str, Any]],
    n_threads: int,
) -> dict[str, Any]:
    """Table and JSON line."""
    ours, best, published = sides
    n_tokens = sum(map(len, examples))
    _, flops = useful_flops_per_token(work.predictor.classifier)
    useful = flops * n_tokens / ours.median_seconds
    rate, share = rate_and_share(useful, work.compute.dtype, work.compute.device)
    print_table(
        ("side", "examples/s", "headtune is faster by", "peak memory"),
        [
            (
                side.name,
                f"{len(examples) / side.median_seconds:.1f}",
                f"{ratio(side, ours):.2f} x",
                f"{memory[side.name] / 2**20:.0f} MB" if memory else "",
            )
            for side in sides
        ],
    )
    ratios = {"published": ratio(published, ours), "best": ratio(best, ours)}
    if memory:
        ratios["peak_memory_to_best"] = round(memory["headtune"] / memory["best"], 3)
    return {
        "benchmark": "training",
        "quick": given.quick,
        "machine": machine(n_threads),
        "model": given.model,
        "dtype": work.compute.dtype_name,
        "dtype_reason": work.compute.reason,
        "data": work.describe(n_tokens),
        "sides": {side.name: side.figures(len(examples)) for side in sides},
        "ratios": ratios,
        "matrix_flops_per_second": rate,
        "share_of_matrix_rate": None if share is None else round(share, 6),
        "peak_memory_bytes": memory,
        "candidates_for_best": found,
    }


def measure_memory(given: argparse.Namespace, best: TrainerSettings) -> dict[str, int]:
    """Peak memory of each side, loaded and trained in a new process."""
    memory = {}
    for side in SIDES:
        command = [sys.executable, __file__, "--memory-of", side, "--model", given.model]
        command += ["--data", given.data, "--examples", str(given.examples)]
        command += ["--seed", str(given.seed), "--settings", json.dumps(asdict(best))]
        command += ["--quick"] if given.quick else []
        command += ["--threads", str(given.threads)] if given.threads else []
        done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
        memory[side] = json.loads(done.stdout.splitlines()[-1])["peak_memory_bytes"]
        say(f"  {side}: at most {memory[side] / 2**20:.0f} MB")
    return memory


def train_for_memory(given: argparse.Namespace) -> dict[str, Any]:
    """In the new process: load one side, go through the examples once."""
    set_threads(given.threads)
    work = load_workload(given, 16 if given.quick else given.examples)
    examples = encode(work)
    if given.memory_of == "headtune":
        HeadtunePeer(work, examples)()
    else:
        del work.predictor.classifier.backbone  # before the peer's is loaded: only that one counts
        settings = PUBLISHED
        if given.memory_of == "best":
            settings = replace(TrainerSettings(**json.loads(given.settings)), batch_size=BATCH_SIZE)
        TrainerPeer(work, settings, examples)()
    return {"side": given.memory_of, "peak_memory_bytes": peak_memory_bytes()}


def options() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    found = parser(__doc__)
    add_rounds(found)
    add_options(found, examples=320)
    found.add_argument("--no-memory", action="store_true", help="leave peak memory out")
    found.add_argument("--memory-of", choices=SIDES, help=argparse.SUPPRESS)
    found.add_argument("--settings", help=argparse.SUPPRESS)
    return found


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark."""
    given = options().parse_args(arguments)
    if given.memory_of:
        measured = train_for_memory(given)
        print(json.dumps(measured))
        return measured
    return finish(compare(given))


if __name__ == "__main__":
    main()
