"""Labels, texts, columns and file names that would work a terminal: they are shown, not obeyed.

The commands run for real, on a two-layer model, under what looks to them like a terminal.
"""

import ast
import io
import json
import re
import shutil
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path
from unicodedata import bidirectional, category

import pytest
from rich.text import Text

import headtune
from headtune.cli.app import run
from headtune.cli.console import VisibleConsole
from headtune.cli.tables import counts_line, prediction_lines
from headtune.files.plain_json import to_json, to_raw_json
from headtune.predict.bulk import TableCounts
from headtune.types import Prediction
from headtune.wording.tables import plain_table
from headtune.wording.visible import visible, visible_name

PACKAGE = Path(headtune.__file__).parent
OF_RICH = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[[0-9]*[AK]|\r")
"""Colours, and what a moving bar needs; nothing that the data below holds."""

RENAMES, CLEARS, TURNS, C1 = "\x1b]0;owned\x07", "\x1b[2J", "\u202e", "\x9b2J"
TAG = "<script>alert(1)"
LABELS = (f"spam{RENAMES}", f"[red]ham[/]{TURNS}{C1}")
TEXT = f"call {CLEARS} this [/] number {TURNS}\u2028\x85 now {RENAMES} {C1} {TAG}"
NAMES = (f"te{CLEARS}xt", f"la{TURNS}bel")

Terminal = Callable[..., tuple[str, str]]


TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def unseen(text: str) -> list[str]:
    """By Unicode's own tables: controls, separators of lines, surrogates, what turns words."""
    return [
        c
        for c in set(text) - {"\n", "\t"}
        if category(c) in ("Cc", "Zl", "Zp", "Cs") or bidirectional(c) in TURNING
    ]


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Runs a command; what it printed on stdout and stderr, rich's own sequences taken out."""
    monkeypatch.setattr("headtune.cli.app._silence_libraries", lambda: None)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "240")

    def call(*arguments: object, code: int = 0) -> tuple[str, str]:
        out, err = FakeTerminal(), FakeTerminal()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        assert run([str(a) for a in arguments]) == code, err.getvalue()
        printed = [OF_RICH.sub("", file.getvalue()) for file in (out, err)]
        for text in printed:
            assert unseen(text) == [], text
        return printed[0], printed[1]

    return call


