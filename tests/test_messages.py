"""Who is told of an option is told it by his own name: no message has a flag of the command line.

A message writes ``option("label")``, which becomes ``--label`` in a terminal and ``label=`` in
Python. What is to be typed in a terminal, whole commands, keeps its flags.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import headtune

PACKAGE = Path(headtune.__file__).parent
ROOMS = (
    "data", "tokens", "batches", "predict", "explain", "report", "inspection", "wording",
)  # fmt: skip
WHOLE_COMMANDS = {"report/page/asked.py", "wording/commands.py"}
FLAG = re.compile(r"(?<![\w-])--[a-z]")


def strings_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and value of all strings, parts of f-strings too, but not of docstrings."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.lineno, node.value


@pytest.mark.parametrize("room", ROOMS)
def test_no_message_names_a_flag(room: str) -> None:
    flags = [
        f"{path.relative_to(PACKAGE)}:{line}: {string}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() not in WHOLE_COMMANDS
        for line, string in strings_of(ast.parse(path.read_text(encoding="utf-8")))
        if FLAG.search(string)
    ]
    assert not flags
