"""Lists of texts and of labels from Python: what is one, and what is called by its name instead."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from headtune.errors import DataError
from headtune.wording.text_lists import label_list, text_list

TEXTS = ["a text", "another"]
FRAME = pd.DataFrame({"text": TEXTS})


class Series(list[str]):
    """As polars has it: one dimension, and no columns."""

    shape = (2,)


@pytest.mark.parametrize(
    "given",
    [
        TEXTS, tuple(TEXTS), dict.fromkeys(TEXTS).keys(), np.array(TEXTS),
        np.array(TEXTS, dtype=object), FRAME["text"], FRAME["text"].astype("category"),
        pd.Index(TEXTS), Series(TEXTS), pa.array(TEXTS), pa.chunked_array([TEXTS]),
        pa.array(TEXTS).dictionary_encode(),
    ],
    ids=lambda given: type(given).__name__,
)  # fmt: skip
@pytest.mark.parametrize("as_list", [text_list, label_list])
def test_one_dimension_of_anything(given: Any, as_list: Any) -> None:
    assert as_list(given) == TEXTS


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (FRAME, "a DataFrame. Give one column of it"),
        (pa.table({"text": TEXTS}), "a Table. Give one column of it"),
        ({"text": TEXTS}, "a dict. Give one column of it"),
        (SimpleNamespace(columns=["text"]), "a SimpleNamespace. Give one column of it"),
        (np.array([TEXTS]).T, "a column vector (ndarray of 2x1). Make one dimension of it: .ravel"),
        (np.array([TEXTS, TEXTS]), "an ndarray of 2x2. Give one dimension"),
        (np.array("a text"), "an ndarray of no dimension"),
        ("a text", "one string. Put it in a list."),
        (b"a text", "a bytes. Put it in a list."),
        (None, "None."),
        (7, "an int. Put it in a list."),
        ({"a text"}, "a set. Put it in a list."),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_list_is_called_by_its_name(given: Any, named: str) -> None:
    for as_list, what in ((text_list, "texts"), (label_list, "labels")):
        with pytest.raises(DataError) as raised:
            as_list(given)
        assert str(raised.value).startswith(f"Expected a list of {what}, received {named}")
