"""Explanations as one HTML file without scripts and without anything from the network.

The words in colour are those of coloured.py; the strongest stand in a table below.
"""

from collections.abc import Sequence
from html import escape

from headtune.explain.coloured import coloured, strongest_words
from headtune.explain.explanation import Explanation
from headtune.wording.numbers import percent
from headtune.wording.visible import visible

__all__ = ["explanation_page"]

STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.7 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; } td, th { padding: .15rem 1rem .15rem 0; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
small { color: GrayText; }
"""


def explanation_page(explanations: Sequence[Explanation]) -> str:
    """The page."""
    sections = "\n".join(_section(explanation) for explanation in explanations)
    return visible(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Which words moved the answer</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        "<h1>Which words moved the answer</h1>\n"
        "<p>Green words, over a line, speak for the label; red ones, over a dashed line, against "
        "it.</p>\n"
        f"{sections}\n</body>\n</html>\n"
    )


def _section(explanation: Explanation) -> str:
    how = {"occlusion": "leaving each word out", "gradients": "integrated gradients"}
    rows = "\n".join(
        f'<tr><td>{escape(word.word)}</td><td class="number">{word.effect:+.2f}</td></tr>'
        for word in strongest_words(explanation)
    )
    return (
        f"<h2>{escape(explanation.label)}, {percent(explanation.probability)}</h2>\n"
        f'<p class="text">{coloured(explanation)}</p>\n'
        f"<table><tr><th>word</th><th>effect on log-odds</th></tr>\n{rows}\n</table>\n"
        f"<p><small>The answer is {escape(explanation.answer)}. "
        f"By {how[explanation.method]}.</small></p>"
    )