@pytest.fixture(scope="module")
def place(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and a table, all of whose names work a terminal."""
    place = tmp_path_factory.mktemp("place") / f"pla{CLEARS}{TURNS}ce"
    shutil.copytree(tiny_llama, place / f"mo{CLEARS}del")
    rows = [
        json.dumps(dict(zip(NAMES, (f"{i} {TEXT}", LABELS[i % 2]), strict=True))) for i in range(40)
    ]
    (place / f"da{RENAMES}ta.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return place


def test_every_command_shows_what_would_work_a_terminal(
    terminal: Terminal, place: Path, tmp_path: Path
) -> None:
    model, table = place / f"mo{CLEARS}del", place / f"da{RENAMES}ta.jsonl"
    named = ("--text", NAMES[0], "--label", NAMES[1])
    assert "[red]ham[/]\\u202e\\x9b2J" in terminal("inspect", table, *named)[0]
    terminal("inspect", table, *named, "--html", place / "inspection.html")
    terminal("inspect", table, *named, "--json")
    runs = [place / name for name in ("a", f"b{TURNS}{TAG}$\\frac$")]
    terminal("train", table, *named, "--model", model, "--dry-run")
    for folder, tune in zip(runs, ("head", "last-1"), strict=True):
        less = ("--no-baselines", "--no-suspect-labels", "--no-linear-probe")
        options = ("--model", model, "--tune", tune, "--max-steps", 2, "--out", folder, *less)
        out, err = terminal("train", table, *named, *options)
        assert "spam\\x1b]0;owned" in out
        assert "da\\x1b]0;owned" in out
        assert "pla\\x1b[2J\\u202ece" in err
    assert "[red]ham[/]\\u202e\\x9b2J" in terminal("predict", runs[0], TEXT)[0]
    assert "[red]ham[/]\\u202e\\x9b2J" in terminal("predict", runs[0], TEXT, TEXT)[0]
    out, _ = terminal("predict", runs[0], TEXT, "--json")
    assert json.loads(out)["text"] == TEXT
    assert "this [/] number \\u202e" in terminal("predict", runs[0], table)[0]
    out, _ = terminal("predict", runs[0], table, "--json")
    assert set(json.loads(out.splitlines()[0])) >= set(NAMES)
    terminal("predict", runs[0], table, "--out", tmp_path / f"{CLEARS}.csv")
    terminal("evaluate", runs[0], table)
    terminal("evaluate", runs[0], table, "--json")
    assert "da\\x1b]0;owned" in terminal("info", runs[0])[0]
    assert "b\\u202e" in terminal("compare", *runs)[0]
    terminal("compare", *runs, "--json", "--html", place / "compared.html")
    assert "[red]ham[/]" in terminal("explain", runs[0], TEXT, "--html", place / "why.html")[0]
    assert "mo\\x1b[2Jdel" in terminal("cache")[0]
    for page in (*place.glob("*.html"), runs[0] / "report.html"):
        html = page.read_text(encoding="utf-8")
        assert unseen(html) == []
        assert TAG not in html
        assert escape(TAG) in html


def test_what_went_wrong_is_shown(terminal: Terminal, place: Path) -> None:
    table = place / f"da{RENAMES}ta.jsonl"
    for arguments, code in (
        (("inspect", f"no{CLEARS}{TURNS}where.csv"), 1),
        (("inspect", table, "--text", f"te{C1}"), 1),
        (("inspect", table, f"--te{CLEARS}xt", "a"), 2),
        (("info", place / f"no{TURNS}"), 1),
        (("info", place / f"no{TURNS}", "--debug"), 1),
        ((f"no{CLEARS}such",), 2),
    ):
        line = terminal(*arguments, code=code)[1].splitlines()[-1]
        assert line.startswith("Error: ")
        assert "\\x" in line or "\\u202e" in line


def test_texts_with_markup_and_escapes_stay_in_their_columns() -> None:
    table = plain_table("label", "rows")
    table.add_row(Text(f"a{CLEARS}b", style="red"), "1")
    table.add_row("[bold]c[/bold] :smile:", "2")
    file = io.StringIO()
    VisibleConsole(file=file, width=60).print(table, Text("\x1b[31m"), TURNS, sep="\n")
    lines = file.getvalue().splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["label", "rows"],
        ["a\\x1b[2Jb", "1"],
        ["[bold]c[/bold]", ":smile:", "2"],
    ]
    assert len({len(line.rstrip()) for line in lines[:3]}) == 1
    assert lines[3:] == ["\\x1b[31m", "\\u202e"]


def test_colours_stay_on_the_words_that_have_them() -> None:
    text = Text(f"{CLEARS} good {TURNS} bad")
    text.stylize("green", text.plain.index("good"), text.plain.index("good") + 4)
    text.stylize("red", text.plain.index("bad"))
    file = io.StringIO()
    console = VisibleConsole(file=file, force_terminal=True, color_system="standard")
    console.print(text)
    shown = "\\x1b[2J \x1b[32mgood\x1b[0m \\u202e \x1b[31mbad\x1b[0m\n"
    assert file.getvalue() == shown


def test_a_label_of_two_lines_takes_one() -> None:
    lines = prediction_lines(Prediction("a\nb", {"a\nb": 0.75, "c": 0.25}))
    assert lines == ["a\\nb   75.0 %", "c      25.0 %"]
    counts: TableCounts = {
        "rows": 1,
        "unusable_rows": 0,
        "set_aside": {"count": 0, "by_reason": {}},
        "labels": {"a\nb": 1},
    }
    assert counts_line(counts) == "1 row: 1 a\\nb"


def test_every_character_that_cannot_be_seen_is_written_out() -> None:
    assert unseen(visible("".join(map(chr, range(0x10000))))) == []


def test_what_can_be_seen_stays_as_it_is() -> None:
    ordinary = "größer\tשלום\u200f 你好 👩‍👧\n"
    assert visible(ordinary) == ordinary
    assert visible("a\udc80\r\x7f") == "a\\udc80\\r\\x7f"
    assert visible_name("a\n\tb") == "a\\n\\tb"


def test_json_is_the_same_value_and_can_be_seen() -> None:
    value = {NAMES[1]: [TEXT, "\udc80", "\x7f", "größer שלום"]}
    assert json.loads(to_json(value)) == value
    assert unseen(to_json(value)) == []
    assert to_json("größer שלום\u200f") == '"größer שלום\u200f"'
    assert TURNS in to_raw_json(value)


PRINTERS = {
    "cli/console.py": {"print", "Console", "sys.stdout", "sys.stderr"},
    "artifact/verify.py": {"print"},  # a process of its own, read by another
    "data/reading/workbooks/cells.py": {"sys.stdout"},  # likewise
    "predict/writers.py": {"sys.stdout"},
    "cli/progress.py": {"sys.stderr"},
    "cli/app.py": {"sys.stdout"},
}
"""Who may print, and with what."""


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.stem)
def test_nothing_prints_but_through_the_console(path: Path) -> None:
    used = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            used |= {called} & {"print", "Console", "traceback.print_exc", "rich.print"}
        elif isinstance(node, ast.Attribute):
            used |= {ast.unparse(node)} & {"sys.stdout", "sys.stderr"}
    assert used <= PRINTERS.get(str(path.relative_to(PACKAGE)), set())
