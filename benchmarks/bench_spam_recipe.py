"""The published spam recipe as a whole: headtune's job, and the recipe's own way of doing it.

GPT-2 (124M, random weights: what is timed does not depend on them), 1,494 balanced messages,
70/10/20, the last block trained for 5 epochs with the settings of
``recipes/spam-gpt2-last-block.yaml``, then the accuracy of all three parts.

    recipe      ``peer_spam_recipe.py``: a sample of its training steps and of its evaluation
                batches is timed, and multiplied by how many the job has. All batches have the same
                shape, so a sample is fair; loading, reading and saving count for nothing.
    headtune    the same job from token ids on: frozen blocks once, training with a validation
                after each epoch, all three parts scored at the end; nothing kept from before
    command     ``headtune train`` from its start to its end: Python's start, reading, loading,
                baselines, saving, and loading again in a fresh process; the training part is not
                scored in it

The ratio of the target is that of ``recipe`` to ``headtune``; ``command`` stands beside it.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import GPT2Config

from harness import (
    Side,
    add_rounds,
    alternate,
    finish,
    fresh_cache,
    machine,
    parser,
    print_table,
    say,
    set_threads,
)
from headtune.bench.measure import untrained_predictor
from headtune.cli.recipe import load_recipe, merge
from headtune.data import prepare
from headtune.model import predict_logits
from headtune.options import MachineConfig, ModelConfig, RunConfig
from headtune.pretrained import find_pretrained
from headtune.progress import SilentProgress, Stopwatch
from headtune.run.loading import encode, find_model
from headtune.run.pipeline import fit_classifier
from headtune.tokens import load_tokenizer
from headtune.types import PreparedData, TokenizedExample
from peer_spam_recipe import SpamRecipe

RECIPE = Path(__file__).parents[1] / "recipes" / "spam-gpt2-last-block.yaml"
SMALL = {"n_embd": 32, "n_layer": 4, "n_head": 4}
"""With ``--quick``, which also trains for one epoch."""


def make_gpt2(folder: Path, tokenizer_of: str, quick: bool) -> Path:
    """Configuration of GPT-2 and a tokenizer, without weights. No dropout, as published."""
    pretrained = find_pretrained(tokenizer_of)
    tokenizer = load_tokenizer(pretrained)
    no_dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    config = GPT2Config(**no_dropout, **(SMALL if quick else {}))
    config.architectures = ["GPT2LMHeadModel"]
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def recipe_config(folder: Path, source: str | None, quick: bool) -> RunConfig:
    """The recipe, with the folder for its model."""
    options: dict[str, Any] = {"model": str(folder), "random_weights": True, "save_split": False}
    return merge(load_recipe(RECIPE), source, options | ({"epochs": 1} if quick else {}))


class Recipe:
    """The peer's side: a sample of steps and of evaluation batches."""

    def __init__(
        self, folder: Path, config: RunConfig, parts: dict[str, list[TokenizedExample]]
    ) -> None:
        start = ModelConfig(model=str(folder), random_weights=True)
        predictor, _ = untrained_predictor(
            str(folder),
            start,
            MachineConfig(dtype="float32", device="cpu"),
            seed=config.train.seed,
        )
        backbone = predictor.classifier.backbone
        backbone.set_attn_implementation("sdpa")
        self.batch_size = config.train.batch_size
        self.parts = parts
        self.model = SpamRecipe(
            backbone,
            predictor.classifier.score.weight,
            length=max(len(example) for example in parts["train"]),
            padding_id=predictor.tokenizer.pad_token_id,
        )
        self.n_steps = round(config.train.epochs) * (len(parts["train"]) // self.batch_size)
        self.n_evaluations = sum(-(-len(part) // self.batch_size) for part in parts.values())
        self.step_seconds: list[float] = []
        self.evaluation_seconds: list[float] = []

    def batches(self, number: int) -> Iterator[list[TokenizedExample]]:
        """Random batches of the training part."""
        generator = torch.Generator().manual_seed(number)
        for _ in range(number):
            chosen = torch.randint(
                len(self.parts["train"]), (self.batch_size,), generator=generator
            )
            yield [self.parts["train"][index] for index in chosen.tolist()]

    def sample(self, n_steps: int, n_evaluations: int) -> None:
        """Time so many steps, and so many batches of evaluation; one of each goes before."""
        for seconds, work, number in (
            (self.step_seconds, self.model.train_step, n_steps),
            (self.evaluation_seconds, self.model.count_right, n_evaluations),
        ):
            first, *others = self.batches(number + 1)
            work(first)
            start = time.perf_counter()
            for batch in others:
                work(batch)
            seconds.append((time.perf_counter() - start) / number)

    def job_seconds(self) -> float:
        """The whole job, by the medians of the samples."""
        training = self.n_steps * median(self.step_seconds)
        return training + self.n_evaluations * median(self.evaluation_seconds)


def headtune_job(prepared: PreparedData, config: RunConfig) -> dict[str, float]:
    """The job in this process with an empty cache; seconds by stage."""
    clock = Stopwatch(SilentProgress())
    with fresh_cache(), TemporaryDirectory(prefix="headtune-bench-") as folder:
        fitted = fit_classifier(
            prepared, config, folder=Path(folder), progress=SilentProgress(), clock=clock
        )
        with clock.stage("score training part", "Scoring the training part"):
            predict_logits(
                fitted.classifier, fitted.encoded.parts["train"], fitted.result.max_tokens_per_batch
            )
    return clock.seconds


def command(folder: Path, source: str | None, n_threads: int) -> None:
    """``headtune train`` with the recipe, from start to end, in its own process."""
    with fresh_cache(), TemporaryDirectory(prefix="headtune-bench-") as out:
        subprocess.run(
            [
                *(sys.executable, "-m", "headtune", "train", *([source] if source else [])),
                *("--config", str(RECIPE)),
                *("--model", str(folder), "--random-weights", "--out", f"{out}/run"),
            ],
            check=True,
            capture_output=True,
            env={**os.environ, "OMP_NUM_THREADS": str(n_threads)},
        )


NOT_COMPARED = ("load", "tokenize")
"""Stages that the peer's time leaves out, too."""


def compare(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the sides in turn, and give table and JSON line."""
    n_threads = set_threads(given.threads)
    make_gpt2(folder, given.model, given.quick)
    config = recipe_config(folder, given.data, given.quick)
    prepared = prepare(config.source, config.data)
    parts = encode(prepared, config, find_model(config, weights=False)).parts
    recipe = Recipe(folder, config, parts)
    n_sample = (2, 2) if given.quick else (given.steps, max(1, given.steps // 2))
    stages: list[dict[str, float]] = []
    sides = [
        Side("headtune", lambda: stages.append(headtune_job(prepared, config))),
        Side("sample of the recipe", lambda: recipe.sample(*n_sample)),
    ]
    if not (given.quick or given.no_command):
        sides.append(Side("command", lambda: command(folder, given.data, n_threads)))
    alternate(sides, given.rounds, n_threads)
    ours = median(
        sum(seconds for stage, seconds in found.items() if stage not in NOT_COMPARED)
        for found in stages
    )
    say(f"  longest message: {recipe.model.length} tokens")
    return result(given, prepared, recipe, sides, stages, ours, n_threads)


def result(
    given: argparse.Namespace,
    prepared: PreparedData,
    recipe: Recipe,
    sides: list[Side],
    stages: list[dict[str, float]],
    ours: float,
    n_threads: int,
) -> dict[str, Any]:
    """Table and JSON line."""
    theirs = recipe.job_seconds()
    whole = {side.name: side for side in sides}.get("command")
    rows = [
        ("recipe (sampled)", f"{theirs:.0f} s", ""),
        ("headtune", f"{ours:.1f} s", f"{theirs / ours:.1f} x"),
    ]
    ratios = {"training_and_evaluation": round(theirs / ours, 3)}
    if whole is not None:
        ratios["whole_command"] = round(theirs / whole.median_seconds, 3)
        rows.append(
            ("headtune train", f"{whole.median_seconds:.1f} s", f"{ratios['whole_command']:.1f} x")
        )
    print_table(("job", "seconds", "faster by"), rows)
    return {
        "benchmark": "spam_recipe",
        "quick": given.quick,
        "machine": machine(n_threads),
        "messages": {name: len(part) for name, part in prepared.parts.items()},
        "recipe": {
            "padded_to": recipe.model.length,
            "steps": recipe.n_steps,
            "evaluation_batches": recipe.n_evaluations,
            "step_seconds": [round(seconds, 6) for seconds in recipe.step_seconds],
            "evaluation_batch_seconds": [
                round(seconds, 6) for seconds in recipe.evaluation_seconds
            ],
            "job_seconds": round(theirs, 5),
        },
        "headtune": {
            "job_seconds": round(ours, 5),
            "stages": [
                {name: round(seconds, 5) for name, seconds in found.items()} for found in stages
            ],
        },
        "command_seconds": whole.seconds if whole is not None else None,
        "ratios": ratios,
    }


def options() -> argparse.ArgumentParser:
    """The options of this benchmark; ``--model`` gives the tokenizer."""
    found = parser(__doc__)
    add_rounds(found)
    found.add_argument("--data", help="another table than the recipe's")
    found.add_argument("--steps", type=int, default=20, help="steps of the recipe in a sample")
    found.add_argument("--no-command", action="store_true", help="leave the whole command out")
    return found


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark."""
    given = options().parse_args(arguments)
    with TemporaryDirectory(prefix="headtune-bench-") as folder:
        return finish(compare(given, Path(folder)))


if __name__ == "__main__":
    main()
