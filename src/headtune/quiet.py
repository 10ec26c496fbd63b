"""Keeps transformers from talking while headtune works.

Loading a backbone without its language-model head makes transformers print a table of the keys it
did not use, and a bar of its own for half a second of reading. What matters of it is checked and
said by headtune; the rest would hide it.
"""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

__all__ = ["quiet_libraries", "quiet_transformers"]


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Errors only, and no bars, until the block ends; then as it was before."""
    from transformers.utils import logging as theirs

    verbosity, bars = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
    theirs.set_verbosity_error()
    theirs.disable_progress_bar()
    try:
        yield
    finally:
        theirs.set_verbosity(verbosity)
        if bars:
            theirs.enable_progress_bar()


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
