"""The process that reads a workbook (cells.py): started, asked, and ended.

Guarantees: it gets memory and time in proportion to the workbook, no more; however it ends, what
the user sees is one line. Costs: a start of Python without any of headtune's libraries, 0.1 s.
"""

import json
import os
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any, TypedDict

from headtune.data.reading.workbooks import cells
from headtune.errors import DataError

__all__ = ["Cell", "Child", "Columns", "Sheet"]

LEAST_MEMORY = 400_000_000
MEMORY_PER_BYTE = 12
LEAST_SECONDS = 1
BYTES_PER_SECOND = 250_000

Cell = str | float | bool | None


class Sheet(TypedDict):
    """A sheet that is not hidden, and its first rows."""

    name: str
    rows: list[list[Cell]]


class Columns(TypedDict):
    """What the cells of each column are, and how many were filled from merged ones."""

    kinds: list[str]
    merged: int


class Child:
    """Reads one workbook. ``n_bytes`` is its size, unpacked."""

    def __init__(self, path: Path, name: str, n_bytes: int) -> None:
        self._name, self.has_answered = name, False
        memory = LEAST_MEMORY + MEMORY_PER_BYTE * n_bytes
        seconds = LEAST_SECONDS + n_bytes // BYTES_PER_SECOND
        self._process = subprocess.Popen(
            [sys.executable, "-P", cells.__file__, str(path), str(memory), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"RUST_BACKTRACE": "0"},
        )
        self.end = weakref.finalize(self, _end, self._process)
        """Ends the process, done or not; so does forgetting this object."""

    def sheets(self) -> list[Sheet]:
        """What there is to read; the first thing to ask. Raises ``DataError``."""
        sheets: list[Sheet] = self._answer()["sheets"]
        self.has_answered = True
        return sheets

    def choose(self, sheet: int, skip: int) -> Columns:
        """Read a sheet from behind so many rows that are not empty; ``rows`` come next."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended; why, the answer says
            request = json.dumps({"sheet": sheet, "skip": skip}, allow_nan=False)
            self._process.stdin.write(request.encode() + b"\n")
            self._process.stdin.flush()
        answer: Columns = self._answer()
        return answer

    def row(self) -> list[Cell] | None:
        """The next row; None at the end. Raises ``DataError``."""
        row: list[Cell] | None = self._answer(may_end=True)
        return row

    def _answer(self, *, may_end: bool = False) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line.endswith(b"\n"):
            answer = json.loads(line)
            if isinstance(answer, dict) and "error" in answer:
                raise self._error(answer["error"], answer["reason"])
            return answer
        code = self._process.wait()
        if code == 0 and may_end:
            return None
        raise self._ended(code)

    def _error(self, kind: str, reason: str) -> DataError:
        if kind == "ModuleNotFoundError":
            return DataError(
                "Workbooks are read by python-calamine, which is not installed.",
                way_out="Install it: pip install python-calamine",
            )
        if "assword" in kind or "assword" in reason:
            return DataError(
                f"{self._name} needs a password.", way_out="Save a copy without one, or as CSV."
            )
        return DataError(
            f"{self._name} cannot be read as a workbook; it may be cut short, or be something "
            f"else ({reason or kind}).",
            way_out="Save it again, or save its table as CSV.",
        )

    def _ended(self, code: int) -> DataError:
        return DataError(
            f"{self._name} cannot be read as a workbook: it asks for more memory or time than a "
            f"workbook of its size may (its reader ended with {code}).",
            way_out="Save its table as CSV.",
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()
