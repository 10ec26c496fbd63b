"""Whether this process is a notebook's kernel, and an output of its cell that can be replaced.

Guarantees: IPython is never imported, but found where a kernel has brought it; elsewhere, and in a
process that was forked from a kernel, nothing is shown and nothing fails.
"""

import os
import sys
from importlib import import_module
from typing import Any, Protocol
from uuid import uuid4

__all__ = ["CellOutput", "Output", "in_notebook"]


def in_notebook() -> bool:
    """Whether cells show HTML here: a kernel (Jupyter, VS Code, Colab), not IPython's terminal."""
    return _shell() is not None


def _shell() -> Any:
    """IPython's shell, if it is that of this process's kernel; else None."""
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = find() if find is not None else None
    kernel = getattr(shell, "kernel", None)
    owner = getattr(getattr(kernel, "session", None), "pid", os.getpid())
    return shell if kernel is not None and owner == os.getpid() else None


class Output(Protocol):
    """Where a progress shows itself; each call replaces what the last one showed."""

    def show(self, html: str, text: str) -> None:
        """``text`` is for those who do not show HTML."""


class CellOutput:
    """One output below the cell that runs. In another cell, the next call begins another."""

    def __init__(self) -> None:
        self._name = ""
        self._cell: int | None = None

    def show(self, html: str, text: str) -> None:
        """Replaces what is there. Nothing happens outside a notebook."""
        shell = _shell()
        if shell is None:
            return
        is_new = not self._name or self._cell != shell.execution_count
        if is_new:
            self._name, self._cell = uuid4().hex, shell.execution_count
        display = import_module("IPython.display")
        show = display.display if is_new else display.update_display
        show({"text/html": html, "text/plain": text}, raw=True, display_id=self._name)
