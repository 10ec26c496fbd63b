"""What every benchmark here shares: alternating runs, medians, ratios, one JSON line at the end.

    sides      what is compared, each ready to run: loaded, and warmed up once, untimed
    rounds     in each round every side runs once, the order turned round from round to round,
               so that a busy moment of the machine hits all of them
    figures    the median of the rounds; ratios are made of medians

All sides run in this process with the same number of torch threads: it is set before each run and
looked at after it, so that no side can help itself to more. The load of the machine before and
after is part of the result, since figures of a busy machine are worth nothing.

A benchmark prints its progress on stderr, its table on stdout, and as its last line one object of
JSON with every figure it is made of.
"""

import argparse
import gc
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

__all__ = [
    "Side",
    "add_rounds",
    "alternate",
    "finish",
    "fresh_cache",
    "machine",
    "parser",
    "print_table",
    "ratio",
    "say",
    "set_threads",
]

LEAST_ROUNDS = 3


def parser(description: str) -> argparse.ArgumentParser:
    """The options that all of them take; each adds its own."""
    options = argparse.ArgumentParser(
        description=description.partition("\n\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = options.add_argument
    add("--model", default="smollm2-135m", help="alias, folder or hub id of the base model")
    add("--threads", type=int, default=None, help="torch threads of every side; else torch's own")
    add("--quick", action="store_true", help="a few examples: to see that it works, not how fast")
    return options


def add_rounds(options: argparse.ArgumentParser) -> None:
    """For benchmarks with several sides."""
    options.add_argument(
        "--rounds", type=_rounds, default=LEAST_ROUNDS, help="runs of each side, alternating"
    )


def _rounds(value: str) -> int:
    """A median needs three."""
    if (rounds := int(value)) < LEAST_ROUNDS:
        raise argparse.ArgumentTypeError(f"at least {LEAST_ROUNDS}, for a median")
    return rounds


@dataclass(slots=True)
class Side:
    """One of the things compared: ``run`` does the whole work once, from the same examples.

    ``settings`` says in the result what the side is; ``seconds`` collects its runs.
    """

    name: str
    run: Callable[[], object]
    settings: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    @property
    def median_seconds(self) -> float:
        return median(self.seconds)

    def figures(self, n_examples: int) -> dict[str, Any]:
        """For the JSON line: every run, their median, and examples a second by the median."""
        return {
            **self.settings,
            "seconds": [round(seconds, 4) for seconds in self.seconds],
            "median_seconds": round(self.median_seconds, 4),
            "examples_per_second": round(n_examples / self.median_seconds, 3),
        }


def set_threads(n_threads: int | None) -> int:
    """Threads of torch's operators, for every side alike; returns their number."""
    import torch

    if n_threads is not None:
        torch.set_num_threads(n_threads)
    return torch.get_num_threads()


def alternate(sides: Sequence[Side], rounds: int, n_threads: int) -> None:
    """Run every side ``rounds`` times, in turn; their times are added to ``Side.seconds``.

    Raises ``RuntimeError`` when a side changes the number of threads.
    """
    import torch

    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            torch.set_num_threads(n_threads)
            gc.collect()
            start = time.perf_counter()
            side.run()
            side.seconds.append(time.perf_counter() - start)
            say(f"  round {number + 1} of {rounds}: {side.name}, {side.seconds[-1]:.2f} s")
            if torch.get_num_threads() != n_threads:
                raise RuntimeError(
                    f"{side.name!r} ran with {torch.get_num_threads()} threads, expected "
                    f"{n_threads}: the comparison would not be fair."
                )


def ratio(peer: Side, ours: Side) -> float:
    """How many times faster ``ours`` is, by the medians."""
    return round(peer.median_seconds / ours.median_seconds, 3)


def machine(n_threads: int) -> dict[str, Any]:
    """What a figure depends on besides the code."""
    libraries = ("headtune", "torch", "transformers", "peft")
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "threads": n_threads,
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


@contextmanager
def fresh_cache() -> Iterator[Path]:
    """Within, headtune's cache is an empty folder: nothing that an earlier run kept is found."""
    before = os.environ.get("HEADTUNE_CACHE")
    with TemporaryDirectory(prefix="headtune-bench-") as folder:
        os.environ["HEADTUNE_CACHE"] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ["HEADTUNE_CACHE"]
            else:
                os.environ["HEADTUNE_CACHE"] = before


def say(message: str) -> None:
    """A line of progress, on stderr."""
    print(message, file=sys.stderr, flush=True)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """On stdout: the first column to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in [header, *rows]:
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())


def finish(result: dict[str, Any]) -> dict[str, Any]:
    """The last line: everything, as JSON. Returns it, for who called the benchmark in process."""
    result = {**result, "load_after": round(os.getloadavg()[0], 2)}
    print(json.dumps(result, ensure_ascii=False), flush=True)
    return result
