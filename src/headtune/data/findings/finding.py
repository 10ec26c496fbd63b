"""What is found in a table: ``Finding``, and ``LabelledTexts``, in which it is looked for.

Each file of this folder looks for one idea, with functions from ``LabelledTexts`` to findings.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Finding", "LabelledTexts", "Severity", "ShownRow"]

Ints = npt.NDArray[np.int64]
Severity = Literal["high", "medium", "low"]

SHOWN_ROWS = 6
SHOWN_CHARACTERS = 200
LOOKED_AT_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row to look at: its part, record number, label and the beginning of its text.

    ``like`` is the record number of the row it is compared with, or None.
    """

    part: str
    row: int
    label: str
    text: str
    like: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is odd about a table.

    ``kind`` is its name for machines, ``count`` how many (of what, ``title`` says), ``advice`` what
    it means and what to do. "high" spoils the figures, "medium" costs accuracy, "low" is good to
    know.
    """

    kind: str
    severity: Severity
    count: int
    title: str
    advice: str
    rows: tuple[ShownRow, ...] = ()

    @property
    def sentence(self) -> str:
        """Title and advice, where there is room for a line only."""
        return f"{self.title}. {self.advice}"


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """The usable rows of a table: four columns of the same length."""

    texts: Sequence[str]
    labels: Sequence[str]
    rows: Ints
    parts: Sequence[str]

    def beginnings(self) -> list[str]:
        """The first ``LOOKED_AT_CHARACTERS`` of each text."""
        return [text[:LOOKED_AT_CHARACTERS] for text in self.texts]

    def label_ids(self) -> Ints:
        """A number for each row's label, ``(n,)``."""
        return np.unique(np.array(self.labels, dtype=object), return_inverse=True)[1]

    def shown(
        self, indices: Iterable[int], like: Sequence[int] | None = None
    ) -> tuple[ShownRow, ...]:
        """The first few of these rows; ``like``: the indices of those they are compared with."""
        chosen = [int(i) for _, i in zip(range(SHOWN_ROWS), indices, strict=False)]
        return tuple(
            ShownRow(
                part=self.parts[i],
                row=int(self.rows[i]),
                label=self.labels[i],
                text=self.texts[i][:SHOWN_CHARACTERS],
                like=None if like is None else int(self.rows[like[place]]),
            )
            for place, i in enumerate(chosen)
        )
