"""One training at a time in a process; the others wait for their turn.

transformers' Trainer and accelerate keep what they know of devices, number formats and gradient
steps once a process, and each training begins by resetting it; random numbers are drawn from one
generator. Two trainings at once would take each other's. Nothing is lost by turns: one training
uses all cores of a CPU, and a GPU's memory.

Predictions of other threads go on meanwhile (``pretrained/turns.py``). A training that begins
within another one of the same thread, in a progress callback, is let in. One that waits in such a
callback for a training of another thread waits for ever.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from headtune.processes import in_each_forked_child
from headtune.progress import Progress

__all__ = ["one_fit"]

_LOCK = threading.RLock()


@contextmanager
def one_fit(progress: Progress) -> Iterator[None]:
    """Within, no other thread trains; ``progress`` hears if one has to be waited for."""
    lock = _LOCK
    if not lock.acquire(blocking=False):
        progress.say("Another training of this process goes first.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _begin_anew() -> None:
    """In a child of a fork: no other thread trains."""
    global _LOCK
    _LOCK = threading.RLock()


in_each_forked_child(_begin_anew)
