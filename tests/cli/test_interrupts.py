"""Ctrl-C while libraries are imported: never lost, whatever Python is doing at that moment."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from headtune.cli.interrupts import heeding_ctrl_c


@pytest.fixture(autouse=True)
def pythons_own_handler() -> Iterator[None]:
    """Whoever runs the tests may have set another."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    """As the terminal does; Python runs the handler before the next statement."""
    os.kill(os.getpid(), signal.SIGINT)


class Finalizer:
    """Whose end is where Ctrl-C falls."""

    def __del__(self) -> None:
        press()


def swallow() -> None:
    with suppress(KeyboardInterrupt):
        press()


def make_another_error() -> None:
    try:
        press()
    except KeyboardInterrupt:
        raise ImportError("no module") from None


@pytest.mark.parametrize(
    ("work", "goes_on"),
    [(press, False), (Finalizer, True), (swallow, True), (make_another_error, False)],
)
def test_it_is_heeded(
    work: Callable[[], object], goes_on: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    went_on = []

    def block() -> None:
        with heeding_ctrl_c():
            work()
            went_on.append(True)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert bool(went_on) is goes_on
    assert capsys.readouterr().err == ""


def test_other_errors_and_other_finalizers_are_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda unraisable: seen.append(unraisable.exc_value))

    class Broken:
        def __del__(self) -> None:
            raise OSError("gone")

    def block() -> None:
        with heeding_ctrl_c():
            Broken()
            raise ValueError("as it was")

    with pytest.raises(ValueError, match="as it was"):
        block()
    assert [type(error) for error in seen] == [OSError]


def test_afterwards_the_handler_is_the_old_one() -> None:
    with heeding_ctrl_c():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_it_is_ignored_it_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with heeding_ctrl_c():
        press()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_another_thread_leaves_it_to_the_main_one() -> None:
    done = []

    def work() -> None:
        with heeding_ctrl_c():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
