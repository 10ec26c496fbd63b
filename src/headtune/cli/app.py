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

Costs: ``--help`` of any command answers in 0.3 s. To keep it so, only the file of the command that
is called for is imported, files in this folder import only cyclopts, rich's text and leaf modules
without numpy at the top, and a command imports its stages when it runs. Importing torch and
transformers makes millions of objects that stay; looking for garbage among them at every 700 new
ones, and once more at the end, cost 1.3 of the 6 s of a cold start, so it is done more rarely, and
not at the end.
"""

import gc
import os
import shlex
import sys
import traceback
import warnings
from collections.abc import Iterable, Sequence
from importlib import import_module

from cyclopts import App, CycloptsError
from cyclopts.exceptions import UnusedCliTokensError

from headtune.cli.console import complain
from headtune.cli.environment import check_environment
from headtune.cli.flags import as_flag
from headtune.cli.help import PlainHelp
from headtune.cli.texts import after_dashes
from headtune.errors import CanResume, HeadtuneError
from headtune.processes import is_main, rank
from headtune.wording.visible import visible

__all__ = ["COMMANDS", "command_line", "main", "run"]

COMMANDS = {
    "train": "DATA [options]",
    "predict": "RUN TEXT... | FILE [options]",
    "evaluate": "RUN FILE [options]",
    "explain": "RUN TEXT... [options]",
    "inspect": "DATA [options]",
    "compare": "RUN RUN... [DATA] [options]",
    "info": "RUN | --machine [options]",
    "export": "RUN --to FORMAT [options]",
    "sweep": "DATA [options]",
    "push": "RUN USER/NAME [options]",
    "bench": "RUN|MODEL [FILE] [options]",
    "cache": "[list | clear]",
}
"""Every command, in the order of ``--help``, with its usage: the function of this name in the file
of this name."""

QUIET = {
    "DATASETS_VERBOSITY": "error",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "true",  # set, so that tokenizers does not warn when a process forks
    "TQDM_DISABLE": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}
"""What the libraries read at their import to stay silent; a value set by the user stands."""


def _version() -> str:
    from importlib.metadata import version

    return f"headtune {version('headtune')}\n"


def command_line(commands: Iterable[str] = COMMANDS) -> App:
    """``headtune`` with these commands; their files are imported."""
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
    for position, name in enumerate(commands):
        command = getattr(import_module(f"headtune.cli.{name}"), name)
        app.command(command, sort_key=position, usage=f"headtune {name} {COMMANDS[name]}")
    return app


OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main() -> None:
    """The console script: runs the command of ``sys.argv`` and exits."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    code = run(sys.argv[1:])
    gc.freeze()  # the process ends: its memory goes back as a whole
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs one command in this process; returns the exit code."""
    debug = "--debug" in arguments
    if not debug:
        _silence_libraries()
    called = [name for name in arguments[:1] if name in COMMANDS]
    try:
        app = command_line(called or COMMANDS)
        if called and not {"--help", "-h"} & set(arguments):
            check_environment(os.environ)
        app(_positional(arguments), exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing left to flush to
        return 1
    except CanResume as stop:
        return _fail(_how_to_go_on(stop.what, arguments), 130, debug=False)
    except KeyboardInterrupt as stop:
        return _fail(str(stop) or "Stopped.", 130, debug=False)
    except CycloptsError as error:
        return _fail(f"Error: {_usage_message(error, arguments)}", 2, debug)
    except HeadtuneError as error:
        return _fail(f"Error: {error.worded(as_flag)}", 1, debug)
    except OSError as error:
        return _fail(f"Error: {error}", 1, debug)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug also ends in one line
        hint = "" if debug else " Run again with --debug to see where, and please report it."
        return _fail(f"Error: unexpected {type(error).__name__}: {error}.{hint}", 1, debug)
    return 0


def _positional(arguments: Sequence[str]) -> list[str]:
    """The arguments as cyclopts tells texts, tables and options apart as users mean them."""
    takes_texts = list(arguments[:1]) in (["predict"], ["explain"])
    return _standard_input_last(after_dashes(arguments) if takes_texts else arguments)


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
    """Say what is wrong; one of several processes, beside the main one, says which it is."""
    if debug:
        complain(traceback.format_exc().rstrip())
    which = "" if is_main() else f"Process {rank()}: "
    complain(which + " ".join(visible(message).split("\n")))
    return code


def _usage_message(error: CycloptsError, arguments: Sequence[str]) -> str:
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        message = f"{error.unused_tokens[0]!r} is one argument too many."
    else:
        message = str(error)
    command = [argument for argument in arguments[:1] if argument in COMMANDS]
    return f"{message} See: {shlex.join(['headtune', *command, '--help'])}"


def _how_to_go_on(what: str, arguments: Sequence[str]) -> str:
    again = [argument for argument in arguments if argument != "--resume"]
    return f"Stopped. To go on from {what}: {shlex.join(['headtune', *again, '--resume'])}"
