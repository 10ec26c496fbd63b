"""Data for tuning chat models: the user's message is the text, the assistant's the label."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headtune.data import find_columns, read_table, usable_rows
from headtune.data.columns import Columns
from headtune.data.reading.table import Table
from headtune.errors import ColumnError
from headtune.options import DataConfig

AUTO = DataConfig()
TEXTS = [f"see you at number {i}" for i in range(20)]
LABELS = ["ham" if i % 2 else "spam" for i in range(20)]
ROWS = list(zip(TEXTS, LABELS, strict=True))


def examples(table: Table, config: DataConfig = AUTO) -> tuple[Columns, list[str], list[str]]:
    columns = find_columns(table, config)
    usable = usable_rows(table, columns, config)
    return columns, usable.texts, usable.labels


def turn(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def openai(text: str, label: str) -> Any:
    return {"messages": [turn("user", text), turn("assistant", label)]}


def with_system(text: str, label: str) -> Any:
    return {"messages": [turn("system", "Say which."), *openai(text, label)["messages"]]}


def with_earlier_turns(text: str, label: str) -> Any:
    return {
        "messages": [*openai("hello", "hi there")["messages"], *openai(text, label)["messages"]]
    }


def in_parts(text: str, label: str) -> Any:
    first, *rest = text.split(" ", 1)
    parts = [{"type": "text", "text": first}, {"type": "text", "text": "".join(rest)}]
    asked = turn("user", parts if label == "ham" else text)
    return {"messages": [asked, turn("assistant", label)]}


def sharegpt(text: str, label: str) -> Any:
    return {"conversations": [{"from": "human", "value": text}, {"from": "gpt", "value": label}]}


def gemini(text: str, label: str) -> Any:
    both = (("user", text), ("model", label))
    return {"contents": [{"role": role, "parts": [{"text": said}]} for role, said in both]}


def other_name(text: str, label: str) -> Any:
    return {"id": 7, "dialog": openai(text, label)["messages"], "source": "web"}


CHATS = [openai, with_system, with_earlier_turns, sharegpt, gemini, other_name, in_parts]


WAYS = [(form, how) for form in CHATS for how in ("lines", "parquet", "python", "text")
        if (form, how) != (in_parts, "parquet")]  # fmt: skip
"""Arrow has no column of strings and lists."""


@pytest.mark.parametrize(("form", "how"), WAYS)
def test_conversations(tmp_path: Path, form: Any, how: str) -> None:
    records = [form(*row) for row in ROWS]
    source: object = records
    if how == "lines":
        source = tmp_path / "a.jsonl"
        source.write_text("\n".join(map(json.dumps, records)))
    elif how == "parquet":
        source = tmp_path / "a.parquet"
        pq.write_table(pa.Table.from_pylist(records), source)
    elif how == "text":
        source = [{k: json.dumps(v) if isinstance(v, list) else v for k, v in r.items()}
                  for r in records]  # fmt: skip
    table = read_table(source, AUTO)
    columns, texts, labels = examples(table)
    said = [text.replace("\n", " ") for text in texts]
    assert (said, labels) == (TEXTS, LABELS)
    root = (columns.text or "").removesuffix(".user")
    assert columns.label == f"{root}.assistant"
    assert table.column_names == list(records[0])


def test_what_is_left_out_is_said() -> None:
    records = [with_system(*ROWS[0]), with_earlier_turns(*ROWS[1]), openai(*ROWS[2])]
    found = find_columns(read_table(records, AUTO), AUTO).explanation
    assert "the user's last message; 1 row with earlier ones, which are left out" in found
    assert "1 row with a system message, which is left out" in found


def test_a_conversation_without_an_answer_has_no_label() -> None:
    records = [openai(*row) for row in ROWS]
    records[3]["messages"].append(turn("user", "and this?"))
    records[4]["messages"] = [turn("assistant", "ham")]
    records[5]["messages"] = None
    table = read_table(records, AUTO)
    usable = usable_rows(table, find_columns(table, AUTO), AUTO)
    assert [(row.row, row.reason) for row in usable.set_aside] == [
        (4, "the label is missing"), (5, "the text is missing"), (6, "the text is missing"),
    ]  # fmt: skip


def test_a_column_that_is_called_text_goes_first() -> None:
    records = [{**openai("no", "no"), "text": t, "label": x} for t, x in ROWS]
    columns, texts, labels = examples(read_table(records, AUTO))
    assert (columns.text, columns.label, texts, labels) == ("text", "label", TEXTS, LABELS)


def test_the_system_message_can_be_asked_for() -> None:
    table = read_table([with_system(*row) for row in ROWS], AUTO)
    config = DataConfig(template="{messages.system} {messages.user}", label="messages.assistant")
    assert examples(table, config)[1][0] == f"Say which. {TEXTS[0]}"


def alpaca(text: str, label: str) -> Any:
    return {"instruction": "Which one?", "input": text, "output": label}


def test_alpaca() -> None:
    table = read_table([alpaca(*row) for row in ROWS], AUTO)
    columns, texts, labels = examples(table)
    assert (columns.text, columns.label, texts, labels) == ("input", "output", TEXTS, LABELS)
    assert "the instruction is the same in all rows" in columns.explanation

    empty = read_table([{"instruction": t, "input": "", "output": x} for t, x in ROWS], AUTO)
    assert examples(empty)[1:] == (TEXTS, LABELS)

    varied = read_table(
        [{"instruction": f"Rate {i}:", "input": t, "output": x} for i, (t, x) in enumerate(ROWS)],
        AUTO,
    )
    columns, texts, labels = examples(varied)
    assert columns.template == "{instruction}\n\n{input}"
    assert (texts[1], labels) == (f"Rate 1:\n\n{TEXTS[1]}", LABELS)


@pytest.mark.parametrize(
    ("record", "text", "label"),
    [
        (lambda t, x: {"prompt": t, "completion": x}, "prompt", "completion"),
        (lambda t, x: {"completion": x, "prompt": t, "id": 1}, "prompt", "completion"),
        (lambda t, x: {"input": t, "output": x}, "input", "output"),
        (lambda t, x: {"instruction": t, "output": x}, "instruction", "output"),
        (lambda t, x: {"prompt": t, "completion": "same", "label": x}, "prompt", "label"),
        (
            lambda t, x: {"prompt": [turn("user", t)], "completion": [turn("assistant", x)]},
            "prompt.user", "completion.assistant",
        ),
    ],
)  # fmt: skip
def test_prompts_and_completions(record: Any, text: str, label: str) -> None:
    columns, texts, labels = examples(read_table([record(*row) for row in ROWS], AUTO))
    assert (columns.text, columns.label, texts, labels) == (text, label, TEXTS, LABELS)


def test_lists_of_other_records_are_no_conversations() -> None:
    records = [{"entities": [{"from": 3, "value": "x"}], "id": i} for i in range(4)]
    with pytest.raises(ColumnError, match="No column of the data looks like text"):
        find_columns(read_table(records, AUTO), AUTO)
