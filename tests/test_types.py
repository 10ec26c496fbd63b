"""A label that is unknown is never taken for the first one."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import headtune
from headtune.artifact.probes import choose_probes
from headtune.classifier.examples import divided
from headtune.data.prepare import write_parts
from headtune.errors import LabelError
from headtune.export import validation
from headtune.report.answers import Answers
from headtune.report.frozen_states import FrozenStates
from headtune.report.suspects import find_suspects
from headtune.types import Example, LabelSet, PreparedData, TokenizedExample, label_ids_of

LABELS = LabelSet(("ham", "spam"))
KNOWN = Example("call now", 1, 3)
UNKNOWN = Example("see you", None, 7)


def test_labels_are_given_as_indices() -> None:
    tokenized = TokenizedExample(np.array([4], dtype=np.int32), 0, 4)
    assert label_ids_of([KNOWN, tokenized]).tolist() == [1, 0]
    assert label_ids_of([]).shape == (0,)


def test_an_unknown_label_is_refused_by_its_row() -> None:
    with pytest.raises(LabelError, match=r"Row 7 has no label.*leave the row out") as refused:
        label_ids_of([KNOWN, UNKNOWN])
    assert refused.value.row == 7


def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that the user names for an export, with a row whose label is not known."""
    monkeypatch.setattr(validation, "labelled_examples", lambda *args: ([UNKNOWN], ()))
    manifest = SimpleNamespace(template=None, missing=(), text_column="text", label_column="label")
    source: Any = SimpleNamespace(artifact=SimpleNamespace(manifest=manifest), labels=LABELS)
    validation._named(source, Path("table.csv"))


PLACES: dict[str, Callable[[Path, pytest.MonkeyPatch], object]] = {
    "probes": lambda folder, patch: choose_probes([KNOWN, UNKNOWN], 2, seed=0),
    "prepare": lambda folder, patch: write_parts(
        PreparedData(LABELS, (KNOWN, UNKNOWN), (), ()), folder
    ),
    "suspects": lambda folder, patch: find_suspects(
        FrozenStates({"train": np.zeros((2, 3), np.float32)}, {"train": np.arange(2)}),
        PreparedData(LABELS, (KNOWN, UNKNOWN), (), ()),
    ),
    "classifier": lambda folder, patch: divided(LABELS, [KNOWN, UNKNOWN], [], 0.1, "none", seed=0),
    "validation": lambda folder, patch: _named(patch),
    "answers": lambda folder, patch: Answers.of([UNKNOWN], np.array([[0.5, 0.5]]), LABELS),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_place_takes_an_unknown_label_for_the_first(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LabelError, match="Row 7 has no label"):
        PLACES[place](tmp_path, monkeypatch)


def test_no_other_place_falls_back_on_the_first_label() -> None:
    sources = Path(headtune.__file__).parent.rglob("*.py")
    assert [path for path in sources if re.search(r"label\w* or 0\b", path.read_text())] == []
