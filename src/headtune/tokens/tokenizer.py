"""The tokenizer of a backbone, with padding and special tokens settled once.

Half of the published troubles with decoder classifiers are a padding token that is missing, is
the end-of-text token, or differs between tokenizer and model. Here nothing looks for a padding
token: sequences are concatenated, and pooled by position. One is settled all the same, because
exported models need it: the tokenizer's own, else its end-of-text token, else id 0, whichever has
a row in the model's embedding. No token is ever added, so embeddings are never resized; where
somebody else added one and left the embedding as it was, a text that holds it is an error of
``encode_texts``.

Whether special tokens in a text are read as text is set here as well, so that whoever is handed the
tokenizer, or reads it out of a folder, does as training did.
"""

from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from headtune.errors import ModelError, TokenizationError, option
from headtune.pretrained import (
    PretrainedFolder,
    forget_code,
    from_folder,
    needs_code_of_its_own,
)
from headtune.tokens.special_tokens import cut_special_pieces

__all__ = [
    "DEFAULT_MAX_LENGTH",
    "context_length",
    "embedding_size",
    "load_tokenizer",
    "n_tokens_beyond",
    "resolve_max_length",
]

DEFAULT_MAX_LENGTH = 2048

SPLIT = "split_special_tokens"
"""transformers' name of it, in ``tokenizer_config.json`` too."""


def load_tokenizer(
    folder: PretrainedFolder,
    *,
    split_special_tokens: bool | None = None,
    n_embeddings: int | None = None,
) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder, padding on the right, padding token settled.

    Args:
        split_special_tokens: Whether special tokens in a text are text; None for what the folder
            says.
        n_embeddings: Rows of the model's embedding; None where that is not known.

    Raises ``TokenizationError`` when the folder has none, or one that cannot be read, and
    ``ModelError`` where it is Python code that may not run.
    """
    options = {} if split_special_tokens is None else {SPLIT: split_special_tokens}
    try:
        tokenizer: PreTrainedTokenizerBase = from_folder(
            AutoTokenizer.from_pretrained, folder, **options
        )
    except ModelError:
        raise
    except Exception as error:  # the tokenizers library raises Exception itself
        reason = " ".join(str(error).split())[:200]
        raise TokenizationError(
            f"The tokenizer of {folder.name!r} cannot be loaded: {reason}"
        ) from error
    if split_special_tokens and not needs_code_of_its_own(tokenizer):
        tokenizer = cut_special_pieces(tokenizer)
    forget_code(tokenizer.init_kwargs, folder)
    tokenizer.padding_side = "right"
    settle_padding(tokenizer, n_embeddings)
    return tokenizer


def settle_padding(tokenizer: PreTrainedTokenizerBase, n_embeddings: int | None = None) -> None:
    """Give the tokenizer a padding token out of its own vocabulary, and out of the embedding."""

    def has_a_row(token_id: int | None) -> bool:
        return token_id is not None and (n_embeddings is None or token_id < n_embeddings)

    if has_a_row(tokenizer.pad_token_id):
        return
    if has_a_row(tokenizer.eos_token_id):
        tokenizer.pad_token = tokenizer.eos_token
    else:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(0)


def embedding_size(config: Any) -> int | None:
    """Rows of a model's embedding by its transformers config, or None where it names none."""
    size = getattr(config.get_text_config(), "vocab_size", None)
    return size if isinstance(size, int) and size > 0 else None


def n_tokens_beyond(tokenizer: PreTrainedTokenizerBase, n_embeddings: int | None) -> int:
    """How many tokens of the vocabulary have no row in the embedding."""
    if n_embeddings is None:
        return 0
    highest = max(tokenizer.added_tokens_decoder, default=0)
    if tokenizer.vocab_size <= n_embeddings and highest < n_embeddings:
        return 0
    return sum(token_id >= n_embeddings for token_id in tokenizer.get_vocab().values())


def resolve_max_length(asked: int | None, model_limit: int | None) -> int:
    """Tokens of a text that are read.

    ``asked`` wins, but not over ``model_limit`` (the positions a model has; None where it has no
    limit). Raises ``TokenizationError`` when more is asked than the model can take.
    """
    if asked is None:
        return min(DEFAULT_MAX_LENGTH, model_limit or DEFAULT_MAX_LENGTH)
    if model_limit is not None and asked > model_limit:
        raise TokenizationError(
            f"{option('max_length', asked)} is more than this model reads: at most {model_limit} "
            "tokens.",
            option="max_length",
        )
    return asked


def context_length(config: Any) -> int | None:
    """Positions a transformers config allows, or None where it names none."""
    for name in ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"):
        limit = getattr(config, name, None)
        if isinstance(limit, int) and limit > 0:
            return limit
    return None
