"""Options as the command line calls them: what an error says to whoever typed a command."""

import shlex

__all__ = ["as_flag"]

CALLED = {"seconds": "time"}
"""Options of Python that have another name on the command line, where a unit is written along."""


def as_flag(name: str, value: str | None) -> str:
    """``--label``, ``--label kind``; a switch is ``--resume`` or ``--no-resume``."""
    flag = f"--{CALLED.get(name, name).replace('_', '-')}"
    if value is None or value == "True":
        return flag
    if value == "False":
        return f"--no-{flag[2:]}"
    return f"{flag} {shlex.quote(value)}"
