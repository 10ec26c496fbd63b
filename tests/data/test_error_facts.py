"""What an error about a table is about can be read from it, by a program; and each is told so."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from headtune.cli.flags import as_flag
from headtune.data import prepare
from headtune.data.parts.split import parse_split
from headtune.data.prepare import prepare_texts
from headtune.errors import HeadtuneError
from headtune.options import DataConfig


def table(n_rows: int = 20, **columns: list[Any]) -> pd.DataFrame:
    """``n_rows`` distinct texts of two labels, with other columns beside them or in their place."""
    texts = [f"{i} of the stories that are told of {i * i}" for i in range(n_rows)]
    return pd.DataFrame({"text": texts, "label": ["ham", "spam"] * (n_rows // 2)} | columns)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Options and a table that do not fit; what the error is about; how it ends, two ways."""

    options: dict[str, Any]
    data: pd.DataFrame
    option: str | None = None
    row: int | None = None
    column: str | None = None
    python: str
    terminal: str


FAULTS = {
    "a wrong column": Fault(
        options={"label": "lable"},
        data=table(),
        option="label",
        column="lable",
        python='Did you mean label="label"?',
        terminal="Did you mean --label label?",
    ),
    "two that could be it": Fault(
        options={},
        data=table().rename(columns={"label": "target"}).assign(topic=["a", "b"] * 10),
        option="label",
        python='Choose one: label="target"',
        terminal="Choose one: --label target",
    ),
    "a template": Fault(
        options={"template": "{txt}"},
        data=table(),
        option="template",
        column="txt",
        python="Did you mean {text}?",
        terminal="Did you mean {text}?",
    ),
    "no times": Fault(
        options={"split_by_time": "when"},
        data=table(when=["never"] * 20),
        option="split_by_time",
        column="when",
        python="split_by_time= takes numbers, timestamps, or dates such as 2024-01-31 and "
        "2024-01-31 18:00.",
        terminal="--split-by-time takes numbers, timestamps, or dates such as 2024-01-31 and "
        "2024-01-31 18:00.",
    ),
    "no column of groups": Fault(
        options={"group_by": "whom"},
        data=table(),
        option="group_by",
        column="whom",
        python="Name one of them with group_by=.",
        terminal="Name one of them with --group-by.",
    ),
    "a row, strictly": Fault(
        options={"strict": True, "text": "text", "label": "label"},
        data=table(4, text=["a story", "another story", "", "an end"]),
        option="strict",
        row=3,
        python="leave out strict=True to set such rows aside.",
        terminal="leave out --strict to set such rows aside.",
    ),
    "no row at all": Fault(
        options={"text": "text", "label": "label"},
        data=table(4, text=[""] * 4),
        row=1,
        python="Check text= and label=.",
        terminal="Check --text and --label.",
    ),
    "a label of one row": Fault(
        options={},
        data=table(label=["ham", "spam"] * 9 + ["ham", "odd"]),
        option="split",
        row=20,
        python='use all rows for training: split="100/0/0"',
        terminal="use all rows for training: --split 100/0/0",
    ),
    "labels that are measures": Fault(
        options={"label": "label"},
        data=table(label=[0.5, 1.25] * 10),
        option="label",
        column="label",
        python="Name the label column with label=. To learn ranges, write them as words first: "
        "low, high.",
        terminal="Name the label column with --label. To learn ranges, write them as words first: "
        "low, high.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_error_says_what_it_is_about(fault: Fault) -> None:
    with pytest.raises(HeadtuneError) as raised:
        prepare(fault.data, DataConfig(**fault.options))
    error = raised.value
    assert (error.option, error.row, error.column) == (fault.option, fault.row, fault.column)
    assert json.loads(json.dumps(error.to_dict())) == error.to_dict()
    assert error.to_dict()["way_out"].endswith(fault.python)
    assert str(error).endswith(fault.python)
    assert error.worded(as_flag).endswith(fault.terminal)


@pytest.mark.parametrize(
    ("texts", "labels", "row"),
    [
        (["a", "b", "c"], ["x", "y", None], 3),
        (["a", " ", "c"], ["x", "y", "x"], 2),
        (["a", 1, "c"], ["x", "y", "x"], 2),
        (["\ud800", "b", "c"], ["x", "y", "x"], 1),
    ],
    ids=["no label", "empty", "no text", "half a character"],
)
def test_a_list_s_error_has_the_row(texts: list[Any], labels: list[Any], row: int) -> None:
    with pytest.raises(HeadtuneError) as raised:
        prepare_texts(texts, labels)
    assert raised.value.row == row


@pytest.mark.parametrize("text", ["seventy", "50/20", "0/50/50"])
def test_a_split_that_cannot_be_names_its_option(text: str) -> None:
    with pytest.raises(HeadtuneError) as raised:
        parse_split(text)
    assert raised.value.option == "split"
    assert str(raised.value).startswith("split=")
    assert raised.value.worded(as_flag).startswith("--split")
