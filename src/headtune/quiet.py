"""Keeps transformers from talking while headtune works.

Loading a backbone without its language-model head makes transformers print a table of the keys it
did not use, and a bar of its own for half a second of reading. What matters of it is checked and
said by headtune; the rest would hide it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet_transformers"]


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Errors only, and no bars, until the block ends; then as it was before."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
