"""Runs headtune's commands in one process, as they come: one JSON list of arguments a line.

Answers each with one JSON line, ``[code, stdout, stderr]``. Importing transformers takes longer
than all commands of a test, so tests share a process; the hub's address is read when it starts.
"""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from headtune.cli.app import run


def main() -> None:
    for line in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(json.loads(line))
        print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)


if __name__ == "__main__":
    main()
