"""Texts to token ids, cut at a length, with every cut counted.

A tokenizer of the Rust library encodes a batch of texts on all cores; 1,000 short texts take some
30 ms. Texts that are too long are encoded a second time with the tokenizer's own truncation, so
that a tokenizer which appends a special token keeps it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from headtune.errors import TokenizationError
from headtune.types import Example, LabelSet, TokenizedExample

__all__ = ["TokenCounts", "TokenFigures", "count_tokens", "encode_examples", "encode_texts"]

TEXTS_PER_CALL = 1_000


def encode_texts(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[TokenizedExample]:
    """Texts without labels; row numbers count from 1."""
    examples = [Example(text, None, row) for row, text in enumerate(texts, start=1)]
    return encode_examples(examples, tokenizer, max_length)


def encode_examples(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[TokenizedExample]:
    """Each example as at most ``max_length`` token ids, in order.

    A text of which the tokenizer makes nothing (white space, for some) becomes its beginning- or
    end-of-text token. Raises ``TokenizationError`` when it has neither.
    """
    encoded: list[TokenizedExample] = []
    for start in range(0, len(examples), TEXTS_PER_CALL):
        chunk = examples[start : start + TEXTS_PER_CALL]
        ids_and_cuts = _encode_chunk([example.text for example in chunk], tokenizer, max_length)
        encoded.extend(
            TokenizedExample(ids, example.label, example.row, cut)
            for example, (ids, cut) in zip(chunk, ids_and_cuts, strict=True)
        )
    return encoded


def _encode_chunk(
    texts: list[str], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Iterator[tuple[npt.NDArray[np.int32], int]]:
    whole = tokenizer(texts, return_attention_mask=False, verbose=False)["input_ids"]
    for text, ids in zip(texts, whole, strict=True):
        kept = ids
        if len(ids) > max_length:
            kept = tokenizer(text, truncation=True, max_length=max_length, verbose=False)[
                "input_ids"
            ]
        yield _as_array(kept or [_lone_token(tokenizer)]), max(0, len(ids) - len(kept))


def _as_array(ids: list[int]) -> npt.NDArray[np.int32]:
    return np.asarray(ids, dtype=np.int32)


def _lone_token(tokenizer: PreTrainedTokenizerBase) -> int:
    for token_id in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if isinstance(token_id, int):
            return token_id
    raise TokenizationError(
        "A text has no tokens, and this tokenizer has no beginning- or end-of-text token to stand "
        "for it. Leave empty texts out."
    )


class TokenFigures(TypedDict):
    """``TokenCounts`` in JSON values."""

    texts: int
    tokens: int
    longest: int
    truncated_texts: dict[str, int]
    truncated_tokens: int


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens of one part of the data, and what ``max_length`` cut off.

    ``truncated_texts`` counts texts by label name ("" where unknown).
    """

    n_texts: int
    n_tokens: int
    longest: int
    truncated_texts: dict[str, int]
    truncated_tokens: int

    def to_dict(self) -> TokenFigures:
        """Plain JSON values."""
        return {
            "texts": self.n_texts,
            "tokens": self.n_tokens,
            "longest": self.longest,
            "truncated_texts": dict(self.truncated_texts),
            "truncated_tokens": self.truncated_tokens,
        }


def count_tokens(examples: Sequence[TokenizedExample], labels: LabelSet) -> TokenCounts:
    """Count tokens and cuts, per label."""
    truncated = dict.fromkeys(labels.names, 0)
    for example in examples:
        if example.n_truncated:
            name = "" if example.label is None else labels.names[example.label]
            truncated[name] = truncated.get(name, 0) + 1
    return TokenCounts(
        n_texts=len(examples),
        n_tokens=sum(len(example) for example in examples),
        longest=max((len(example) for example in examples), default=0),
        truncated_texts=truncated,
        truncated_tokens=sum(example.n_truncated for example in examples),
    )
