"""Trainings in threads and children of forks: do they hang, fail, or answer something else?

For each number of OpenMP threads, in a process of its own, on a random model of two layers in the
architecture of ``--model``:

    fits                 two trainings at once in two threads, float32 and bfloat16 with dropout,
                         and a third thread that predicts all the while
    after a load         a run is loaded, the process forks, the child predicts
    after a prediction   the process predicts, forks, and the child predicts
    beside a prediction  the same while another thread of the parent predicts all the while

Every answer is compared, to the last bit, with that of one training, and of one prediction, alone.
A child that has not answered after ``--patience`` seconds is a hang, and killed; so is a training.

The last line is one object of JSON. It ends with exit code 1 where anything went wrong.
"""

import argparse
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import finish, fresh_cache, machine, parser, print_table, say

Answers = npt.NDArray[np.float64]

TEXTS = [
    "the winner of a free prize is called now",
    "are you coming home for dinner tonight",
    "call this number to claim your cash award",
    "see you at the station in ten minutes",
    "urgent your account has been selected",
    "what time is the meeting tomorrow",
] * 5
LABELS = ["spam", "ham"] * 15
SETTINGS: tuple[dict[str, Any], ...] = (
    {"tune": "last-1", "dtype": "float32", "seed": 1},
    {"tune": "lora", "dtype": "bfloat16", "seed": 2, "lora_dropout": 0.2, "learning_rate": 5e-3},
)
KINDS = ("fits", "after a load", "after a prediction", "beside a prediction")


@dataclass(slots=True)
class Count:
    """How often something was tried, and what was not as it is alone."""

    tries: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: str) -> None:
        """ "same", or the name of a fault."""
        self.tries += 1
        if outcome != "same":
            self.faults[outcome] += 1

    def to_dict(self) -> dict[str, Any]:
        return {"tries": self.tries, "faults": dict(self.faults)}


def make_model(name: str, folder: Path) -> Path:
    """Two layers of random weights in the architecture of a model, with its tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from headtune.pretrained import find_pretrained

    path = find_pretrained(name).path
    shape = {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "dtype": "float32",
    }
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(path, **shape)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(path).save_pretrained(folder)
    return folder


def train(model: Path, settings: dict[str, Any]) -> Any:
    """A classifier after two steps."""
    from headtune import TextClassifier

    classifier = TextClassifier(
        str(model), device="cpu", max_steps=2, batch_size=12, validation_fraction=0.2, **settings
    )
    return classifier.fit(TEXTS, LABELS)


def pairs_of_fits(model: Path, predict: Callable[[], Answers], given: argparse.Namespace) -> Count:
    """Two trainings at once, ``--pairs`` times, while a third thread predicts; up to a hang."""
    count = Count()

    def answers(settings: dict[str, Any]) -> Answers:
        found: Answers = train(model, settings).predict_proba(TEXTS)
        return found

    expected = [answers(settings) for settings in SETTINGS]
    pool = ThreadPoolExecutor(len(SETTINGS))
    with predicting(predict, count):
        for number in range(1, given.pairs + 1):
            futures = [pool.submit(answers, settings) for settings in SETTINGS]
            pairs = zip(futures, expected, strict=True)
            outcomes = [outcome(*pair, given.patience) for pair in pairs]
            count.add(next((each for each in outcomes if each != "same"), "same"))
            if "hang" in outcomes:
                break
            if number % 10 == 0:
                say(f"  {number} pairs of fits, {count.faults.total()} faults")
    return count


def outcome(future: "Future[Answers]", expected: Answers, patience: float) -> str:
    """ "same", or what was wrong."""
    try:
        if error := future.exception(patience):
            return f"{type(error).__name__}: {error}"[:100]
    except TimeoutError:
        return "hang"
    return "same" if np.array_equal(future.result(), expected) else "different"


@contextmanager
def predicting(predict: Callable[[], Answers], count: Count) -> Iterator[None]:
    """Within, a thread predicts again and again; an answer unlike the first one is a fault."""
    expected, stop = predict(), threading.Event()

    def again() -> None:
        while not stop.wait(0.05):  # without a pause the trainings would hardly get on
            if not np.array_equal(predict(), expected):
                count.faults["prediction of another thread"] += 1

    with ThreadPoolExecutor(1) as pool:
        predictions = pool.submit(again)
        try:
            yield
        finally:
            stop.set()
        if error := predictions.exception():
            count.faults[f"prediction of another thread: {error}"[:100]] += 1


def answer_of_child(predict: Callable[[], Answers], patience: float) -> Answers | str:
    """What a forked child predicts, or the fault."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(into, predict().tobytes())  # fits into the pipe's buffer
        finally:
            os._exit(0)
    os.close(into)
    has_answered = bool(select.select([out], [], [], patience)[0])
    if not has_answered:
        os.kill(child, signal.SIGKILL)
    data = os.read(out, 1 << 20) if has_answered else b""
    os.close(out)
    os.waitpid(child, 0)
    if not has_answered:
        return "hang"
    return np.frombuffer(data).reshape(len(TEXTS), -1) if data else "error"


