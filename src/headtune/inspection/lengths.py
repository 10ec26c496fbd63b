"""How long each text is: in tokens of a model that was named, else in words.

A text that uses no white space (Chinese, Thai) is one word; then only tokens say anything.
Costs: the import of transformers and of its tokenizer.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["measure_lengths"]

TEXTS_PER_CALL = 1_000


def measure_lengths(texts: Sequence[str], model: str | None) -> tuple[npt.NDArray[np.int64], str]:
    """The length of each text, ``(n_texts,)``, and the unit: "tokens" or "words".

    Raises ``ModelError`` and ``TokenizationError`` where the model has no tokenizer to be found.
    """
    if model is None:
        return np.array([len(text.split()) for text in texts], dtype=np.int64), "words"
    from headtune.pretrained import find_pretrained
    from headtune.tokens import load_tokenizer

    tokenizer = load_tokenizer(find_pretrained(model, weights=False))
    lengths: list[int] = []
    for start in range(0, len(texts), TEXTS_PER_CALL):
        chunk = list(texts[start : start + TEXTS_PER_CALL])
        encoded = tokenizer(chunk, return_attention_mask=False, verbose=False)["input_ids"]
        lengths.extend(map(len, encoded))
    return np.array(lengths, dtype=np.int64), "tokens"
