"""How long each text is: in tokens of a model that was named, else in words.

A text that uses no white space (Chinese, Thai) is one word; then only tokens say anything.
Costs: the import of transformers and of its tokenizer.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["measure_lengths"]

TEXTS_PER_CALL = 1_000


def measure_lengths(
    texts: Sequence[str], model: str | None, rows: Sequence[int]
) -> tuple[npt.NDArray[np.int64], str]:
    """The length of each text, ``(n_texts,)``, and the unit: "tokens" or "words".

    ``rows`` are the record numbers of the texts.

    Raises ``ModelError`` for a model that cannot be trained, and ``TokenizationError`` where it has
    no tokenizer to be found, or one that has no token for something in a text.
    """
    if model is None:
        return np.array([len(text.split()) for text in texts], dtype=np.int64), "words"
    from headtune.model import load_config
    from headtune.pretrained import Trust, find_pretrained
    from headtune.tokens import load_tokenizer, token_ids

    folder = find_pretrained(model, weights=False, trust=Trust.NEVER)
    load_config(folder)  # what could not be trained is not measured either
    tokenizer = load_tokenizer(folder)
    lengths: list[int] = []
    for start in range(0, len(texts), TEXTS_PER_CALL):
        part = slice(start, start + TEXTS_PER_CALL)
        lengths.extend(map(len, token_ids(texts[part], tokenizer, rows[part])))
    return np.array(lengths, dtype=np.int64), "tokens"
