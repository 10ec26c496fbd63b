"""What the commands share: options, the two consoles, and how a page is written.

Results go to stdout, everything else to stderr, so ``headtune … > file`` keeps the results and
``headtune … --json | jq`` sees JSON only.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOBase
from pathlib import Path
from typing import IO, Annotated, Any, TypeAlias, cast

from cyclopts import Group, Parameter
from rich.console import Console

from headtune.cli.interrupts import heeding_ctrl_c
from headtune.errors import ConfigError
from headtune.options import MachineConfig

__all__ = [
    "DECIDING",
    "GENERAL",
    "READING",
    "RUNNING",
    "BaseModel",
    "DebugFlag",
    "JsonFlag",
    "RunFolder",
    "TrustFlag",
    "machine_that_trusts",
    "print_json",
    "results",
    "say",
    "waiting",
    "write_page",
]

GENERAL = Group("Options", sort_key=1)

READING = ("text", "template", "encoding", "delimiter", "quoting", "header", "strict")
"""Options of the data stage that matter when a table is read with a finished classifier."""

RUNNING = (
    "compute",
    "dtype",
    "device",
    "device_map",
    "offload_folder",
    "max_tokens_per_batch",
    "trust_remote_code",
)
"""Options of the machine that matter to a finished classifier."""

DECIDING = ("threshold", "abstain_below")
"""Options of the decision stage that can be given to a finished classifier."""

JsonFlag: TypeAlias = Annotated[
    bool,
    Parameter(group=GENERAL, negative="", show_default=False, help="Print JSON, for machines."),
]
BaseModel: TypeAlias = Annotated[
    str | None,
    Parameter(group=GENERAL, help="Where the base model is, if it has moved: folder or hub id."),
]
RunFolder: TypeAlias = Annotated[
    Path, Parameter(name="RUN", group=GENERAL, help="Folder that headtune train wrote.")
]
TrustFlag: TypeAlias = Annotated[
    bool,
    Parameter(
        name="--trust-remote-code",
        group=GENERAL,
        negative="",
        show_default=False,
        help="Run Python code that comes with the model of --model. Only for authors you trust.",
    ),
]
DebugFlag: TypeAlias = Annotated[
    bool,
    Parameter(
        group=GENERAL,
        negative="",
        show_default=False,
        help="On an error, show the traceback; let the libraries below print what they like.",
    ),
]


def machine_that_trusts(trusted: bool) -> MachineConfig:
    """This machine, where code of the model that the user named may run, or may not."""
    return MachineConfig(trust_remote_code=trusted)


def results() -> Console:
    """Stdout. In a pipe or a file lines may be long (nothing is cut off at 80 columns), and none
    ends in the spaces that fill up a column."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=160, file=cast(IO[str], _Unfilled()))


class _Unfilled(TextIOBase):
    """Stdout, for rich, which writes whole lines: without the spaces at their ends."""

    def write(self, lines: str) -> int:
        return sys.stdout.write(re.sub(r" +$", "", lines, flags=re.MULTILINE))

    def flush(self) -> None:
        sys.stdout.flush()


def say(message: str) -> None:
    """A closing line for people, on stderr."""
    sys.stdout.flush()
    print(message, file=sys.stderr)


def print_json(values: Any, *, indent: int | None = None) -> None:
    """JSON on stdout; see ``plain_json.py``."""
    from headtune.files.plain_json import to_json

    print(to_json(values, indent=indent))


@contextmanager
def waiting(message: str) -> Iterator[None]:
    """A sign of life on stderr that leaves nothing behind; nothing at all outside a terminal.

    For the time when libraries are imported, where Ctrl-C would be lost at times.
    """
    with heeding_ctrl_c(), Console(file=sys.stderr).status(message, spinner="line"):
        yield


def write_page(page: str, html: Path) -> None:
    """A page in one piece; missing folders are made. Raises ``ConfigError`` where it cannot be."""
    from headtune.report.files import write_atomically

    content = page.encode()
    try:
        html.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(html, content)
    except (OSError, ValueError) as error:  # a name that is none is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"--html {html} cannot be written: {reason}. Name a file in a folder of yours."
        ) from error
