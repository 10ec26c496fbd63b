"""Labels that are odd by their names: found once, said by inspect, train and fit."""

import warnings
from collections import Counter
from pathlib import Path

import pytest

from headtune import TextClassifier
from headtune.data import prepare
from headtune.data.findings import label_findings
from headtune.inspection import inspect_table
from headtune.options import DataConfig
from headtune.run.train import say_data
from tests_support import Heard

LABELS = ["HAM", "ham", "spam", "nan"] * 12


@pytest.mark.parametrize(
    "name",
    ["nan", "NaN", "NULL", "None", "N/A", "n/a", "NA", "<NA>", "#N/A", "\\N", "-", "?", "(empty)",
     '""', "\u200b"],
)  # fmt: skip
def test_a_label_that_looks_like_none(name: str) -> None:
    (found,) = label_findings({"ham": 3, name: 2})
    assert (found.kind, found.count) == ("no_labels", 1)
    assert found.title == f"1 label looks like a missing value: {name!r} 2"


@pytest.mark.parametrize("name", ["no", "nancy", "nothing", "0", "other", "unknown", "nano", "+"])
def test_a_label_that_is_one(name: str) -> None:
    assert label_findings({"ham": 3, name: 2}) == []


def test_train_and_inspect_say_the_same() -> None:
    rows = [{"text": f"a text of number {n}", "label": label} for n, label in enumerate(LABELS)]
    by_inspect = {f.kind: f for f in inspect_table(rows, DataConfig()).findings}
    heard = Heard()
    say_data(prepare(rows, DataConfig()), heard)
    for kind in ("alike_labels", "no_labels"):
        assert f"Note: {by_inspect[kind].sentence}" in heard.lines
        assert by_inspect[kind].rows
    assert "'HAM' 12, 'ham' 12" in by_inspect["alike_labels"].title
    assert [row.label for row in by_inspect["no_labels"].rows] == ["nan"] * 6


def test_fit_warns_with_the_same_sentences(tiny_llama: Path) -> None:
    texts = [f"a text of number {n}" for n in range(len(LABELS))]
    classifier = TextClassifier(str(tiny_llama), "head", max_steps=1)
    expected = [finding.sentence for finding in label_findings(Counter(LABELS))]
    assert len(expected) == 2
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        classifier.fit(texts, LABELS)
    ours = [w for w in caught if str(w.message) in expected]
    assert [str(w.message) for w in ours] == expected
    assert {w.filename for w in ours} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        classifier.fit(texts, ["ham", "spam"] * 24)
