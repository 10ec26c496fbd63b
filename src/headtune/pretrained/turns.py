"""Who may go on while what all threads of a process share is changed.

While transformers builds a model, torch's default number format, the initialisation of layers and
a few functions of torch are others, for every thread; and standard input is at its end meanwhile. A
pass of another thread would get bfloat16 where it counts on float32. So threads keep apart:

    beside()    a pass, a step of training: any number of threads at once
    alone()     a model is put together, or the process forks: one thread, and nobody ``beside``

Who waits to be alone goes before whoever comes after it, or passes that follow on each other would
keep it out for ever. A thread may enter again what it is within. A child of a fork keeps what the
thread that forked was within, and is rid of all others: they do not exist there.

Guarantees: nothing that is shared changes within ``beside``. Costs: 4 microseconds a pass; passes
of other threads wait for as long as a model takes to be read.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from headtune.processes import in_each_forked_child

__all__ = ["Turns", "alone", "beside"]


class Turns:
    """Threads that are ``beside`` each other, or one that is ``alone``."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._beside: dict[int, int] = {}  # thread -> how often it has entered
        self._alone: dict[int, int] = {}  # one thread at most
        self._n_waiting = 0

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Within, no other thread is alone."""
        me = threading.get_ident()
        with self._changed:
            if not self._is_within(me):
                self._changed.wait_for(lambda: not self._alone and not self._n_waiting)
            _enter(self._beside, me)
        try:
            yield
        finally:
            self._leave(self._beside, me)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within, no other thread is beside, nor alone."""
        self.begin_alone()
        try:
            yield
        finally:
            self.end_alone()

    def begin_alone(self, timeout_seconds: float | None = None) -> bool:
        """Wait for all others; False if they take longer than that, and then nothing is begun."""
        me = threading.get_ident()
        with self._changed:
            self._n_waiting += 1
            try:
                is_alone = self._changed.wait_for(
                    lambda: not (self._beside.keys() | self._alone.keys()) - {me}, timeout_seconds
                )
            finally:
                self._n_waiting -= 1
                self._changed.notify_all()
            if is_alone:
                _enter(self._alone, me)
        return is_alone

    def end_alone(self) -> None:
        """Leave what ``begin_alone`` has begun."""
        self._leave(self._alone, threading.get_ident())

    def forget_other_threads(self) -> None:
        """For a child of a fork, where there is one thread."""
        me = threading.get_ident()
        self._changed = threading.Condition()
        self._beside = {thread: n for thread, n in self._beside.items() if thread == me}
        self._alone = {thread: n for thread, n in self._alone.items() if thread == me}
        self._n_waiting = 0

    def _is_within(self, thread: int) -> bool:
        return thread in self._beside or thread in self._alone

    def _leave(self, threads: dict[int, int], me: int) -> None:
        with self._changed:
            threads[me] -= 1
            if not threads[me]:
                del threads[me]
                self._changed.notify_all()


def _enter(threads: dict[int, int], me: int) -> None:
    threads[me] = threads.get(me, 0) + 1


TURNS = Turns()
"""Those of this process."""

in_each_forked_child(TURNS.forget_other_threads)


def beside() -> AbstractContextManager[None]:
    """Within, no other thread puts a model together and none forks this process."""
    return TURNS.beside()


def alone() -> AbstractContextManager[None]:
    """Within, this thread may change what all share: no other computes with a model."""
    return TURNS.alone()
