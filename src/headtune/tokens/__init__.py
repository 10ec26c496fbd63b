"""Stage 2, examples to token ids: the tokenizer with padding settled, texts cut and counted."""

from headtune.tokens.encode import (
    TokenCounts,
    TokenFigures,
    count_tokens,
    encode_examples,
    encode_texts,
)
from headtune.tokens.token_ids import token_ids
from headtune.tokens.tokenizer import (
    DEFAULT_MAX_LENGTH,
    context_length,
    load_tokenizer,
    resolve_max_length,
)

__all__ = [
    "DEFAULT_MAX_LENGTH",
    "TokenCounts",
    "TokenFigures",
    "context_length",
    "count_tokens",
    "encode_examples",
    "encode_texts",
    "load_tokenizer",
    "resolve_max_length",
    "token_ids",
]
