"""Folders through a classifier: each answer has the file it belongs to."""

from pathlib import Path

import pytest

from headtune import Predictor, TextClassifier, evaluate_file, predict_file
from headtune.data import read_table
from headtune.options import DataConfig
from tests_support import TEXTS, TOPICS, Heard


@pytest.fixture(scope="module")
def predictor(tiny_llama: Path) -> Predictor:
    classifier = TextClassifier(str(tiny_llama), "last-1", max_steps=1)
    fitted: Predictor = classifier.fit(TEXTS, TOPICS).predictor_
    return fitted


def test_texts_without_labels_keep_their_files(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    for i, text in enumerate(TEXTS):
        (tmp_path / "new" / f"{i:03}.txt").write_text(f"{text}\n")
    (tmp_path / "new" / "100.txt").write_text("")
    (tmp_path / "new" / "101.txt").write_bytes(b"caf\xe9")
    heard = Heard()
    counts = predict_file(predictor, tmp_path / "new", out=tmp_path / "out.csv", progress=heard)
    table = read_table(tmp_path / "out.csv", DataConfig()).columns
    assert table["file"].to_pylist() == [*(f"{i:03}.txt" for i in range(len(TEXTS))), "100.txt"]
    expected = [answer.label for answer in predictor.predict([f"{text}\n" for text in TEXTS])]
    assert table["predicted_label"].to_pylist()[: len(TEXTS)] == expected
    assert (counts["unusable_rows"], counts["set_aside"]["count"]) == (1, 1)
    assert "Read as: a file a text; nothing says a label." in heard.lines


def test_a_folder_with_parts_is_tested_on_its_test_part(
    predictor: Predictor, tmp_path: Path
) -> None:
    for i, (text, topic) in enumerate(zip(TEXTS, TOPICS, strict=True)):
        file = tmp_path / ("test" if i % 2 else "train") / topic / f"{i}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    metrics = evaluate_file(predictor, tmp_path, data=DataConfig())
    assert metrics["n"] == len(TEXTS) // 2
