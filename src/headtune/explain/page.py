"""Explanations as one HTML file without scripts and without anything from the network.

Green words speak for the label, red ones against it; the deeper, the more. Each says its effect in
a tooltip, and the strongest stand in a table, so nothing is told by colour alone.
"""

from collections.abc import Sequence
from html import escape

from headtune.explain.explanation import Explanation, WordEffect
from headtune.wording.numbers import percent
from headtune.wording.visible import visible

__all__ = ["explanation_page", "strength"]

STRONGEST = 10

STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.7 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.text span { border-radius: .2em; padding: .1em .15em; }
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
        "<p>Green words speak for the label, red ones against it.</p>\n"
        f"{sections}\n</body>\n</html>\n"
    )


def strength(word: WordEffect, explanation: Explanation) -> float:
    """The effect against the strongest of the text: -1 to 1."""
    return word.effect / explanation.strongest if explanation.strongest else 0.0


def _section(explanation: Explanation) -> str:
    how = {"occlusion": "leaving each word out", "gradients": "integrated gradients"}
    rows = "\n".join(
        f'<tr><td>{escape(word.word)}</td><td class="number">{word.effect:+.2f}</td></tr>'
        for word in sorted(explanation.words, key=lambda word: -abs(word.effect))[:STRONGEST]
    )
    return (
        f"<h2>{escape(explanation.label)}, {percent(explanation.probability)}</h2>\n"
        f'<p class="text">{_coloured(explanation)}</p>\n'
        f"<table><tr><th>word</th><th>effect on log-odds</th></tr>\n{rows}\n</table>\n"
        f"<p><small>The answer is {escape(explanation.answer)}. "
        f"By {how[explanation.method]}.</small></p>"
    )


def _coloured(explanation: Explanation) -> str:
    """The text with a background behind each word, white space as it was."""
    pieces, at = [], 0
    for word in explanation.words:
        pieces.append(escape(explanation.text[at : word.start]))
        share = strength(word, explanation)
        colour = "46, 160, 67" if share >= 0 else "218, 54, 51"
        pieces.append(
            f'<span style="background: rgba({colour}, {0.6 * abs(share):.2f})" '
            f'title="{word.effect:+.2f}">{escape(word.word)}</span>'
        )
        at = word.end
    return "".join([*pieces, escape(explanation.text[at:])])
