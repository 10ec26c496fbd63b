"""Texts that have nothing in common, as many as a test needs."""

import numpy as np

__all__ = ["made_texts", "words"]

CONSONANTS = np.array(list("bcdfghjklmnprstvwz"))


def words(generator: np.random.Generator, n: int) -> list[str]:
    """Made-up words of six letters, no two texts of which have much in common."""
    return ["".join(letters) for letters in generator.choice(CONSONANTS, (n, 6))]


def made_texts(n: int, generator: np.random.Generator, n_words: int = 15) -> list[str]:
    flat = words(generator, n * n_words)
    return [" ".join(flat[i * n_words : (i + 1) * n_words]) for i in range(n)]
