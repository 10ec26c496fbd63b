"""Prediction: many texts through headtune, transformers' pipeline, and OpenVINO.

    default     transformers' text classification pipeline as it comes: fp32, one text at a time
    best        the pipeline at its best on this machine: texts sorted by length, the fastest of
                batches of 1, 8 and 32 with eager and fused attention, in bfloat16 where the
                hardware multiplies it fast, else in fp32
    openvino    OpenVINO through optimum-intel, sorted, the fastest batch; where it is installed
    headtune    packed, longest first

Every side takes the same texts, tokenization included, and the same weights. First all answers are
compared with headtune's: a side that answers something else is no peer.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
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
from headtune.errors import MissingDependencyError
from headtune.model import rate_and_share, useful_flops_per_token
from headtune.tokens import encode_texts
from peer_openvino import openvino_pipeline
from workload import Workload, add_options, load_workload, peer_classifier

Probabilities = npt.NDArray[np.float64]
BATCH_SIZES = (1, 8, 32)
LARGEST_DIFFERENCE = {"float32": 1e-3, "bfloat16": 0.05}
"""Of a probability, to headtune's: rounding, and not another model."""


def pipeline_of(work: Workload, model: Any) -> Any:
    """transformers' pipeline around a model, scores of all labels."""
    from transformers import pipeline

    return pipeline(
        "text-classification",
        model=model,
        tokenizer=work.predictor.tokenizer,
        top_k=None,
        device=work.compute.device,
    )


def answers(
    work: Workload, pipe: Any, texts: Sequence[str], batch_size: int, by_length: bool
) -> Probabilities:
    """What a pipeline says, ``(n_texts, n_labels)``, in the order of ``texts``."""
    order = (
        sorted(range(len(texts)), key=lambda i: len(texts[i])) if by_length else range(len(texts))
    )
    found = np.empty((len(texts), len(work.labels)))
    given = pipe(
        [texts[i] for i in order],
        batch_size=batch_size,
        truncation=True,
        max_length=work.predictor.max_length,
    )
    for place, scores in zip(order, given, strict=True):
        by_name = {score["label"]: score["score"] for score in scores}
        found[place] = [by_name[name] for name in work.labels.names]
    return found


Way = tuple[dict[str, Any], Callable[[Sequence[str]], Probabilities]]
"""Settings of a peer, and the function that answers."""


def ways_of_pipeline(work: Workload) -> list[Way]:
    """What is tried for "best"."""
    dtype = work.compute.dtype
    ways: list[Way] = []
    for attention in ("eager", "sdpa"):
        pipe = pipeline_of(work, peer_classifier(work, dtype, attention))
        ways += _ways(work, pipe, {"dtype": work.compute.dtype_name, "attention": attention})
    return ways


def ways_of_openvino(work: Workload) -> list[Way]:
    """Raises ``MissingDependencyError`` where optimum-intel is not installed, or not for this
    version of transformers."""
    return _ways(work, openvino_pipeline(work), {"runtime": "openvino"})


def _ways(work: Workload, pipe: Any, settings: dict[str, Any]) -> list[Way]:
    def way(batch_size: int) -> Way:
        return (
            {**settings, "batch_size": batch_size, "sorted": True},
            lambda texts: answers(work, pipe, texts, batch_size, True),
        )

    return [way(batch_size) for batch_size in BATCH_SIZES]


def fastest(ways: Sequence[Way], texts: Sequence[str]) -> tuple[Way, list[dict[str, Any]]]:
    """The fastest way over a few texts, after one untimed run, and what all of them reached."""
    found = []
    for settings, answer in ways:
        answer(texts[: max(BATCH_SIZES)])
        start = time.perf_counter()
        answer(texts)
        rate = len(texts) / (time.perf_counter() - start)
        found.append({**settings, "examples_per_second": round(rate, 3)})
        say(f"  {found[-1]}")
    best = max(range(len(ways)), key=lambda i: found[i]["examples_per_second"])
    return ways[best], found


def check_same_answers(name: str, ours: Probabilities, theirs: Probabilities, dtype: str) -> float:
    """The largest difference of a probability. Raises ``RuntimeError`` when it is no rounding."""
    difference = float(np.abs(ours - theirs).max())
    if difference > LARGEST_DIFFERENCE[dtype]:
        raise RuntimeError(f"{name} answers something else: probabilities differ by {difference}.")
    return difference


def compare(given: argparse.Namespace) -> dict[str, Any]:
    """Choose the best way of each peer, check its answers, run all in turn."""
    n_threads = set_threads(given.threads)
    work = load_workload(given, 32 if given.quick else given.examples)
    texts = work.texts
    trial = texts[: 16 if given.quick else 128]
    default = pipeline_of(work, peer_classifier(work, torch.float32))
    found: dict[str, list[dict[str, Any]]] = {}
    chosen: dict[str, Way] = {
        "default": (
            {"dtype": "float32", "batch_size": 1, "sorted": False},
            lambda texts: answers(work, default, texts, 1, False),
        )
    }
    say("Looking for the best settings of the pipeline")
    chosen["best"], found["best"] = fastest(ways_of_pipeline(work), trial)
    skipped = {}
    try:
        chosen["openvino"], found["openvino"] = fastest(ways_of_openvino(work), trial)
    except MissingDependencyError as error:
        skipped["openvino"] = str(error)
        say(f"  OpenVINO is left out: {error}")
    ours = work.predictor.predict_proba(trial)
    differences = {
        name: check_same_answers(name, ours, way(trial), work.compute.dtype_name)
        for name, (_, way) in chosen.items()
    }
    sides = [Side("headtune", lambda: work.predictor.predict_proba(texts))]
    sides[0].settings["dtype"] = work.compute.dtype_name
    for name, (settings, way) in chosen.items():
        sides.append(Side(name, partial(way, texts), settings))
    alternate(sides, given.rounds, n_threads)
    return result(given, work, sides, found, differences, skipped, n_threads)


def result(
    given: argparse.Namespace,
    work: Workload,
    sides: list[Side],
    found: dict[str, list[dict[str, Any]]],
    differences: dict[str, float],
    skipped: dict[str, str],
    n_threads: int,
) -> dict[str, Any]:
    """Table and JSON line."""
    ours, *peers = sides
    n = len(work.texts)
    examples = encode_texts(work.texts, work.predictor.tokenizer, work.predictor.max_length)
    n_tokens = sum(map(len, examples))
    flops, _ = useful_flops_per_token(work.predictor.classifier)
    useful = flops * n_tokens / ours.median_seconds
    rate, share = rate_and_share(useful, work.compute.dtype, work.compute.device)
    rows = [
        (side.name, f"{n / side.median_seconds:.1f}", f"{ratio(side, ours):.2f} x")
        for side in sides
    ]
    print_table(("side", "examples/s", "headtune is faster by"), rows)
    return {
        "benchmark": "prediction",
        "quick": given.quick,
        "machine": machine(n_threads),
        "model": given.model,
        "dtype": work.compute.dtype_name,
        "dtype_reason": work.compute.reason,
        "data": work.describe(n_tokens),
        "sides": {side.name: side.figures(n) for side in sides},
        "ratios": {peer.name: ratio(peer, ours) for peer in peers},
        "skipped": skipped,
        "matrix_flops_per_second": rate,
        "share_of_matrix_rate": None if share is None else round(share, 6),
        "largest_difference_of_a_probability": differences,
        "candidates_for_best": found,
    }


def options() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    found = parser(__doc__)
    add_rounds(found)
    add_options(found, examples=512)
    return found


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark."""
    return finish(compare(options().parse_args(arguments)))


if __name__ == "__main__":
    main()
