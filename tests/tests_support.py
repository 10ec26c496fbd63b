"""What several test files share: forty short texts on two topics, a table, examples with states."""

from __future__ import annotations

import csv
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtune.progress import SilentProgress

if TYPE_CHECKING:
    from headtune.batches import KeptExample
    from headtune.model import FrozenTrunk, StateStore
    from headtune.types import TokenizedExample

TEXTS = [f"{start} {n}" for n in range(10) for start in ("win a free prize", "call to claim cash")]
TEXTS += [f"{start} {n}" for n in range(10) for start in ("see you at dinner", "home for tea")]
TOPICS = ["prize"] * 20 + ["dinner"] * 20


class Heard(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


def write_table(path: Path, more: Sequence[tuple[str, str]] = ()) -> Path:
    """A CSV file of 200 rows, each text five times with another number behind it, and ``more``."""
    rows = [
        (f"{text} {n}", topic) for n in range(5) for text, topic in zip(TEXTS, TOPICS, strict=True)
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "topic"), *rows, *more])
    return path


def read_history(path: Path) -> list[dict[str, Any]]:
    """The rows of a ``history.jsonl``."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Look every 10 ms until it holds, at most four minutes; the process must not end before."""
    deadline = time.monotonic() + 240
    while not condition():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def keep_states(
    trunk: FrozenTrunk, examples: Sequence[TokenizedExample], store: StateStore | None = None
) -> list[KeptExample]:
    """The examples with what the trunk makes of them."""
    from headtune.model import Keeper

    kept = Keeper(trunk, max_tokens_per_batch=100, store=store).keep(examples)
    assert kept is not None
    return kept.examples
