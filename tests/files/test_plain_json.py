"""JSON that any reader takes, wherever headtune writes some."""

import ast
import io
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import headtune
from headtune.cli.common import print_json
from headtune.files.plain_json import to_json
from headtune.files.strict_json import parse_strict_json
from headtune.predict.writers import JsonLinesWriter
from headtune.report import write_history

PACKAGE = Path(headtune.__file__).parent
ODD = {"loss": math.nan, "deep": [{"rate": math.inf, "other": (-math.inf, 1.5)}], "name": "größer"}
PLAIN: dict[str, Any] = {
    "loss": None,
    "deep": [{"rate": None, "other": [None, 1.5]}],
    "name": "größer",
}


def test_a_number_that_is_not_finite_is_null() -> None:
    assert parse_strict_json(to_json(ODD)) == PLAIN
    assert "größer" in to_json(ODD)
    assert json.loads(to_json({"where": Path("a"), "n": 1}, indent=2)) == {"where": "a", "n": 1}


def test_json_for_machines_is_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    print_json(ODD)
    assert parse_strict_json(capsys.readouterr().out) == PLAIN
    table = io.StringIO()
    JsonLinesWriter(table).write(pa.table({"price": [1.5, math.nan], "text": ["a", "b"]}))
    rows = [parse_strict_json(line) for line in table.getvalue().splitlines()]
    assert rows == [{"price": 1.5, "text": "a"}, {"price": None, "text": "b"}]
    write_history([{"step": 1, "epoch": 0.1, "loss": math.nan}], tmp_path / "history.jsonl")
    assert (tmp_path / "history.jsonl").read_text() == '{"step": 1, "epoch": 0.1, "loss": null}\n'


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.stem)
def test_no_file_lets_pythons_writer_write_nan(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.dumps", "json.dump"):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert given.get("allow_nan") == "False", f"{path}, line {node.lineno}"
