"""Writes the parts of the documentation that come from the code, so that they cannot go stale.

    python docs/generate.py            options.md, and the --help blocks of cli.md
    python docs/generate.py --run      also the transcript in README.md, for real: some minutes

options.md is made whole. In cli.md a line ``<!-- help: train -->`` stands above the block that
is replaced by the help of that command; in README.md ``<!-- run -->`` stands above the transcript,
whose lines that begin with ``$ `` are run in an empty folder and given their output.
tests/test_docs.py compares the first two with what is in the files.
"""

import inspect
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import Field, fields
from io import StringIO
from pathlib import Path
from typing import Any, get_args

from rich.console import Console

from headtune.cli.app import command_line
from headtune.cli.evaluate import evaluate
from headtune.cli.inspect import inspect as inspect_command
from headtune.cli.options import field_texts
from headtune.cli.predict import predict
from headtune.options import STAGES

DOCS = Path(__file__).parent
WIDTH = 80

TITLES = {
    "data": "Data",
    "tokens": "Tokens",
    "model": "Model",
    "machine": "Machine",
    "tune": "Tuning",
    "train": "Training",
    "decide": "Decision",
    "report": "Report",
}

KINDS = {
    "str": "text",
    "int": "whole number",
    "int | str": "bytes, or a size",
    "float": "number",
    "bool": "on or off",
    "Path": "path",
    "tuple[str, ...]": "several words",
}
"""Python's name of a field's type -> what a reader calls it."""

INTRODUCTION = """\
# Options

<!-- Made by docs/generate.py out of src/headtune/options. Edit those files, not this one. -->

Every option is written once, in `headtune.options`, and is the same everywhere:

- on the command line as `--learning-rate 1e-4`; a switch has a `--no-` form;
- in a recipe as `learning_rate: 1.0e-4`, below the key of its stage (`data`, `tokens`, `model`,
  `machine`, `tune`, `train`, `decide`, `report`);
- in the environment as `HEADTUNE_LEARNING_RATE=1e-4`; a variable that begins so and is no option is
  an error of the command line;
- in Python as `TextClassifier(learning_rate=1e-4)`, where the last column says so.

What is given on the command line wins over the environment, which wins over the recipe, which wins
over the default. `headtune train` takes all options; the last column names what else takes one.
What a run used is under `config` in its `headtune.json`, with what was found or chosen for it in
place of "auto": columns, delimiter, quotes and header, device, dtype, token budget, maximum length,
learning rate and the layers that got adapters. The same options give the same run.
"""


def options_page() -> str:
    """``options.md``."""
    return "\n".join([INTRODUCTION, *(_stage(name) for name in STAGES)])


def _stage(stage: str) -> str:
    cls = STAGES[stage]
    lines = [
        f"## {TITLES[stage]}\n",
        f"{inspect.getdoc(cls)} In a recipe: below `{stage}:`.\n",
        "| option | values | default | what it does | also in |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_row, fields(cls)), ""])


def _row(option: Field[Any]) -> str:
    cells = (
        f"`--{option.name.replace('_', '-')}`",
        _values(option),
        _default(option.default),
        field_texts()[option.name],
        ", ".join(_also_in(option.name)),
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _values(option: Field[Any]) -> str:
    kind: Any = option.type
    if choices := [choice for choice in get_args(kind) if isinstance(choice, str)]:
        return ", ".join(f"`{choice}`" for choice in choices)
    name = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
    return KINDS[name.removesuffix(" | None").rpartition(".")[2] if "[" not in name else name]


def _default(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, tuple):
        return f"`{' '.join(value)}`"
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else f"`{value}`"


def _also_in(name: str) -> Iterator[str]:
    """The other commands, and the estimator, where they take an option of this name."""
    from headtune.classifier import TextClassifier  # torch takes seconds to import

    for command in (predict, evaluate, inspect_command):
        taken = inspect.signature(command).parameters
        # --model of predict is another option: where the base model is.
        if name in taken and taken[name].annotation.__metadata__[0].help == field_texts()[name]:
            yield command.__name__
    if name in inspect.signature(TextClassifier).parameters:
        yield "Python"


def help_of(command: str) -> str:
    """What ``headtune COMMAND --help`` prints in 80 columns; "" is headtune itself."""
    console = Console(file=StringIO(), width=WIDTH, color_system=None, highlight=False)
    command_line().help_print([command] if command else [], console=console)
    printed: str = console.file.getvalue()  # type: ignore[attr-defined]
    lines = (line.rstrip() for line in printed.replace("\N{NO-BREAK SPACE}", " ").splitlines())
    return "\n".join(lines).strip() + "\n"


def with_help(page: str) -> str:
    """``cli.md`` with every marked block replaced by the help of today."""
    pattern = r"(<!-- help: ?(\w*) -->\n\n```text\n).*?(```\n)"
    return re.sub(pattern, lambda m: m[1] + help_of(m[2]) + m[3], page, flags=re.DOTALL)


def with_transcript(page: str, output_of: Callable[[str], str]) -> str:
    """``README.md`` with the output of every command of its transcript."""

    def again(match: re.Match[str]) -> str:
        commands = [line[2:] for line in match[2].splitlines() if line.startswith("$ ")]
        return match[1] + "\n".join(f"$ {c}\n{output_of(c)}" for c in commands) + match[3]

    return re.sub(r"(<!-- run -->\n\n```console\n)(.*?)(```\n)", again, page, flags=re.DOTALL)


def _output_of(command: str) -> str:
    """What a command prints on stdout and stderr together, in the current folder."""
    environment = os.environ | {
        "COLUMNS": str(WIDTH),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        command,
        shell=True,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines()) + "\n"


def main() -> None:
    """Write the files."""
    (DOCS / "options.md").write_text(options_page(), encoding="utf-8")
    cli = DOCS / "cli.md"
    cli.write_text(with_help(cli.read_text(encoding="utf-8")), encoding="utf-8")
    if "--run" in sys.argv[1:]:
        readme = DOCS.parent / "README.md"
        page = readme.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            page = with_transcript(page, _output_of)
        readme.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
