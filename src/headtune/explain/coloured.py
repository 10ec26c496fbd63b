"""An explanation in HTML: the text with its words in colour, and the words that count most.

What speaks for the label is green above a solid line, what speaks against it red above a dashed
one; the deeper, the more. Each word says its effect in a tooltip, and the strongest stand in words
below, so nothing is told by colour alone.

Guarantees: all that was not written here is escaped; colours lie behind the reader's own colour of
letters, light or dark; nothing is loaded or run, and no style reaches beyond the explanation.
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from headtune.wording.numbers import percent
from headtune.wording.visible import visible

if TYPE_CHECKING:
    from headtune.explain.explanation import Explanation, WordEffect

__all__ = ["STRONGEST", "coloured", "explanation_fragment", "strength", "strongest_words"]

STRONGEST = 10
"""Words that are named with their effect."""

DEEPEST = 0.5
"""Opacity of the colour behind the strongest word: light grey letters are still read on it."""

GREEN, RED = "46, 160, 67", "218, 54, 51"


def explanation_fragment(explanation: "Explanation") -> str:
    """One ``<div>``, for a notebook: the answer, the text in colour, a legend, the strongest."""
    label = escape(explanation.label)
    words = ", ".join(
        f"{escape(word.word)} <b>{word.effect:+.2f}</b>" for word in strongest_words(explanation)
    )
    return visible(
        '<div class="headtune-explanation" style="max-width: 46rem; line-height: 1.7">'
        f"<div><b>{label}</b>, {percent(explanation.probability)}{_answer(explanation)}</div>"
        '<div style="white-space: pre-wrap; overflow-wrap: anywhere; margin: .4em 0">'
        f"{coloured(explanation)}</div>"
        f'<div style="font-size: .9em">'
        f"{_tinted(f'for {label}', 1.0)}, {_tinted('against it', -1.0)}; effect on log-odds, "
        f"strongest first: {words or 'no word has one'}</div></div>"
    )


def coloured(explanation: "Explanation") -> str:
    """The text with a background and a line behind each word, white space as it was."""
    return "".join(_pieces(explanation))


def strongest_words(explanation: "Explanation") -> "Sequence[WordEffect]":
    """Those with the largest effects, whatever their sign; at most ``STRONGEST``."""
    return sorted(explanation.words, key=lambda word: -abs(word.effect))[:STRONGEST]


def strength(word: "WordEffect", explanation: "Explanation") -> float:
    """The effect against the strongest of the text: -1 to 1."""
    return word.effect / explanation.strongest if explanation.strongest else 0.0


def _pieces(explanation: "Explanation") -> Iterator[str]:
    at = 0
    for word in explanation.words:
        yield escape(explanation.text[at : word.start])
        side = "for" if word.effect >= 0 else "against"
        title = f"{word.effect:+.2f} {side} {explanation.label}"
        yield _tinted(escape(word.word), strength(word, explanation), title)
        at = word.end
    yield escape(explanation.text[at:])


def _tinted(html: str, share: float, title: str = "") -> str:
    """``share`` from -1 (against) to 1 (for); a tenth and less has no line below it."""
    colour = GREEN if share >= 0 else RED
    line = f"; border-bottom: 2px {'solid' if share > 0 else 'dashed'} rgb({colour})"
    style = (
        f"background: rgba({colour}, {DEEPEST * abs(share):.2f}); border-radius: .2em; "
        f"padding: .1em .15em{line if abs(share) > 0.1 else ''}"
    )
    named = f' title="{escape(title)}"' if title else ""
    return f'<span style="{style}"{named}>{html}</span>'


def _answer(explanation: "Explanation") -> str:
    """What the classifier answers, where that is not the label that is explained."""
    if explanation.answer == explanation.label:
        return ""
    return f" (the answer is {escape(explanation.answer)})"
