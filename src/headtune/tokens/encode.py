"""Texts to token ids, cut at a length, with every cut counted.

A tokenizer of the Rust library encodes a batch of texts on all cores; 1,000 short texts take some
30 ms. Texts that are too long are encoded a second time with the tokenizer's own truncation, so
that a tokenizer which appends a special token keeps it.

A token that has no row in the model's embedding (added to the tokenizer alone) is an error where a
text holds it, and none where no text does.

Of a text above ``WHOLE_CHARACTERS`` no more is encoded than its kept tokens need (long_texts.py);
how many were cut off is then known as "at least".

Costs: as above; 0.1 s and 50 MB for a text of any length.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from headtune.errors import TokenizationError
from headtune.tokens.long_texts import MOST_CHARACTERS, sufficient_part
from headtune.tokens.token_ids import token_ids
from headtune.types import Example, LabelSet, TokenizedExample

__all__ = ["TokenCounts", "TokenFigures", "count_tokens", "encode_examples", "encode_texts"]

TEXTS_PER_CALL = 1_000
CHARACTERS_PER_CALL = 4_000_000


def encode_texts(
    texts: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    *,
    n_embeddings: int | None = None,
) -> list[TokenizedExample]:
    """Texts without labels; row numbers count from 1."""
    examples = [Example(text, None, row) for row, text in enumerate(texts, start=1)]
    return encode_examples(examples, tokenizer, max_length, n_embeddings=n_embeddings)


def encode_examples(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    *,
    n_embeddings: int | None = None,
) -> list[TokenizedExample]:
    """Each example as at most ``max_length`` token ids, in order.

    A text of which the tokenizer makes nothing (white space, for some) becomes its beginning- or
    end-of-text token. Raises ``TokenizationError`` when it has neither, where a text holds what the
    tokenizer has no token for, and where it holds a token that is not among the ``n_embeddings``
    that the model knows.
    """
    encoded: list[TokenizedExample] = []
    for chunk in _chunks(examples):
        texts = [
            sufficient_part(example.text, tokenizer, max_length, example.row) for example in chunk
        ]
        rows = [example.row for example in chunk]
        ids_and_cuts = _encode_chunk(texts, rows, tokenizer, max_length)
        encoded.extend(
            TokenizedExample(
                ids, example.label, example.row, cut, len(text) < len(example.text), example.weight
            )
            for example, text, (ids, cut) in zip(chunk, texts, ids_and_cuts, strict=True)
        )
    if n_embeddings is not None:
        _require_rows(encoded, tokenizer, n_embeddings)
    return encoded


def _require_rows(
    encoded: Sequence[TokenizedExample], tokenizer: PreTrainedTokenizerBase, n_embeddings: int
) -> None:
    """Raise ``TokenizationError`` on the first token without a row in the embedding."""
    for example in encoded:
        beyond = example.input_ids[example.input_ids >= n_embeddings]
        if beyond.size:
            token_id = int(beyond[0])
            raise TokenizationError(
                f"Row {example.row} holds the token {tokenizer.convert_ids_to_tokens(token_id)!r}, "
                f"whose id is {token_id}, and the model's embedding has {n_embeddings:,} rows: it "
                "was added to the tokenizer alone.",
                row=example.row,
                way_out="Leave such texts out, or save the model with its embedding resized to its "
                "tokenizer (resize_token_embeddings of transformers).",
            )


def _chunks(examples: Sequence[Example]) -> Iterator[list[Example]]:
    """So many texts or characters at a time, which bounds memory."""
    chunk: list[Example] = []
    n_characters = 0
    for example in examples:
        chunk.append(example)
        n_characters += min(len(example.text), MOST_CHARACTERS)
        if len(chunk) == TEXTS_PER_CALL or n_characters >= CHARACTERS_PER_CALL:
            yield chunk
            chunk, n_characters = [], 0
    if chunk:
        yield chunk


def _encode_chunk(
    texts: list[str], rows: list[int], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Iterator[tuple[npt.NDArray[np.int32], int]]:
    whole = token_ids(texts, tokenizer, rows)
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
        "for it.",
        way_out="Leave empty texts out.",
    )


class TokenFigures(TypedDict):
    """``TokenCounts`` in JSON values."""

    texts: int
    tokens: int
    longest: int
    truncated_texts: dict[str, int]
    truncated_tokens: int
    truncated_tokens_at_least: NotRequired[bool]


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens of one part of the data, and what ``max_length`` cut off.

    ``truncated_texts`` counts texts by label name ("" where unknown). ``truncated_tokens`` is "at
    least" so many where a text was so long that it was not encoded whole (``at_least``).
    """

    n_texts: int
    n_tokens: int
    longest: int
    truncated_texts: dict[str, int]
    truncated_tokens: int
    at_least: bool = False

    def to_dict(self) -> TokenFigures:
        """Plain JSON values."""
        counts: TokenFigures = {
            "texts": self.n_texts,
            "tokens": self.n_tokens,
            "longest": self.longest,
            "truncated_texts": dict(self.truncated_texts),
            "truncated_tokens": self.truncated_tokens,
        }
        if self.at_least:
            counts["truncated_tokens_at_least"] = True
        return counts


def count_tokens(examples: Sequence[TokenizedExample], labels: LabelSet) -> TokenCounts:
    """Count tokens and cuts, per label."""
    truncated = dict.fromkeys(labels.names, 0)
    for example in examples:
        if example.n_truncated or example.truncated_more:
            name = "" if example.label is None else labels.names[example.label]
            truncated[name] = truncated.get(name, 0) + 1
    return TokenCounts(
        n_texts=len(examples),
        n_tokens=sum(len(example) for example in examples),
        longest=max((len(example) for example in examples), default=0),
        truncated_texts=truncated,
        truncated_tokens=sum(example.n_truncated for example in examples),
        at_least=any(example.truncated_more for example in examples),
    )
