"""Environment variables with our prefix: an option, one of ours, or an error."""

import re
from pathlib import Path

import pytest

import headtune as package
from headtune.cli.environment import OTHERS
from headtune.cli.options import STAGE_OF

from .conftest import Headtune, Stages


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("HEADTUNE_LERNING_RATE", "Did you mean HEADTUNE_LEARNING_RATE? Otherwise: unset"),
        ("HEADTUNE_CAHCE", "Did you mean HEADTUNE_CACHE? Otherwise: unset HEADTUNE_CAHCE"),
        ("HEADTUNE_EPOCHS_", "Did you mean HEADTUNE_EPOCHS?"),
        ("HEADTUNE_epochs", "Did you mean HEADTUNE_EPOCHS?"),
        ("HEADTUNE_", ". Otherwise: unset HEADTUNE_"),
        ("HEADTUNE_SOMETHING_ELSE_ENTIRELY", ". Otherwise: unset HEADTUNE_SOMETHING"),
    ],
)
@pytest.mark.parametrize("command", [("train", "a.csv"), ("predict", "runs/x", "a text")])
def test_a_variable_that_is_no_option(
    headtune: Headtune,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    name: str,
    way_out: str,
) -> None:
    monkeypatch.setenv(name, "1")
    result = headtune(*command)
    assert (result.code, result.out, result.err.count("\n")) == (1, "", 1)
    assert f"The environment variable {name} is no option of headtune." in result.err
    assert way_out.lstrip(".") in result.err
    assert headtune(command[0], "--help").code == 0


def test_those_of_other_commands_and_our_own_pass(
    headtune: Headtune, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("EPOCHS", "TUNE", "GROUP_BY", "CACHE", "CONFIG", "ATTENTION", "TWEETS"):
        monkeypatch.setenv(f"HEADTUNE_{name}", "1")
    monkeypatch.setenv("OTHER_HEADTUNE_X", "1")
    assert headtune("predict", "runs/x", "a text").code == 0


def test_every_variable_that_our_code_names_is_known() -> None:
    root = Path(package.__file__).parents[2]
    files = [p for folder in ("src", "benchmarks", "docs") for p in (root / folder).rglob("*.*")]
    files += [*root.glob("*.md"), *(root / "tests").rglob("conftest.py")]
    names = {
        name
        for path in files
        if path.suffix in (".py", ".md")
        for name in re.findall(r"HEADTUNE_([A-Z_]+[A-Z])", path.read_text(encoding="utf-8"))
    }
    known = {name.upper() for name in STAGE_OF} | set(OTHERS)
    assert names - known - {"LERNING_RATE"} == set()
    assert {"CACHE", "ATTENTION", "TWEETS", "LEARNING_RATE"} <= names
