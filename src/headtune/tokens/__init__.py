"""Stage 2, examples to token ids: the tokenizer with padding settled, texts cut and counted."""

from headtune.tokens.encode import (
    TokenCounts,
    TokenFigures,
    count_tokens,
    encode_examples,
    encode_texts,
)
from headtune.tokens.places import token_places
from headtune.tokens.special_tokens import special_tokens
from headtune.tokens.token_ids import token_ids
from headtune.tokens.tokenizer import (
    DEFAULT_MAX_LENGTH,
    context_length,
    embedding_size,
    load_tokenizer,
    n_tokens_beyond,
    resolve_max_length,
)

__all__ = [
    "DEFAULT_MAX_LENGTH",
    "TokenCounts",
    "TokenFigures",
    "context_length",
    "count_tokens",
    "embedding_size",
    "encode_examples",
    "encode_texts",
    "load_tokenizer",
    "n_tokens_beyond",
    "resolve_max_length",
    "special_tokens",
    "token_ids",
    "token_places",
]
