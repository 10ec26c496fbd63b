"""The yardstick: a slow moment is not believed, and nothing reaches more than all of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from headtune.model import matrix_product_rate, rate_and_share
from headtune.model.hardware import measured, timing, yardstick
from headtune.model.hardware.measured import measurements
from headtune.model.hardware.timing import Turns, take_turns

CPU = torch.device("cpu")
QUIET = 1e12
"""Operations a second of the machine that is made up here, when it is quiet."""


@pytest.fixture(autouse=True)
def _new_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path))
    monkeypatch.setattr(measured, "_in_memory", {})
    monkeypatch.setattr(yardstick, "_busy", set())


@pytest.mark.parametrize(
    ("seconds", "shares", "expected"),
    [
        ([1.0, 1.02, 1.05, 1.3], [1.0] * 4, 1.0),
        ([40.0, 1.0, 1.0, 1.0], [1.0] * 4, 1.0),  # one slow outlier
        ([0.1, 1.0, 1.0, 1.0], [1.0] * 4, 1.0),  # one that no clock can have meant
        ([2.0] * 10, [0.5] * 10, None),  # beside another program, all the time
        ([2.0, 1.0, 2.1, 1.0, 1.0], [0.5, 0.95, 0.5, 0.9, 0.97], 1.0),  # now and then
        ([1.0, 1.6, 2.5, 4.0], [1.0] * 4, None),  # noise
        ([1.0, 1.0], [1.0, 1.0], None),  # too few
    ],
)
def test_what_is_believed(seconds: list[float], shares: list[float], expected: float) -> None:
    assert Turns(seconds, shares).reproducible() == expected


def machine(monkeypatch: pytest.MonkeyPatch, slowed: Callable[[int], tuple[float, float]]) -> None:
    """Products at the rate of ``QUIET``, each slowed by a factor, with a share of its cores."""
    numbers = iter(range(10**6))

    def product(side: int) -> Iterator[tuple[float, float]]:
        while True:
            factor, share = slowed(next(numbers))
            yield 2.0 * side**3 / QUIET * factor, share

    def turns(calls: list[object], device: torch.device, **_: float) -> list[Turns]:
        (call,) = calls
        pace = product(call.args[0].shape[0])  # type: ignore[attr-defined]
        timed = [next(pace) for _ in range(12)]
        return [Turns([each[0] for each in timed], [each[1] for each in timed])]

    monkeypatch.setattr(yardstick, "take_turns", turns)


@pytest.mark.parametrize(
    "slowed",
    [
        lambda n: (1.0, 1.0),
        lambda n: (30.0, 1.0) if n % 12 == 0 else (1.0, 1.0),  # the first of each side is slow
        lambda n: (1.0 + n % 3, 1.0 / (1.0 + n % 3)),  # other programs, two turns of three
        lambda n: (1.0 + 0.03 * (n % 4), 0.95),
        lambda n: (2.0, 0.5),  # half the speed throughout
        lambda n: (1.0 + (n * 7919 % 97) / 10, 0.7),
    ],
)
def test_on_a_busy_machine_it_is_that_of_the_quiet_one_or_unknown(
    slowed: Callable[[int], tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, slowed)
    rate = matrix_product_rate(torch.float32, CPU)
    assert rate is None or rate == pytest.approx(QUIET, rel=0.15)
    assert (rate is None) == (measurements() == {})  # what is not known is not kept
    assert (rate is None) == (slowed(1)[1] < 0.8 and slowed(0)[1] < 0.8)


def test_small_products_may_leave_cores_idle_by_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As oneDNN's of bfloat16 do with AMX: that is no other program on them."""
    machine(monkeypatch, lambda n: (2.0, 0.5) if n < 24 else (1.0, 0.9))
    assert matrix_product_rate(torch.float32, CPU) == pytest.approx(QUIET)


def test_it_is_measured_once_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, lambda n: (1.0, 1.0))
    rate = matrix_product_rate(torch.float32, CPU)
    monkeypatch.setattr(measured, "_in_memory", {})  # as in the next process
    machine(monkeypatch, lambda n: (5.0, 1.0))
    assert matrix_product_rate(torch.float32, CPU) == rate
    assert matrix_product_rate(torch.bfloat16, CPU) == pytest.approx(QUIET / 5)


def test_a_share_above_one_means_that_the_yardstick_was_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, lambda n: (27.0, 1.0))  # all turns at a 27th: it cannot be noticed
    rate, share = rate_and_share(0.02 * QUIET, torch.float32, CPU)
    assert share == pytest.approx(0.54)
    machine(monkeypatch, lambda n: (1.0, 1.0))
    rate, share = rate_and_share(0.5 * QUIET, torch.float32, CPU)  # measured again, and kept
    assert rate == pytest.approx(QUIET)
    assert share == pytest.approx(0.5)
    assert rate_and_share(1.2 * QUIET, torch.float32, CPU) == (None, None)
    assert measurements() == {}  # the next process does not believe it either
    machine(monkeypatch, lambda n: (2.0, 0.5))
    assert rate_and_share(1.0, torch.bfloat16, CPU) == (None, None)


def test_the_first_turn_is_not_counted_and_all_have_turns() -> None:
    calls: list[str] = []
    ways = [lambda: calls.append("a"), lambda: calls.append("b")]
    found = take_turns(ways, CPU, least_seconds=0.0, most_seconds=0.0)
    assert calls == ["a", "b"] * (len(calls) // 2)
    assert [len(turns.seconds) for turns in found] == [len(calls) // 2 - 1] * 2
    assert len(found[0].seconds) >= timing.REPEATED


def test_on_one_core_the_threads_come_back() -> None:
    before = torch.get_num_threads()
    seen: list[int] = []
    take_turns([lambda: seen.append(torch.get_num_threads())], CPU, one_core=True)
    assert set(seen) == {1}
    assert torch.get_num_threads() == before


def test_a_real_rate_is_that_of_a_product() -> None:
    """Where the machine is too busy just now, there is no figure to be wrong."""
    rate = matrix_product_rate(torch.float32, CPU)
    if rate is None:
        return
    a = torch.ones(512, 512)
    (turns,) = take_turns([lambda: torch.nn.functional.linear(a, a)], CPU)
    assert 0.5 < rate * turns.best / (2 * 512**3) < 100  # the best is seldom better than the best
