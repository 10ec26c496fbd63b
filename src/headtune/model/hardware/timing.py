"""How fast something is on this machine, or that it cannot be told now.

Calls are timed in turn, so that a busy moment hits all of them. Of each turn, the time that the
process had on its cores is noted beside the time that went by: where other programs take the cores,
the first falls behind, and the turn is left out. Of what is left, the shortest time that two other
turns repeat to a tenth is believed; one lucky or unlucky turn is not.

Guarantees: no time at all, rather than that of a machine that was doing something else. Costs:
what the calls cost, for ``least_seconds`` and ten turns; ``most_seconds`` on a busy machine.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch

__all__ = ["Turns", "cores", "take_turns"]

LEAST_SHARE = 0.8
"""Of its cores' time that a turn must have had. Beside one other program on one core it is half."""

REPEATED = 3
WITHIN = 1.1
"""So many turns must agree to this factor."""

ENOUGH = 10
"""Turns, or ``most_seconds``, before anything is believed: the first ones may all be slow."""


@dataclass(slots=True)
class Turns:
    """What one call took, turn by turn: seconds, and the share of its cores that it had."""

    seconds: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def reproducible(self) -> float | None:
        """The shortest time that was undisturbed and repeated; None where there is none."""
        pairs = zip(self.seconds, self.shares, strict=True)
        quiet = sorted(seconds for seconds, share in pairs if share >= LEAST_SHARE)
        for shortest, longest in zip(quiet, quiet[REPEATED - 1 :], strict=False):
            if longest <= WITHIN * shortest:
                return shortest
        return None

    @property
    def best(self) -> float:
        """The shortest time, whatever disturbed it: right to a small factor, not to a tenth."""
        return min(self.seconds)


def take_turns(
    calls: Sequence[Callable[[], object]],
    device: torch.device,
    *,
    least_seconds: float = 0.05,
    most_seconds: float = 0.5,
    one_core: bool = False,
) -> list[Turns]:
    """Time each call in turn, without gradients, until every one is known and time is up.

    The first turn of each is not counted: it starts threads and loads kernels. With ``one_core``
    torch computes in this thread alone, and the time is what the thread had on its core: other
    programs, which put it off, hardly change that.
    """
    with torch.inference_mode():
        if not one_core:
            return _turns(calls, partial(_timed, device=device), least_seconds, most_seconds)
        with _one_thread():
            return _turns(calls, _timed_on_its_core, least_seconds, most_seconds)


def _turns(
    calls: Sequence[Callable[[], object]],
    timed: Callable[[Callable[[], object]], tuple[float, float]],
    least_seconds: float,
    most_seconds: float,
) -> list[Turns]:
    found = [Turns() for _ in calls]
    for call in calls:
        timed(call)
    begun = time.perf_counter()
    while True:
        for call, turns in zip(calls, found, strict=True):
            seconds, share = timed(call)
            turns.seconds.append(seconds)
            turns.shares.append(share)
        spent, n_turns = time.perf_counter() - begun, len(found[0].seconds)
        if n_turns < REPEATED or (spent < most_seconds and n_turns < ENOUGH):
            continue
        known = all(turns.reproducible() is not None for turns in found)
        if spent > (least_seconds if known else most_seconds):
            return found


def _timed(call: Callable[[], object], device: torch.device) -> tuple[float, float]:
    """Seconds, and the share that the process had of the cores that it can use; 1 elsewhere."""
    _wait_for(device)
    on_cores, start = time.process_time(), time.perf_counter()
    call()
    _wait_for(device)
    seconds = max(time.perf_counter() - start, 1e-9)
    if device.type != "cpu":
        return seconds, 1.0
    return seconds, (time.process_time() - on_cores) / (
        seconds * min(torch.get_num_threads(), cores())
    )


def _timed_on_its_core(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds that this thread was on a core."""
    start = time.thread_time()
    call()
    return max(time.thread_time() - start, 1e-9), 1.0


def cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _wait_for(device: torch.device) -> None:
    """Accelerators work behind the caller's back; a clock must wait for them."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
