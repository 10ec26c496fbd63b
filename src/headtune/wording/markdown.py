"""Words that others wrote, within Markdown that is shown as HTML: they stay words.

A label may be ``<img src=x onerror=…>``, a file name ``](javascript:…)``, and a hub shows the card
that names them. ``plain`` is for running text and cells of tables, ``code`` for a span of code,
``fenced`` for a block of it; in each, the reader sees the letters that were given, on one line but
in a block, and what cannot be seen written out (visible.py).

By CommonMark 0.31 and GitHub's tables: https://spec.commonmark.org/0.31.2/.
"""

import re

from headtune.wording.visible import visible, visible_name

__all__ = ["code", "fenced", "plain"]

_MEANS_SOMETHING = re.compile(r"[\\`*_\[\]|~$]")
_BEGINS_A_BLOCK = re.compile(r"^([#+=-]|\d{1,9}(?=[.)]))")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def plain(text: str) -> str:
    """Text that neither Markdown nor HTML takes for anything else, also within a table."""
    line = visible_name(text.strip())
    line = _MEANS_SOMETHING.sub(lambda found: "\\" + found[0], line)
    line = re.sub("[&<>]", lambda found: _ENTITIES[found[0]], line)
    return _BEGINS_A_BLOCK.sub(_as_text, line)


def _as_text(found: re.Match[str]) -> str:
    begins = found[0]
    return f"&#{ord(begins[0])};{begins[1:]}"


def code(text: str) -> str:
    """A span of code, between as many backticks as the text needs; not for a table."""
    line = visible_name(text)
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def fenced(lines: str, language: str) -> str:
    """A block of code, without a line end; no line of it can end the block."""
    shown = visible(lines.rstrip("\n"))
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def _longest_run(text: str) -> int:
    """Of backticks."""
    return max((len(run) for run in re.findall("`+", text)), default=0)
