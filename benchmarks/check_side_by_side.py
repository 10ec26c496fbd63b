"""Two trainings on the same cores: how much longer they take than one alone.

In each round one training runs alone, then two side by side, each in a process of its own that has
loaded its model and trained a step before the clock starts; sides take turns. ``headtune`` lets its
threads wait as it does by itself, ``spinning`` as GNU's OpenMP comes (GOMP_SPINCOUNT=300000). Two
that share the cores evenly take twice as long as one; what is above that is lost.

The last line is one object of JSON. Figures of a machine on which something else runs are worth
nothing: its load before and after is among them.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from harness import add_rounds, finish, machine, parser, print_table, say

SETTINGS: dict[str, dict[str, str]] = {"headtune": {}, "spinning": {"GOMP_SPINCOUNT": "300000"}}
WAITING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
BATCH_SIZE = 16


def train(given: argparse.Namespace) -> None:
    """In a process of its own: says "ready"; at each line read, trains and says the seconds."""
    from headtune.bench import train_steps
    from headtune.model import make_trainable
    from headtune.options import TuneConfig
    from headtune.tokens import encode_examples
    from workload import load_workload

    work = load_workload(given, given.examples)
    classifier = work.predictor.classifier
    make_trainable(classifier, TuneConfig(tune="lora"))
    examples = encode_examples(work.examples, work.predictor.tokenizer, 256)

    def steps(number: int) -> None:
        train_steps(
            classifier,
            examples,
            batch_size=BATCH_SIZE,
            n_steps=number,
            max_tokens_per_batch=2_048,
            labels=work.labels,
        )

    steps(1)
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        steps(given.steps)
        print(time.perf_counter() - start, flush=True)


Training = subprocess.Popen[str]


def started(settings: dict[str, str], arguments: Sequence[str]) -> Training:
    """One that has loaded its model, has trained a step and waits."""
    training = subprocess.Popen(
        [sys.executable, __file__, "--as-one", *arguments],
        env={name: v for name, v in os.environ.items() if name not in WAITING} | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert training.stdout is not None
    while training.stdout.readline() != "ready\n":
        if training.poll() is not None:
            raise RuntimeError("A training ended before it began; see above.")
    return training


def together(trainings: Sequence[Training]) -> float:
    """Seconds of the slowest of these, which begin at once."""
    for training in trainings:
        assert training.stdin is not None
        training.stdin.write("go\n")
        training.stdin.flush()
    return max(float(training.stdout.readline()) for training in trainings if training.stdout)


def compare(given: argparse.Namespace, arguments: Sequence[str]) -> dict[str, Any]:
    """Table and JSON line."""
    seconds: dict[tuple[str, int], list[float]] = {(s, n): [] for s in SETTINGS for n in (1, 2)}
    about = machine(os.cpu_count() or 1)
    trainings = {
        side: [started(settings, arguments) for _ in range(2)]
        for side, settings in SETTINGS.items()
    }
    for number in range(given.rounds):
        for (side, n), times in seconds.items():
            times.append(round(together(trainings[side][:n]), 3))
            say(f"  round {number + 1} of {given.rounds}: {side}, {n} at once, {times[-1]:.2f} s")
    for training in (training for pair in trainings.values() for training in pair):
        training.communicate()
    sides = {
        side: {
            "alone": seconds[side, 1],
            "side_by_side": seconds[side, 2],
            "times_longer": round(median(seconds[side, 2]) / median(seconds[side, 1]), 3),
        }
        for side in SETTINGS
    }
    print_table(
        ("side", "alone", "two at once", "times longer"),
        [
            (
                side,
                f"{median(seconds[side, 1]):.2f} s",
                f"{median(seconds[side, 2]):.2f} s",
                f"{figures['times_longer']:.2f} x",
            )
            for side, figures in sides.items()
        ],
    )
    alone = median(seconds["spinning", 1]) / median(seconds["headtune", 1])
    return {
        "benchmark": "side_by_side",
        "quick": given.quick,
        "machine": about,
        "model": given.model,
        "steps": given.steps,
        "sides": sides,
        "alone_against_spinning": round(alone, 3),
    }


def options() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    from workload import add_options

    found = parser(__doc__)
    add_rounds(found)
    add_options(found, examples=200)
    found.add_argument("--steps", type=int, default=12, help="optimizer steps of each training")
    found.add_argument("--as-one", action="store_true", help=argparse.SUPPRESS)
    return found


def main(arguments: Sequence[str] | None = None) -> dict[str, Any] | None:
    """Runs it, in turn; as one of the trainings, that alone."""
    arguments = sys.argv[1:] if arguments is None else arguments
    given = options().parse_args(arguments)
    if given.quick:
        given.steps, given.examples = 2, 32
    if given.as_one:
        train(given)
        return None
    return finish(compare(given, arguments))


if __name__ == "__main__":
    main()
