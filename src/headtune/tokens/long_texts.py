"""As much of a very long text as its kept tokens need.

A tokenizer needs some 100 bytes of memory for each token, and only ``max_length`` of them are kept:
a text of 200 MB would fill any memory for tokens that are thrown away. So a text above
``WHOLE_CHARACTERS`` is cut before it is encoded:

    1. Take its beginning: ``WHOLE_CHARACTERS``, or more where ``max_length`` may need them.
    2. Encode that, and half as much again, which ends at another place.
    3. If both give the same kept tokens, with ``MARGIN`` more that are the same, the end of the
       text does not reach them: take that part. Else double it, up to ``MOST_CHARACTERS``.

Of a tokenizer that keeps the last tokens (``truncation_side`` left) the end is taken instead.

Guarantees: a text of at most ``WHOLE_CHARACTERS`` is encoded whole, exactly as it is. Above, the
kept tokens did not change as half as much text again came behind the part (the tokenizers in
use decide within a word and its neighbours). Beyond ``MOST_CHARACTERS`` nothing is looked at.
Costs: 0.1 s for a text of any length whose tokens are as short as those of languages are.
"""

from transformers import PreTrainedTokenizerBase

from headtune.tokens.token_ids import token_ids

__all__ = ["MOST_CHARACTERS", "WHOLE_CHARACTERS", "sufficient_part"]

WHOLE_CHARACTERS = 100_000
"""Texts up to here are encoded whole."""

MOST_CHARACTERS = 6_400_000
"""No more is read of a text, unless so many tokens are kept that more may be needed."""

CHARACTERS_PER_TOKEN = 16
"""A generous guess of what a token takes; where it is too low, more is tried."""

MARGIN = 64
"""Tokens behind the kept ones that must be the same, too."""


def sufficient_part(
    text: str, tokenizer: PreTrainedTokenizerBase, max_length: int, row: int
) -> str:
    """The part of ``text`` whose first ``max_length`` tokens are those of the whole text.

    Raises ``TokenizationError``, with ``row``, where it holds what the tokenizer has no token for.
    """
    size = max(WHOLE_CHARACTERS, CHARACTERS_PER_TOKEN * max_length)
    needed = max_length + MARGIN
    most = max(MOST_CHARACTERS, 2 * size)
    from_end = tokenizer.truncation_side == "left"
    while size < min(len(text), most):
        part, more = _part(text, size, from_end), _part(text, size + size // 2, from_end)
        tokens = _kept(part, tokenizer, needed, row)
        if len(tokens) == needed and tokens == _kept(more, tokenizer, needed, row):
            return part
        size *= 2
    return _part(text, most, from_end)


def _part(text: str, size: int, from_end: bool) -> str:
    return text[-size:] if from_end else text[:size]


def _kept(text: str, tokenizer: PreTrainedTokenizerBase, n: int, row: int) -> list[int]:
    (ids,) = token_ids([text], tokenizer, [row], special=False)
    return ids[-n:] if tokenizer.truncation_side == "left" else ids[:n]
