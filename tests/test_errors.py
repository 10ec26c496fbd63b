"""Errors carry what they are about, and each reader is told of options in his own words."""

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import headtune
from headtune import errors
from headtune.cli.flags import as_flag
from headtune.errors import ColumnError, HeadtuneError, option

PACKAGE = Path(headtune.__file__).parent
ROOMS = sorted({path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")} - {"cli"})
FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]*|$)")
"""A flag, or its beginning where the name comes from elsewhere."""

TO_BE_TYPED = {
    "artifact/model_card.py": {"--to"},  # the card of a run
    "data/findings/labels.py": {"--"},  # a label of someone who had none
    "wording/commands.py": {"--field", "--out"},  # the last line of a training run
    "report/page/asked.py": {"--no-", "--"},  # the command that a page shows
    "report/page/pictures.py": {"--"},  # a variable of CSS
    "report/reliability.py": {"--"},  # a dashed line
    "pretrained/names.py": {"--no-deps"},  # pip's own
}
"""Flags of commands that are shown whole, for a terminal; and what only looks like one."""

TREE = [
    getattr(errors, name)
    for name in errors.__all__
    if isinstance(getattr(errors, name), type) and issubclass(getattr(errors, name), HeadtuneError)
]


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_every_error_carries_what_it_is_about(kind: type[HeadtuneError]) -> None:
    error = kind("No such column.", option="label", row=3, column="kind", way_out="Look again.")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own, a moment ago
    for one in (error, again):
        assert (one.option, one.row, one.column) == ("label", 3, "kind")
        assert str(one) == "No such column. Look again."


@pytest.mark.parametrize(
    ("proposed", "python", "flag"),
    [
        (option("label"), "label=", "--label"),
        (
            option("split_by_time", "sent at"),
            'split_by_time="sent at"',
            "--split-by-time 'sent at'",
        ),
        (option("max_length", 512), "max_length=512", "--max-length 512"),
        (option("learning_rate", 1e-5), "learning_rate=1e-05", "--learning-rate 1e-05"),
        (option("resume", True), "resume=True", "--resume"),
        (option("keep_best", False), "keep_best=False", "--no-keep-best"),
        (option("seconds"), "seconds=", "--time"),
    ],
)
def test_an_option_has_the_reader_s_own_name(proposed: str, python: str, flag: str) -> None:
    error = ColumnError("Not found.", way_out=f"Give {proposed}.")
    assert str(error) == f"Not found. Give {python}."
    assert error.worded(as_flag) == f"Not found. Give {flag}."


def test_a_message_around_another_keeps_its_options_open() -> None:
    inner = ColumnError("Not found.", way_out=f"Give {option('label')}.")
    outer = ColumnError(f"In part 2: {inner.text}")
    assert outer.worded(as_flag) == "In part 2: Not found. Give --label."


def test_a_layer_above_has_other_names() -> None:
    asked = option("split", "100/0/0")
    error = ColumnError(f"Too few for {asked}.", option="split", way_out=f"See {option('out')}.")
    error.rename({"split": "validation_fraction"})
    assert error.option == "validation_fraction"
    assert str(error) == "Too few for validation_fraction=. See out=."
    assert error.args == (error.message,)


def test_a_server_gets_plain_values() -> None:
    error = ColumnError("No.", option="label", row=2, way_out=f"Give {option('label', 'kind')}.")
    assert error.to_dict() == {
        "type": "ColumnError",
        "message": "No.",
        "way_out": 'Give label="kind".',
        "option": "label",
        "row": 2,
        "column": None,
    }


def literals(path: Path) -> Iterator[str]:
    """The strings of a module but for documentation: those on a line of their own."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documentation:
            yield str(node.value)


@pytest.mark.parametrize("room", ROOMS)
def test_only_the_command_line_knows_flags(room: str) -> None:
    """Elsewhere a message has ``option("label")``, which each reader is told in his own words."""
    found = set()
    for path in [PACKAGE / room] if room.endswith(".py") else (PACKAGE / room).rglob("*.py"):
        where = path.relative_to(PACKAGE).as_posix()
        flags = {flag[0] for text in literals(path) for flag in FLAG.finditer(text)}
        found |= {(where, flag) for flag in flags - TO_BE_TYPED.get(where, set())}
    assert found == set()
