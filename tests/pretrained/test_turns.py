"""Threads beside each other, and one that is alone."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from headtune.pretrained.turns import Turns

PATIENCE_SECONDS = 60


def test_many_are_beside_each_other() -> None:
    turns, all_within = Turns(), threading.Barrier(3)

    def enter(_: int) -> None:
        with turns.beside():
            all_within.wait(PATIENCE_SECONDS)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(enter, range(3)))


def test_one_is_alone_and_all_get_their_turn() -> None:
    turns, within, seen = Turns(), [0, 0], set[tuple[int, int]]()

    def work(number: int) -> None:
        kind = number % 3 == 0
        enter: Callable[[], AbstractContextManager[None]] = turns.alone if kind else turns.beside
        for _ in range(20):
            with enter():
                within[kind] += 1
                time.sleep(1e-4)
                seen.add((within[0] > 0 and within[1] > 0, within[1]))
                within[kind] -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert {(both, min(alone, 2)) for both, alone in seen} <= {(False, 0), (False, 1)}


def test_a_thread_may_enter_again_what_it_is_within() -> None:
    """Also when another one is waiting to be alone, which would go first otherwise."""
    turns = Turns()
    with ThreadPoolExecutor(1) as pool:
        with turns.beside():
            waits = pool.submit(turns.begin_alone, PATIENCE_SECONDS)
            while not turns._n_waiting:
                time.sleep(1e-3)
            with turns.beside():
                assert not waits.done()
        assert waits.result(PATIENCE_SECONDS)
        pool.submit(turns.end_alone).result()
    with turns.alone(), turns.alone(), turns.beside():
        pass
    with turns.beside(), turns.alone():
        pass


def test_who_waits_to_be_alone_gives_up_in_time_and_lets_the_others_go_on() -> None:
    turns = Turns()
    with ThreadPoolExecutor(2) as pool, turns.beside():
        assert not pool.submit(turns.begin_alone, 0.01).result(PATIENCE_SECONDS)

        def enter() -> None:
            with turns.beside():
                pass

        pool.submit(enter).result(PATIENCE_SECONDS)
