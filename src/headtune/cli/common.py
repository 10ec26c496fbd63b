"""What the commands share: options, what they print with (console.py), how a page is written."""

from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Group, Parameter

from headtune.cli.console import print_json, results, say, show, waiting
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
    "show",
    "waiting",
    "write_page",
]

GENERAL = Group("Options", sort_key=1)

READING = (
    "text",
    "template",
    "encoding",
    "delimiter",
    "quoting",
    "quote",
    "escape",
    "comment",
    "skip_lines",
    "header",
    "missing",
    "max_unpacked",
    "strict",
)
"""Options of the data stage that matter when a table is read with a finished classifier."""

RUNNING = (
    "compute",
    "exact",
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


def write_page(page: str, html: Path) -> None:
    """A page in one piece; missing folders are made. Raises ``ConfigError`` where it cannot be."""
    from headtune.files.whole_file import write_whole

    content = page.encode()
    try:
        html.parent.mkdir(parents=True, exist_ok=True)
        write_whole(html, content)
    except (OSError, ValueError) as error:  # a name that is none is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"--html {html} cannot be written: {reason}. Name a file in a folder of yours."
        ) from error