def forks(
    before: Callable[[], Callable[[], Answers]], expected: Answers, given: argparse.Namespace
) -> Count:
    """``--forks`` of them; ``before`` is done before each, and says how its child predicts."""
    count = Count()
    for _ in range(given.forks):
        found = answer_of_child(before(), given.patience)
        if isinstance(found, str):
            count.add(found)
        else:
            count.add("same" if np.array_equal(found, expected) else "different")
    return count


def check(given: argparse.Namespace) -> None:
    """In a process of its own: all four with these threads; prints the counts as JSON."""
    import torch

    from headtune import Predictor

    torch.set_num_threads(given.threads)
    folder = Path(given.folder)

    def load() -> Callable[[], Answers]:
        predictor = Predictor.load(folder / "run", device="cpu", dtype="float32")
        return lambda: predictor.predict_proba(TEXTS)

    def load_and_predict() -> Callable[[], Answers]:
        predict()
        return predict

    predict = load()
    counts = {"after a load": forks(load, predict(), given)}
    counts["after a prediction"] = forks(load_and_predict, predict(), given)
    beside = Count()
    with predicting(predict, beside):
        found = forks(lambda: predict, predict(), given)
    counts["beside a prediction"] = Count(found.tries, found.faults + beside.faults)
    counts["fits"] = pairs_of_fits(folder / "model", predict, given)
    print(json.dumps({kind: counts[kind].to_dict() for kind in KINDS}), flush=True)
    os._exit(0)  # a thread that hangs would not let it end


def measure(given: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    """Number of threads -> kind -> what was counted."""
    train(folder / "model", SETTINGS[0]).save(folder / "run")
    found = {}
    for n in given.threads_of_checks:
        start = time.perf_counter()
        arguments = ["--as-one", "--threads", n, "--folder", folder]
        for name in ("pairs", "forks", "patience"):
            arguments += [f"--{name}", getattr(given, name)]
        done = subprocess.run(
            [sys.executable, __file__, *map(str, arguments)],
            env=os.environ | {"OMP_NUM_THREADS": str(n)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found[str(n)] = json.loads(done.stdout.splitlines()[-1])
        say(f"  {n} threads: {time.perf_counter() - start:.0f} s")
    return found


def compare(given: argparse.Namespace) -> dict[str, Any]:
    """Table and JSON line."""
    about = machine(os.cpu_count() or 1)
    with TemporaryDirectory(prefix="headtune-check-") as folder:
        make_model(given.model, Path(folder) / "model")
        with fresh_cache():
            found = measure(given, Path(folder))
    rows = [
        (kind, n, str(counts[kind]["tries"]), str(sum(counts[kind]["faults"].values())))
        for kind in KINDS
        for n, counts in found.items()
    ]
    print_table(("", "threads", "tries", "faults"), rows)
    return {
        "benchmark": "threads_and_forks",
        "quick": given.quick,
        "machine": about,
        "model": given.model,
        "threads": found,
        "faults": sum(int(row[-1]) for row in rows),
    }


def options() -> argparse.ArgumentParser:
    """The options of this check."""
    found = parser(__doc__)
    add = found.add_argument
    add("--pairs", type=int, default=200, help="pairs of trainings, for each number of threads")
    add("--forks", type=int, default=100, help="forks of each kind, for each number of threads")
    add("--patience", type=float, default=120.0, help="seconds until something counts as a hang")
    add("--as-one", action="store_true", help=argparse.SUPPRESS)
    add("--folder", help=argparse.SUPPRESS)
    return found


def main(arguments: Sequence[str] | None = None) -> dict[str, Any] | None:
    """Runs it; as one of the processes, its part alone."""
    given = options().parse_args(arguments)
    if given.as_one:
        check(given)
        return None
    if given.quick:
        given.pairs, given.forks = 4, 3
    given.threads_of_checks = (given.threads,) if given.threads else (1, 2, 4)
    return finish(compare(given))


if __name__ == "__main__":
    result = main()
    sys.exit(bool(result and result["faults"]))
