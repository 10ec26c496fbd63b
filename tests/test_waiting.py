"""Threads that wait for each other sleep soon, unless the user says how they wait."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = importlib.util.find_spec("torch")
LIBRARY = Path(SPEC.origin).parent / "lib" / "libgomp.so.1" if SPEC and SPEC.origin else Path()
"""GNU's OpenMP, as torch brings it along; it reads its settings when it is loaded."""


def spin_count(imported: str, **given: str) -> str:
    """What the library has read after this import, in a fresh process with these settings."""
    names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    others = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", f"import {imported}, ctypes; ctypes.CDLL({str(LIBRARY)!r})"],
        env=others | {"OMP_DISPLAY_ENV": "verbose"} | given,
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = [line for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line]
    return line.partition("=")[2].strip(" '")


@pytest.mark.skipif(not LIBRARY.is_file(), reason="this build of torch has another OpenMP")
def test_threads_sleep_soon_unless_the_user_says_otherwise() -> None:
    assert spin_count("os") == "300000"  # as the library comes
    assert spin_count("headtune") == "1000"
    assert spin_count("headtune.cli.app") == "1000"
    assert spin_count("headtune", GOMP_SPINCOUNT="70") == "70"
    assert spin_count("headtune", OMP_WAIT_POLICY="passive") == "0"


def test_nothing_is_set_where_it_would_be_too_late() -> None:
    code = (
        "import os, sys, types; sys.modules['torch'] = types.ModuleType('torch'); import headtune; "
        "print(os.environ.get('GOMP_SPINCOUNT'))"
    )
    environment = {name: v for name, v in os.environ.items() if name != "GOMP_SPINCOUNT"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "None"
