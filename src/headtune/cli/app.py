"""The command ``headtune``: which commands there are, and how each way of failing looks.

    what happened                          on stderr                              exit code
    all went well                          progress only                          0
    HeadtuneError, or the system refuses   one line, "Error: ..."                 1
    a bug                                  one line, with type and way to report  1
    wrong usage                            one line, and where to read on         2
    Ctrl-C                                 one line, and how to go on             130
    the reader of stdout has gone          nothing                                1 (as rich does)

``--debug`` adds the traceback, and lets the libraries below speak; without it their progress bars
and warnings are off, since headtune says what matters itself.

Costs: ``--help`` of any command answers in 0.3 s. To keep it so, files in this folder import only
cyclopts, rich and leaf modules without numpy at the top; a command imports its stages when it runs.
"""

import os
import shlex
import sys
import traceback
import warnings
from collections.abc import Sequence

from cyclopts import App, CycloptsError
from cyclopts.exceptions import UnusedCliTokensError

from headtune.cli.bench import bench
from headtune.cli.cache import cache
from headtune.cli.compare import compare
from headtune.cli.evaluate import evaluate
from headtune.cli.explain import explain
from headtune.cli.export import export
from headtune.cli.help import PlainHelp
from headtune.cli.info import info
from headtune.cli.inspect import inspect
from headtune.cli.predict import predict
from headtune.cli.push import push
from headtune.cli.sweep import sweep
from headtune.cli.train import train
from headtune.errors import HeadtuneError

__all__ = ["app", "main", "run"]

QUIET = {
    "DATASETS_VERBOSITY": "error",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "true",  # set, so that tokenizers does not warn when a process forks
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}
"""What the libraries read at their import to stay silent; a value set by the user stands."""


def _version() -> str:
    from importlib.metadata import version

    return f"headtune {version('headtune')}\n"


app = App(
    name="headtune",
    help="""Turns any pretrained language model into a tested text classifier.

    headtune COMMAND --help has the options of a command, and examples.""",
    usage="headtune COMMAND",
    version=_version,
    help_format="plaintext",
    help_formatter=PlainHelp(),
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
app.command(train, sort_key=1, usage="headtune train DATA [options]")
app.command(predict, sort_key=2, usage="headtune predict RUN TEXT... | FILE [options]")
app.command(evaluate, sort_key=3, usage="headtune evaluate RUN FILE [options]")
app.command(inspect, sort_key=4, usage="headtune inspect DATA [options]")
app.command(compare, sort_key=5, usage="headtune compare RUN RUN... [DATA] [options]")
app.command(explain, sort_key=4, usage="headtune explain RUN TEXT... [options]")
app.command(info, sort_key=7, usage="headtune info RUN [options]")
app.command(export, sort_key=8, usage="headtune export RUN --to FORMAT [options]")
app.command(push, sort_key=10, usage="headtune push RUN USER/NAME [options]")
app.command(bench, sort_key=12, usage="headtune bench RUN|MODEL [FILE] [options]")
app.command(sweep, sort_key=9, usage="headtune sweep DATA [options]")
app.command(cache, sort_key=20, usage="headtune cache [list | clear]")


def main() -> None:
    """The console script: runs the command of ``sys.argv`` and exits."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command in this process; returns the exit code."""
    debug = "--debug" in arguments
    if not debug:
        _silence_libraries()
    try:
        app(_standard_input_last(arguments), exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing left to flush to
        return 1
    except KeyboardInterrupt as stop:  # with a message where there is nothing to go on from
        return _fail(str(stop) or _how_to_go_on(arguments), 130, debug=False)
    except CycloptsError as error:
        return _fail(f"Error: {_usage_message(error, arguments)}", 2, debug)
    except (HeadtuneError, OSError) as error:
        return _fail(f"Error: {error}", 1, debug)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug also ends in one line
        hint = "" if debug else " Run again with --debug to see where, and please report it."
        return _fail(f"Error: unexpected {type(error).__name__}: {error}.{hint}", 1, debug)
    return 0


def _standard_input_last(arguments: Sequence[str]) -> list[str]:
    """``train - --epochs 3`` -> ``train --epochs 3 -- -``; elsewhere - passes for an option."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    before, after = list(arguments[:end]), list(arguments[end + 1 :])
    n_inputs = before.count("-")
    if not n_inputs:
        return list(arguments)
    return [*(a for a in before if a != "-"), "--", *["-"] * n_inputs, *after]


def _silence_libraries() -> None:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore")


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(" ".join(message.splitlines()), file=sys.stderr)
    return code


def _usage_message(error: CycloptsError, arguments: Sequence[str]) -> str:
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        message = f"{error.unused_tokens[0]!r} is one argument too many."
    else:
        message = str(error)
    command = [argument for argument in arguments[:1] if argument in app]
    return f"{message} See: {shlex.join(['headtune', *command, '--help'])}"


def _how_to_go_on(arguments: Sequence[str]) -> str:
    if not {"train", "sweep"} & set(arguments[:1]):
        return "Stopped."
    again = [argument for argument in arguments if argument != "--resume"]
    command = shlex.join(["headtune", *again, "--resume"])
    where = "the last checkpoint" if "train" in arguments[:1] else "the last finished trial"
    return f"Stopped. To go on from {where}: {command}"
