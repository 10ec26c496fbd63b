"""Texts as a caller of the library gives them, before anything is known of them.

Leaf module, and light: an answer to one text does not wait for the data stage.
"""

from collections.abc import Iterable, Mapping, Sized
from typing import Any

from headtune.errors import DataError
from headtune.wording.numbers import count

__all__ = ["check_same_length", "text_list"]


def text_list(texts: Iterable[Any]) -> list[Any]:
    """Texts given from Python, as a list. Raises ``DataError`` on what only looks like texts.

    A table or a dict would be gone through by the names of its columns.
    """
    if isinstance(texts, str):
        raise DataError(
            "Expected a list of texts, received one string.", way_out="Put it in a list."
        )
    if isinstance(texts, Mapping) or hasattr(texts, "columns") or hasattr(texts, "column_names"):
        kind = type(texts).__name__
        raise DataError(
            f"Expected a list of texts, received a {kind}.", way_out="Give one column of it."
        )
    return list(texts)


def check_same_length(texts: Sized, labels: Sized) -> None:
    """Raises ``DataError`` unless there is a label for each text."""
    if len(texts) != len(labels):
        raise DataError(
            f"Expected a label for each text; received {count(len(texts), 'text')} and "
            f"{count(len(labels), 'label')}."
        )
