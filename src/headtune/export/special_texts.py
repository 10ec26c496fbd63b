"""Texts full of special tokens, for the proof of an export.

Tools have their own ideas of a ``</s>`` in a text, of the padding token most of all. Where the run
reads them as text, they are asked with the probes.
"""

from transformers import PreTrainedTokenizerBase

from headtune.tokens import special_tokens

__all__ = ["texts_with_special_tokens"]

MOST_SPECIAL = 8
"""Special tokens in one text."""

AROUND = 40
"""Characters of text around them."""


def texts_with_special_tokens(text: str, tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """``text`` in short, with special tokens before, inside and behind it; the padding token last.

    None of a tokenizer that has no special tokens.
    """
    text, padding = text[:AROUND], tokenizer.pad_token
    known = dict.fromkeys([*tokenizer.all_special_tokens, *special_tokens(tokenizer).values()])
    chosen = [token for token in known if token != padding][: MOST_SPECIAL - 1]
    tokens = "".join(chosen) + (padding or "")
    half = len(text) // 2
    return [tokens + text, text[:half] + tokens + text[half:], text + tokens] if tokens else []
