"""Texts put to a tool that takes padded batches: texts of like length together, eight at a time.

A batch costs what its longest text costs, times eight; in the order given, most of that would be
padding. Answers come back in the order given.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

__all__ = ["ask", "integer_inputs"]

BATCH_SIZE = 8

Probabilities = npt.NDArray[np.float64]


def ask(answer: Callable[[list[str]], Probabilities], texts: Sequence[str]) -> Probabilities:
    """Probabilities of ``texts``, shape ``(n_texts, n_labels)``.

    ``answer`` takes up to eight texts and gives their rows.
    """
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    batches = [order[start : start + BATCH_SIZE] for start in range(0, len(order), BATCH_SIZE)]
    rows = np.concatenate([answer([texts[i] for i in batch]) for batch in batches])
    in_order = np.empty_like(rows)
    in_order[order] = rows
    return in_order


def integer_inputs(
    tokenizer: PreTrainedTokenizerBase, texts: list[str]
) -> dict[str, npt.NDArray[Any]]:
    """``input_ids`` and ``attention_mask`` of a graph, shape ``(n_texts, longest)`` int64."""
    batch = tokenizer(texts, padding=True, truncation=True, return_tensors="np")
    return {name: batch[name].astype(np.int64) for name in ("input_ids", "attention_mask")}
