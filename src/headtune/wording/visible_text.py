"""``visible`` for rich's texts, which carry colours."""

from rich.text import Text

from headtune.wording.visible import UNSEEN, visible

__all__ = ["visible_text"]


def visible_text(text: Text) -> Text:
    """The same with what cannot be seen written out; colours stay on the letters they were on."""
    if not UNSEEN.search(text.plain):
        return text
    edges = [edge for found in UNSEEN.finditer(text.plain) for edge in found.span()]
    pieces = text.divide(edges)
    for piece in pieces:
        piece.plain = visible(piece.plain)
    return text.blank_copy().join(pieces)
