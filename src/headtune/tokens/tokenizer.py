"""The tokenizer of a backbone, with padding settled once.

Half of the published troubles with decoder classifiers are a padding token that is missing, is
the end-of-text token, or differs between tokenizer and model. Here nothing looks for a padding
token: sequences are concatenated, and pooled by position. One is settled all the same, because
exported models need it: the tokenizer's own, else its end-of-text token, else id 0. No token is
ever added, so embeddings are never resized.
"""

from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from headtune.errors import ModelError, TokenizationError, option
from headtune.pretrained import PretrainedFolder, forget_code, from_folder

__all__ = ["DEFAULT_MAX_LENGTH", "load_tokenizer", "resolve_max_length"]

DEFAULT_MAX_LENGTH = 2048


def load_tokenizer(folder: PretrainedFolder) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder, padding on the right, padding token settled.

    Raises ``TokenizationError`` when the folder has none, or one that cannot be read, and
    ``ModelError`` where it is Python code that may not run.
    """
    try:
        tokenizer: PreTrainedTokenizerBase = from_folder(AutoTokenizer.from_pretrained, folder)
    except ModelError:
        raise
    except Exception as error:  # the tokenizers library raises Exception itself
        reason = " ".join(str(error).split())[:200]
        raise TokenizationError(
            f"The tokenizer of {folder.name!r} cannot be loaded: {reason}"
        ) from error
    forget_code(tokenizer.init_kwargs, folder)
    tokenizer.padding_side = "right"
    settle_padding(tokenizer)
    return tokenizer


def settle_padding(tokenizer: PreTrainedTokenizerBase) -> None:
    """Give the tokenizer a padding token out of its own vocabulary."""
    if tokenizer.pad_token_id is not None:
        return
    if tokenizer.eos_token is not None:
        tokenizer.pad_token = tokenizer.eos_token
    else:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(0)


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
