"""A table in which it is known what is odd: copies, conflicts and leaks among unlike texts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

CONSONANTS = np.array(list("bcdfghjklmnprstvwz"))
WORDS = 15
KINDS = ("exact", "folded", "edited", "conflict", "folded_conflict", "exact_leak", "near_leak")


@dataclass(frozen=True)
class Planted:
    """A frame with the columns text, label and part, and kind -> pairs of positions."""

    frame: pd.DataFrame
    pairs: dict[str, list[tuple[int, int]]]

    def n(self, *kinds: str) -> int:
        return sum(len(self.pairs[kind]) for kind in kinds)


def planted_table(n_rows: int, seed: int = 0) -> Planted:
    """``n_rows`` rows, of which one in a hundred is a copy of each kind; all others are unlike.

    Copies are of rows of the first half, each copied once; leaks are in the test part.
    """
    generator = np.random.default_rng(seed)
    n_each = n_rows // 100
    n_base = n_rows - len(KINDS) * n_each
    letters = generator.choice(CONSONANTS, (n_base * WORDS, 6))
    words = ["".join(word) for word in letters.tolist()]
    texts = [" ".join(words[i * WORDS : (i + 1) * WORDS]) for i in range(n_base)]
    labels = generator.choice(["a", "b"], n_base).tolist()
    originals = generator.permutation(n_base // 2)[: len(KINDS) * n_each].tolist()
    parts = ["train"] * (9 * n_base // 10) + ["test"] * (n_base - 9 * n_base // 10)
    pairs: dict[str, list[tuple[int, int]]] = {kind: [] for kind in KINDS}
    for place, original in enumerate(originals):
        kind = KINDS[place % len(KINDS)]
        pairs[kind].append((original, len(texts)))
        texts.append(_copied(texts[original], kind, place))
        flipped = "b" if labels[original] == "a" else "a"
        labels.append(flipped if "conflict" in kind else labels[original])
        parts.append("test" if "leak" in kind else "train")
    return Planted(pd.DataFrame({"text": texts, "label": labels, "part": parts}), pairs)


def _copied(text: str, kind: str, place: int) -> str:
    if kind in ("exact", "conflict", "exact_leak"):
        return text
    if kind in ("edited", "near_leak"):
        words = text.split()
        words[place % WORDS] = "replaced"
        return " ".join(words)
    changes = ("{} http://t.co/{}", "{}", "  {} ") if "conflict" in kind else ("{} {}", "{}!!! {}")
    return changes[place % len(changes)].format(text.upper().replace(" ", "  "), place)
