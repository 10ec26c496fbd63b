"""Where the tokens of a text are in it, for whoever shows what a token did.

The same text goes through the same tokenizer as in ``encode.py``, so special tokens are read alike.
Costs: as much as encoding the text once.
"""

from transformers import PreTrainedTokenizerBase

from headtune.tokens.long_texts import sufficient_part

__all__ = ["token_places"]


def token_places(
    text: str, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[tuple[int, int]] | None:
    """First character and the one behind the last, of each token that ``encode_texts`` keeps.

    ``(0, 0)`` for one that the tokenizer added; None of a tokenizer that does not say.
    """
    if not tokenizer.is_fast:
        return None
    from_end = tokenizer.truncation_side == "left"
    part = sufficient_part(text, tokenizer, max_length, row=1)
    left_out = len(text) - len(part) if from_end else 0
    found = tokenizer(part, return_offsets_mapping=True, truncation=True, max_length=max_length)
    return [
        (start + left_out, end + left_out) if end > start else (0, 0)
        for start, end in found["offset_mapping"]
    ]
