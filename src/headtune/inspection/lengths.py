"""How long each text is: in tokens of a model that was named, else in words.

A text that uses no white space (Chinese, Thai) is one word; then only tokens say anything. Texts
above ``PIECE`` characters are counted in pieces of that length, which bounds memory; where a piece
ends within a token, it counts as two.
Costs: the import of transformers and of its tokenizer.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["measure_lengths"]

TEXTS_PER_CALL = 1_000
CHARACTERS_PER_CALL = 4_000_000
PIECE = 100_000


def measure_lengths(
    texts: Sequence[str], model: str | None, rows: Sequence[int]
) -> tuple[npt.NDArray[np.int64], str]:
    """The length of each text, ``(n_texts,)``, and the unit: "tokens" or "words".

    ``rows`` are the record numbers of the texts.

    Raises ``ModelError`` for a model that cannot be trained, and ``TokenizationError`` where it has
    no tokenizer to be found, or one that has no token for something in a text.
    """
    if model is None:
        return np.array([_n_words(text) for text in texts], dtype=np.int64), "words"
    from headtune.model import load_config
    from headtune.pretrained import Trust, find_pretrained
    from headtune.tokens import load_tokenizer, token_ids

    folder = find_pretrained(model, weights=False, trust=Trust.NEVER)
    load_config(folder)  # what could not be trained is not measured either
    tokenizer = load_tokenizer(folder, split_special_tokens=True)
    special = len(tokenizer("")["input_ids"])
    lengths = np.zeros(len(texts), dtype=np.int64)
    for numbers, pieces in _calls(texts):
        encoded = token_ids(pieces, tokenizer, [rows[number] for number in numbers])
        for number, ids in zip(numbers, encoded, strict=True):
            lengths[number] += len(ids) - (special if lengths[number] else 0)
    return lengths, "tokens"


def _calls(texts: Sequence[str]) -> Iterator[tuple[list[int], list[str]]]:
    """The pieces of all texts, and which text each is of, so many at a time."""
    numbers: list[int] = []
    pieces: list[str] = []
    n_characters = 0
    for number, text in enumerate(texts):
        for start in range(0, max(len(text), 1), PIECE):
            numbers.append(number)
            pieces.append(text[start : start + PIECE])
            n_characters += len(pieces[-1])
            if len(pieces) == TEXTS_PER_CALL or n_characters >= CHARACTERS_PER_CALL:
                yield numbers, pieces
                numbers, pieces, n_characters = [], [], 0
    if pieces:
        yield numbers, pieces


def _n_words(text: str) -> int:
    """As many as ``text.split()`` has; a word across two pieces is counted once."""
    n_words = 0
    for start in range(0, len(text), PIECE):
        n_words += len(text[start : start + PIECE].split())
        n_words -= start > 0 and not text[start - 1].isspace() and not text[start].isspace()
    return n_words
