"""Texts to token ids, by the tokenizer alone; a text that it cannot encode is named by its row.

Tokenizers that know words or pieces need an unknown token for what they do not know. One without
it fails with a bare ``Exception`` for the whole batch; here the text is looked for, and what in it
has no token.

Costs: nothing, until a text fails; then a call a text, and one a word of the first.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from headtune.errors import TokenizationError, option

__all__ = ["token_ids"]

MOST_NAMED = 5


def token_ids(
    texts: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[int],
    *,
    special: bool = True,
) -> list[list[int]]:
    """The token ids of each text, uncut. ``rows`` are the record numbers of the texts.

    ``special`` says whether those that the tokenizer adds at the ends are among them.

    Raises ``TokenizationError``, with row and characters, on a text that has no token ids.
    """
    try:
        found: list[list[int]] = _ids(tokenizer, list(texts), special)
    except Exception as error:  # the tokenizers library raises Exception itself
        if type(error) is not Exception:
            raise
        raise _unknown(texts, tokenizer, rows, error) from error
    return found


def _ids(
    tokenizer: PreTrainedTokenizerBase, texts: list[str], special: bool = True
) -> list[list[int]]:
    found: list[list[int]] = tokenizer(
        texts, add_special_tokens=special, return_attention_mask=False, verbose=False
    )["input_ids"]
    return found


def _unknown(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, rows: Sequence[int], error: Exception
) -> TokenizationError:
    failing = (place for place, text in enumerate(texts) if not _is_known(text, tokenizer))
    place = next(failing, None)
    if place is None:  # each text alone can be encoded
        return TokenizationError(f"The tokenizer cannot encode these texts: {_one_line(error)}")
    return TokenizationError(
        f"The tokenizer has no token for {_named(texts[place], tokenizer)} in row {rows[place]}, "
        f"and none for what it does not know ({_one_line(error)}).",
        row=rows[place],
        way_out="Leave such texts out, or give a model whose tokenizer has an unknown token with "
        f"{option('model')}.",
    )


def _named(text: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """The words that have no token; of one that is known but for a character, this."""
    pieces: list[str] = []
    for word in dict.fromkeys(text.split()):
        if not _is_known(word, tokenizer):
            odd = [c for c in dict.fromkeys(word) if _is_known(word.replace(c, ""), tokenizer)]
            pieces += odd if len(set(word)) > 1 and odd else [word[:40]]
    return ", ".join(map(repr, dict.fromkeys(pieces[:MOST_NAMED]))) or repr(text[:40])


def _is_known(text: str, tokenizer: PreTrainedTokenizerBase) -> bool:
    try:
        _ids(tokenizer, [text])
    except Exception as error:  # the tokenizers library raises Exception itself
        if type(error) is not Exception:
            raise
        return False
    return True


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
