"""How the command line begins (quickly) and how it ends (exit codes, one line on stderr)."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from statistics import median

import pytest

import headtune as headtune_package
from headtune.cli.app import COMMANDS, QUIET
from headtune.errors import DataNotFoundError

from .conftest import Headtune, Stages, forgetting_imports

HEAVY = ["torch", "numpy", "transformers", "sklearn", "pyarrow", "datasets", "matplotlib"]
UNUSED = [*HEAVY, "rich.table", "headtune.sweep.space"]
"""What ``--help`` has no use for."""
MOST_SECONDS = 1.0
"""Of processor time for --help, so that a busy machine does not matter. The goal is 0.3 s on an
idle one; this leaves room for a slow one, and none for a library that should not be there."""


def python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def processor_seconds_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DataNotFoundError("There is no a.csv.\nTry b.csv."), 1, "There is no a.csv. Try b.csv."),
        (PermissionError(13, "Permission denied", "runs"), 1, "Permission denied: 'runs'"),
        (ZeroDivisionError("by zero"), 1, "unexpected ZeroDivisionError: by zero. Run again with"),
    ],
)
def test_an_error_is_one_line(
    headtune: Headtune, stages: Stages, error: Exception, code: int, line: str
) -> None:
    stages.error = error
    result = headtune("predict", "runs/x", "a text")
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("Error: ")
    assert line in result.err
    assert result.err.count("\n") == 1


def test_what_was_imported_beside_stand_ins_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_up.py").write_text("")
    monkeypatch.setattr(headtune_package, "__path__", [*headtune_package.__path__, str(tmp_path)])
    with forgetting_imports():
        errors = import_module("headtune.errors")
        held = import_module("headtune.made_up")
        assert sys.modules["headtune.made_up"] is held
    assert "headtune.made_up" not in sys.modules
    assert not hasattr(headtune_package, "made_up")
    assert import_module("headtune.errors") is errors


def test_the_end_does_not_look_for_garbage_nor_lose_the_exit_code() -> None:
    ended = python(
        "-c",
        "import atexit, gc, sys\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000, gc.isenabled()))\n"
        "from headtune.cli.app import main\n"
        "sys.argv = ['headtune', 'info', 'nowhere']\n"
        "main()",
    )
    assert ended.stdout == "True True\n"
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: ")


def test_debug_shows_the_traceback(headtune: Headtune, stages: Stages) -> None:
    stages.error = DataNotFoundError("There is no a.csv.")
    result = headtune("predict", "runs/x", "a text", "--debug")
    assert result.code == 1
    assert result.err.startswith("Traceback")
    assert result.err.endswith("Error: There is no a.csv.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], 'Did you mean "train"?'),
        (["train", "a.csv", "--epoch", "3"], "Did you mean --epochs?"),
        (["train", "a.csv", "--epochs", "many"], 'unable to convert "many" into float'),
        (["train", "a.csv", "--balance", "none of it"], 'Choose from: "none", "undersample"'),
        (["train", "a.csv", "b.csv"], "'b.csv' is one argument too many."),
    ],
)
def test_wrong_usage(headtune: Headtune, arguments: list[str], message: str) -> None:
    result = headtune(*arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert result.err.rstrip().endswith("--help")


def test_an_option_that_config_refuses(headtune: Headtune) -> None:
    result = headtune("train", "a.csv", "--tune", "everything")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "--tune takes head, last-N" in result.err


def test_ctrl_c(headtune: Headtune, stages: Stages) -> None:
    stages.error = KeyboardInterrupt()
    result = headtune("predict", "runs/x", "a text")
    assert (result.code, result.err) == (130, "Stopped.\n")


def test_ctrl_c_at_the_start_leaves_nothing_to_go_on_from(
    headtune: Headtune, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("headtune.cli.train.waiting", stop)
    result = headtune("train", "a.csv")
    assert (result.code, result.err) == (130, "Stopped.\n")


PRINTING = """
from headtune.cli import app
app.command_line = lambda _: lambda *_, **__: print(1)
app.main()
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["-m", "headtune", "train", "--help"],  # printed by rich
        ["-c", PRINTING],
    ],
    ids=["rich", "print"],
)
def test_a_reader_that_goes_away_is_no_error(arguments: list[str]) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, *arguments],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


def test_version_and_module(tmp_path: Path) -> None:
    done = python("-m", "headtune", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("headtune 0.")


@pytest.mark.parametrize("command", [[], ["train"], ["predict"], ["inspect"]])
def test_help_is_quick(command: list[str]) -> None:
    seconds = []
    for _ in range(3):
        before = processor_seconds_of_children()
        done = python("-m", "headtune", *command, "--help")
        seconds.append(processor_seconds_of_children() - before)
        assert (done.returncode, done.stderr) == (0, "")
    assert median(seconds) < MOST_SECONDS


def loaded(commands: str, names: list[str]) -> str:
    """Which of these modules ``command_line(commands)`` imports."""
    return python(
        "-c",
        "import sys; from headtune.cli.app import COMMANDS, command_line; "
        f"command_line({commands}); print([n for n in {names} if n in sys.modules])",
    ).stdout.strip()


def test_help_imports_nothing_that_it_does_not_need() -> None:
    assert loaded("COMMANDS", UNUSED) == "[]"


def test_a_command_is_imported_alone() -> None:
    assert loaded("['info']", [f"headtune.cli.{name}" for name in COMMANDS]) == (
        "['headtune.cli.info']"
    )


def test_predicting_imports_nothing_that_only_training_needs() -> None:
    """scikit-learn alone would add a fifth to the start of ``headtune predict``."""
    code = (
        "import sys, headtune.predict, headtune.cli.tables; "
        "names = ('sklearn', 'matplotlib', 'datasets', 'pandas', 'pyarrow', 'headtune.data'); "
        "print([n for n in names if n in sys.modules])"
    )
    assert python("-c", code).stdout == "[]\n"


@pytest.mark.parametrize("debug", [True, False])
def test_libraries_are_silent_unless_debugging(
    headtune: Headtune, monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    monkeypatch.delenv("QUIET_IN_A_TEST", raising=False)
    monkeypatch.setattr("headtune.cli.app.QUIET", {"QUIET_IN_A_TEST": "1"})
    headtune("predict", "runs/x", "a text", *(["--debug"] if debug else []))
    was_set = os.environ.pop("QUIET_IN_A_TEST", None)
    assert was_set == (None if debug else "1")


def test_bars_of_libraries_are_silent() -> None:
    """Those that transformers draws while it unpacks a GGUF file, for one."""
    code = "from tqdm import tqdm; from tqdm.auto import tqdm as other; [*tqdm([1]), *other([1])]"
    finished = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | QUIET, capture_output=True, check=True
    )
    assert finished.stderr == b""


def test_no_piped_line_ends_in_spaces(headtune: Headtune) -> None:
    lines = headtune("predict", "runs/x", "a text", "another text").out.splitlines()
    assert [line.rsplit("  ", 1)[-1] for line in lines] == ["text", "a text", "another text"]
