"""Data made for tuning a chat model, as texts and labels: what was asked, and the answer.

    messages (OpenAI), conversations (ShareGPT), contents (Gemini), or a list of messages in a
    column of any name                       the user's last message   the assistant's answer to it
    prompt, completion                       prompt                    completion
    instruction, input, output (Alpaca)      input, or the instruction output
                                             too where it varies
    input, output                            input                     output

Nothing of it is guessed where a column is called as texts or labels are: that one goes first.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from headtune.data.reading.arrow.values import python_values
from headtune.data.reading.table import Table, holds_strings
from headtune.wording.chat import are_messages, other_turns
from headtune.wording.dotted import opened
from headtune.wording.numbers import count

__all__ = ["Asked", "answer_field", "asked_field", "is_conversation"]

PAIRS = (("prompt", "completion"), ("instruction", "output"), ("input", "output"))

LOOKED_AT = 100
"""Rows that tell whether a column holds conversations."""


class Asked(NamedTuple):
    """Where the question is: a field, or a template of several; and how that was found."""

    text: str | None
    template: str | None
    found: str


def is_conversation(table: Table, name: str) -> bool:
    """Whether a column holds lists of messages, as such or as JSON."""
    column = table.columns[name]
    if not (pa.types.is_nested(column.type) or holds_strings(table, name)):
        return False
    some = python_values(column.drop_null().slice(0, LOOKED_AT))
    return bool(some) and all(are_messages(opened(value)) for value in some)


def asked_field(table: Table, names: Sequence[str]) -> Asked | None:
    """Where the question of each row is; None where the table is no such data."""
    conversations = [name for name in names if is_conversation(table, name)]
    if (pair := _pair(names)) is not None:
        question, answer = pair
        if question in conversations:
            return Asked(f"{question}.user", None, f"the user's last message; {answer} answers it")
        if question == "instruction" and "input" in names:
            return _with_input(table)
        if holds_strings(table, question):
            return Asked(question, None, f"{question} and {answer}, as for tuning a chat model")
    if len(conversations) == 1:
        return Asked(f"{conversations[0]}.user", None, _said(table, conversations[0]))
    return None


def answer_field(table: Table, names: Sequence[str], text: str | None) -> tuple[str, str] | None:
    """The column of the answer to what was asked, and how it was found; None for other data."""
    root = (text or "").removesuffix(".user")
    if root != text and root in table.column_names and (root, "completion") not in [_pair(names)]:
        return f"{root}.assistant", "the assistant's answer"
    pair = _pair(names)
    if pair is None:
        return None
    answer = pair[1]
    if is_conversation(table, answer):
        return f"{answer}.assistant", "the assistant's answer"
    return answer, f"the answer to {pair[0]}"


def _pair(names: Sequence[str]) -> tuple[str, str] | None:
    return next((pair for pair in PAIRS if set(pair) <= set(names)), None)


def _with_input(table: Table) -> Asked:
    """Alpaca's: one instruction for all rows says nothing; else it belongs to the text."""
    inputs = [value for value in python_values(table.columns["input"]) if value]
    if not inputs:
        return Asked("instruction", None, "the instruction; input is empty")
    instructions = set(map(str, python_values(table.columns["instruction"])))
    if len(instructions) == 1:
        return Asked("input", None, "the input; the instruction is the same in all rows")
    return Asked(None, "{instruction}\n\n{input}", "instruction and input, as Alpaca has them")


def _said(table: Table, name: str) -> str:
    """What is taken of the conversations, and what is not."""
    turns = [other_turns(opened(value)) for value in python_values(table.columns[name]) if value]
    earlier, system = (sum(n > 0 for n in each) for each in zip(*turns, strict=True))
    said = ["the user's last message" if earlier else "the user's message"]
    if earlier:
        said.append(f"{count(earlier, 'row')} with earlier ones, which are left out")
    if system:
        said.append(f"{count(system, 'row')} with a system message, which is left out")
    return "; ".join(said)
