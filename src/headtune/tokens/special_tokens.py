"""Special tokens that are written out in a text are text, and give it none of their ids.

Whoever writes ``<|im_end|>`` into a message would otherwise end it for the model. transformers
splits such text where a tokenizer has ``split_special_tokens``: its list of added tokens is then
not looked for. What the model of the tokenizer has among its own pieces is still found: Unigram
models (T5, XLM-R, ALBERT, DeBERTa) have ``</s>`` there, at the best score of all. So

    1. each special token is put to the tokenizer, alone and between other text;
    2. where one comes back whole, texts are cut behind its first character, by a step more in the
       tokenizer's pipeline, which is saved with it and read by every tool.

Tokens that were added without being special (``<tool_call>``, runs of spaces) stay as they are:
many are ordinary text, and the model has learnt them as such.

Guarantees: a text that holds no special token has the ids it had. Costs: a millisecond for a
hundred special tokens.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from tokenizers import Regex, pre_tokenizers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

__all__ = ["cut_special_pieces", "special_tokens"]

NOT_HANDED_ON = ("backend", "is_local", "local_files_only", "name_or_path", "vocab_file")
"""Settings that say where a tokenizer came from, not how it reads."""


def special_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[int, str]:
    """Id -> special token as it is written, in the order of the ids."""
    added = sorted(tokenizer.added_tokens_decoder.items())
    return {token_id: token.content for token_id, token in added if token.special}


def cut_special_pieces(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """The tokenizer, or one like it that takes no special token out of a text.

    The new one is of transformers' general class: classes of their own build the pipeline anew when
    they are loaded, without the step that was put into it.
    """
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        return tokenizer
    whole = list(_whole(tokenizer))
    if not whole:
        return tokenizer
    backend = tokenizer.backend_tokenizer
    cut = pre_tokenizers.Split(Regex(_behind_first_character(whole)), "isolated")
    before = [] if backend.pre_tokenizer is None else [backend.pre_tokenizer]
    backend.pre_tokenizer = pre_tokenizers.Sequence([*before, cut])
    settings = {k: v for k, v in tokenizer.init_kwargs.items() if k not in NOT_HANDED_ON}
    settings["model_input_names"] = list(tokenizer.model_input_names)
    like_it: PreTrainedTokenizerBase = PreTrainedTokenizerFast(tokenizer_object=backend, **settings)
    return like_it


def _whole(tokenizer: PreTrainedTokenizerFast) -> Iterator[str]:
    """The special tokens of two characters or more that some text is given as a whole."""
    backend = tokenizer.backend_tokenizer
    for token_id, token in special_tokens(tokenizer).items():
        texts = (token, f"a{token}a", f"a {token} a") if len(token) > 1 else ()
        for text in texts:
            try:
                found = backend.encode(text, add_special_tokens=False)
            except Exception as error:  # the tokenizers library raises Exception itself
                if type(error) is not Exception:
                    raise
                continue  # a character that has no token, so the token was not found whole
            at = text.index(token)
            span = (at, at + len(token))
            if any(
                i == token_id and start <= span[0] and span[1] <= end
                for i, (start, end) in zip(found.ids, found.offsets, strict=True)
            ):
                yield token
                break


def _behind_first_character(tokens: list[str]) -> str:
    """A pattern that matches the first character of each token, where the rest follows."""
    rests: dict[str, list[str]] = defaultdict(list)
    for token in tokens:
        rests[token[0]].append(re.escape(token[1:]))
    each = (f"{re.escape(first)}(?={'|'.join(found)})" for first, found in rests.items())
    return "|".join(each)
