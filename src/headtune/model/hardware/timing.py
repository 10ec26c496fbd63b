"""Which of a few ways is faster on this machine: timed in turn, so that a busy moment hits all."""

import time
from collections.abc import Callable, Sequence

import torch

__all__ = ["best_seconds"]


def best_seconds(
    calls: Sequence[Callable[[], object]],
    device: torch.device,
    n_rounds: int = 7,
    most_seconds: float = float("inf"),
) -> list[float]:
    """The shortest time of each call, without gradients, over ``n_rounds`` rounds of all of them.

    Ends after ``most_seconds``, but not before the second round, since first calls are slow.
    """
    best = [float("inf")] * len(calls)
    begun = time.perf_counter()
    with torch.inference_mode():
        for number in range(n_rounds):
            for place, call in enumerate(calls):
                start = time.perf_counter()
                call()
                if device.type == "cuda":
                    torch.cuda.synchronize(device)
                best[place] = min(best[place], time.perf_counter() - start)
            if number >= 1 and time.perf_counter() - begun > most_seconds:
                break
    return best
