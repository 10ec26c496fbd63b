"""Texts reach a tool with texts of like length, and answers come back in the order given."""

import numpy as np
import pytest

from headtune.export.asking import ask


@pytest.mark.parametrize("n_texts", [1, 7, 8, 9, 50])
def test_answers_are_in_the_order_given(n_texts: int) -> None:
    texts = ["x" * length for length in np.random.default_rng(0).permutation(n_texts)]

    def lengths(batch: list[str]) -> np.ndarray:
        return np.array([[len(text), -len(text)] for text in batch], dtype=np.float64)

    answers = ask(lengths, texts)
    assert answers[:, 0].tolist() == [len(text) for text in texts]
    assert answers[:, 1].tolist() == [-len(text) for text in texts]


def test_a_batch_holds_eight_texts_of_like_length() -> None:
    texts = ["long" * 100 if i % 2 else "short" for i in range(32)]
    batches: list[list[str]] = []

    def note(batch: list[str]) -> np.ndarray:
        batches.append(batch)
        return np.zeros((len(batch), 2))

    ask(note, texts)
    assert [len(batch) for batch in batches] == [8, 8, 8, 8]
    assert all(len(set(batch)) == 1 for batch in batches)
