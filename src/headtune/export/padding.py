"""A padding token for tools that find the end of a text by looking for one.

headtune pools by position. transformers' sequence classifiers take the last token that is not the
padding token, and go wrong where padding and end of text share an id and a text ends with it. So an
export gets a padding token that no text ends with: the tokenizer's own where it is nothing else
besides, else another special token of its vocabulary, one made for padding or reserve before any
other, else the beginning of text. Where special tokens in texts are read as text, no text ends with
one that the tokenizer does not put there. Nothing is added to the vocabulary, and a token that has
no row in the model's embedding is not chosen.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from headtune.tokens import special_tokens

__all__ = ["settle_export_padding"]

MADE_FOR_IT = ("pad", "reserved", "unused", "endoftext", "end_of_text")
"""Words in the names of special tokens, from the best choice on."""


def settle_export_padding(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], n_embeddings: int | None = None
) -> bool:
    """Give the tokenizer such a token. False if it has none, and texts end with the padding token.

    Where there is none but texts do not end with it either (GPT-2), the end of text stays.
    """
    last = {ids[-1] for ids in tokenizer(list(texts))["input_ids"] if ids}
    if tokenizer.pad_token_id not in {tokenizer.bos_token_id, tokenizer.eos_token_id} | last:
        return True
    candidates = [
        (_rank(token_id, token, tokenizer), token_id, token)
        for token_id, token in special_tokens(tokenizer).items()
        if token_id not in {tokenizer.eos_token_id} | last
        and (n_embeddings is None or token_id < n_embeddings)
    ]
    if candidates:
        tokenizer.pad_token = min(candidates)[2]
    return tokenizer.pad_token_id not in last


def _rank(token_id: int, name: str, tokenizer: PreTrainedTokenizerBase) -> int:
    """How good a choice a special token is, from 0 on."""
    if token_id == tokenizer.bos_token_id:
        return len(MADE_FOR_IT) + 1
    named = (i for i, word in enumerate(MADE_FOR_IT) if word in name.lower())
    return next(named, len(MADE_FOR_IT))
