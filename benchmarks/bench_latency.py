"""Latency: one text at a time, model in memory and warm, as behind a server with one user.

    headtune          ``Predictor.predict([text])``
    pipeline          transformers' pipeline as it comes, fp32
    pipeline, fast    the same in bfloat16 where the hardware multiplies it fast (else fp32), with
                      eager and with fused attention; the faster of the two counts

Text by text every side answers, in an order that turns round; the figure is the median over all
texts, and over rounds the median of these.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from statistics import median, quantiles
from typing import Any

import torch

from bench_prediction import answers, check_same_answers, pipeline_of
from harness import add_rounds, finish, machine, parser, print_table, say, set_threads
from workload import Workload, add_options, load_workload, peer_classifier

Answer = Callable[[str], object]


def sides_of(work: Workload) -> dict[str, Answer]:
    """Name of a side -> what answers one text."""
    fast = work.compute.dtype
    pipes = {
        "pipeline": pipeline_of(work, peer_classifier(work, torch.float32)),
        "pipeline, fast, eager": pipeline_of(work, peer_classifier(work, fast, "eager")),
        "pipeline, fast, fused": pipeline_of(work, peer_classifier(work, fast, "sdpa")),
    }
    few = work.texts[:4]
    ours = work.predictor.predict_proba(few)
    for name, pipe in pipes.items():
        check_same_answers(name, ours, answers(work, pipe, few, 1, False), work.compute.dtype_name)
    sides: dict[str, Answer] = {"headtune": lambda text: work.predictor.predict([text])}
    return sides | {name: _one(pipe, work.predictor.max_length) for name, pipe in pipes.items()}


def _one(pipe: Any, max_length: int) -> Answer:
    return lambda text: pipe(text, truncation=True, max_length=max_length)


def one_round(sides: dict[str, Answer], texts: Sequence[str]) -> dict[str, list[float]]:
    """Seconds of each text, by side."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number, text in enumerate(texts):
        names = list(sides) if number % 2 == 0 else list(reversed(sides))
        for name in names:
            start = time.perf_counter()
            sides[name](text)
            times[name].append(time.perf_counter() - start)
    return times


def compare(given: argparse.Namespace) -> dict[str, Any]:
    """Measure, and give table and JSON line."""
    n_threads = set_threads(given.threads)
    work = load_workload(given, 4 if given.quick else given.examples)
    sides = sides_of(work)
    one_round(sides, work.texts[:4])  # warm-up
    rounds = []
    for number in range(given.rounds):
        rounds.append(one_round(sides, work.texts))
        say(f"  round {number + 1} of {given.rounds}")
    if torch.get_num_threads() != n_threads:
        raise RuntimeError(f"A side changed the threads to {torch.get_num_threads()}.")
    figures = {name: _figures([found[name] for found in rounds]) for name in sides}
    ours = figures["headtune"]["median_seconds"]
    fast = min(figures[name]["median_seconds"] for name in figures if "fast" in name)
    rows = [
        (
            name,
            f"{1000 * found['median_seconds']:.1f} ms",
            f"{1000 * found['slowest_tenth_seconds']:.1f} ms",
            f"{ours / found['median_seconds']:.2f}",
        )
        for name, found in figures.items()
    ]
    print_table(("side", "median", "slowest tenth from", "headtune's share"), rows)
    return {
        "benchmark": "latency",
        "quick": given.quick,
        "machine": machine(n_threads),
        "model": given.model,
        "dtype": work.compute.dtype_name,
        "dtype_reason": work.compute.reason,
        "texts": len(work.texts),
        "sides": figures,
        "ratios": {
            "to_default": round(ours / figures["pipeline"]["median_seconds"], 3),
            "to_fast": round(ours / fast, 3),
        },
    }


def _figures(rounds: Sequence[Sequence[float]]) -> dict[str, Any]:
    medians = [median(times) for times in rounds]
    every = [seconds for times in rounds for seconds in times]
    return {
        "medians": [round(seconds, 5) for seconds in medians],
        "median_seconds": round(median(medians), 5),
        "slowest_tenth_seconds": round(quantiles(every, n=10)[-1], 5),
    }


def options() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    found = parser(__doc__)
    add_rounds(found)
    add_options(found, examples=50)
    return found


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark."""
    return finish(compare(options().parse_args(arguments)))


if __name__ == "__main__":
    main()
