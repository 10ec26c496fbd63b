"""Ctrl-C: heeded wherever it falls."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["heeding_ctrl_c"]


@contextmanager
def heeding_ctrl_c() -> Iterator[None]:
    """Within, Ctrl-C ends the block even where a library loses it.

    Python raises ``KeyboardInterrupt`` wherever it happens to be. While thousands of modules are
    imported that is often a finalizer, where an exception is printed and forgotten, or an
    ``except`` that makes something else of it. Such a one is raised again at the end of the block.
    """
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # ignored (in the background of a shell), or somebody else's business
        return
    pressed = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.default_int_handler(number, frame)

    def say_unless_pressed(unraisable: "sys.UnraisableHookArgs") -> None:
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            say(unraisable)

    say = sys.unraisablehook
    signal.signal(signal.SIGINT, note)
    sys.unraisablehook = say_unless_pressed
    try:
        yield
    except Exception as error:
        if pressed:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = say
    if pressed:
        raise KeyboardInterrupt
