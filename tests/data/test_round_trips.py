"""What is written in any form is read back as it was, whatever characters it holds."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_forms import CANNOT_HOLD, FORMS

from headtune.data import read_table
from headtune.options import DataConfig

AUTO = DataConfig()
SLOW = ("a.xlsx", "a.xls", "a.ods")

characters = st.characters(exclude_categories=["Cs"])
tables = st.lists(st.text(characters, min_size=1, max_size=30), min_size=3, max_size=8)


def readable(text: str, form: str) -> str:
    """The text without what the form cannot hold, and neither empty nor a name of a column."""
    kept = text.translate(dict.fromkeys(map(ord, CANNOT_HOLD.get(form, ""))))
    return f"It is {kept}."


@pytest.mark.parametrize("form", FORMS)
def test_every_character_comes_back(tmp_path: Path, form: str) -> None:
    @settings(
        max_examples=6 if form in SLOW else 12,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(tables)
    def comes_back(written: list[str]) -> None:
        texts = [readable(text, form) for text in written]
        labels = ["ham" if i % 2 else "spam" for i in range(len(texts))]
        (tmp_path / form).write_bytes(FORMS[form](texts, labels))
        table = read_table(tmp_path / form, AUTO)
        assert table.columns["text"].to_pylist() == texts
        assert table.columns["label"].to_pylist() == labels
        assert table.set_aside == ()

    comes_back()
