"""Keeps transformers from talking while headtune works.

Loading a backbone without its language-model head makes transformers print a table of the keys it
did not use, and a bar of its own for half a second of reading. What matters of it is checked and
said by headtune; the rest would hide it.

How much transformers says is one setting for all threads: it is quiet from the first that wants it
so until the last one is done.
"""

import io
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from headtune.processes import in_each_forked_child

__all__ = ["quiet_libraries", "quiet_transformers"]


class _Quiet:
    """The threads that want transformers to be quiet, and how it was before the first of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.threads: Counter[int] = Counter()
        self.before = (logging.WARNING, True)

    def begin(self) -> None:
        from transformers.utils import logging as theirs

        with self.lock:
            if not self.threads:
                self.before = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
                theirs.set_verbosity_error()
                theirs.disable_progress_bar()
            self.threads[threading.get_ident()] += 1

    def end(self) -> None:
        with self.lock:
            self.threads -= Counter([threading.get_ident()])
            if not self.threads:
                self._as_before()

    def forget_other_threads(self) -> None:
        """In a child of a fork, where they will never be done."""
        self.lock = threading.Lock()
        me, had_any = threading.get_ident(), bool(self.threads)
        self.threads = Counter({me: self.threads[me]} if me in self.threads else {})
        if had_any and not self.threads:
            self._as_before()

    def _as_before(self) -> None:
        from transformers.utils import logging as theirs

        verbosity, bars = self.before
        theirs.set_verbosity(verbosity)
        if bars:
            theirs.enable_progress_bar()


_QUIET = _Quiet()
in_each_forked_child(_QUIET.forget_other_threads)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Errors only, and no bars, until the block ends; then as it was before."""
    _QUIET.begin()
    try:
        yield
    finally:
        _QUIET.end()


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """No warnings through ``logging``, and nothing printed on stdout, until the block ends.

    For converters that report their progress there, where headtune's results go. One of them sets
    the root logger up when it is imported; it finds that done.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    placeholder = logging.NullHandler()
    logging.root.addHandler(placeholder)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.root.removeHandler(placeholder)
        logging.disable(before)
