"""Labels come back as the data have them: from fit, and from a folder in another process."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import clone

from headtune import Predictor, RunConfig, TextClassifier, train_run
from headtune.predict import predict_file
from tests_support import TEXTS, TOPICS

IS_PRIZE = [topic == "prize" for topic in TOPICS]
NUMBERS = [int(prize) for prize in IS_PRIZE]


@pytest.fixture(scope="module")
def estimator(tiny_llama: Path) -> TextClassifier:
    return TextClassifier(str(tiny_llama), "head", max_steps=4, learning_rate=0.02, batch_size=40)


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        (NUMBERS, np.int64),
        (np.array(NUMBERS, dtype=np.int32), np.int64),
        (np.array(NUMBERS, dtype=np.uint8), np.int64),
        (pd.Series(NUMBERS, dtype="Int64"), np.int64),
        (pd.Series(NUMBERS, dtype="category"), np.int64),
        (pa.array(NUMBERS), np.int64),
        (pd.Series(IS_PRIZE, dtype="boolean"), np.bool_),
        (np.array(IS_PRIZE), np.bool_),
        (np.array(NUMBERS, dtype=np.float64), np.float64),
        (np.array(TOPICS), np.object_),
        (pd.Series(TOPICS, dtype="category"), np.object_),
        ([f" {topic} " for topic in TOPICS], np.object_),
        ([str(prize) for prize in IS_PRIZE], np.object_),
        (["1.0" if prize else "0.0" for prize in IS_PRIZE], np.object_),
        ([1 if prize else "b" for prize in IS_PRIZE], np.object_),
    ],
    ids=lambda value: f"{type(value).__module__}-{getattr(value, 'dtype', '')}",
)
def test_a_saved_classifier_answers_with_the_values_it_was_given(
    estimator: TextClassifier, labels: Any, dtype: type, tmp_path: Path
) -> None:
    classifier = clone(estimator).fit(TEXTS, labels)
    loaded = TextClassifier.load(classifier.save(tmp_path / "run"))
    expected = np.array([getattr(label, "as_py", lambda v=label: v)() for label in labels], object)
    for each in (classifier, loaded):
        assert each.classes_.dtype == dtype
        assert (each.predict(TEXTS) == expected).mean() > 0.8
        assert each.predict(TEXTS).dtype == dtype
    assert [*map(type, loaded.classes_)] == [*map(type, classifier.classes_)]
    assert loaded.classes_.tolist() == classifier.classes_.tolist()
    np.testing.assert_array_equal(loaded.predict(TEXTS), classifier.predict(TEXTS))


@pytest.mark.parametrize("labels", [[10**30, 2], [b"one", b"two"]], ids=["large", "bytes"])
def test_what_cannot_be_kept_is_answered_by_its_name_at_once(
    estimator: TextClassifier, labels: list[Any], tmp_path: Path
) -> None:
    """And not only after a load."""
    classifier = clone(estimator).fit(TEXTS, [labels[prize] for prize in NUMBERS])
    loaded = TextClassifier.load(classifier.save(tmp_path / "run"))
    assert loaded.classes_.tolist() == classifier.classes_.tolist()
    assert str(10**30) in classifier.classes_ or classifier.classes_.tolist() == ["one", "two"]


def train(table: Path, tiny_llama: Path, out: Path) -> Path:
    config = RunConfig.from_dict(
        {
            "source": str(table),
            "model": {"model": str(tiny_llama)},
            "tune": {"tune": "head"},
            "train": {"max_steps": 2},
            "report": {"baselines": False, "linear_probe": False, "page": False},
        }
    )
    train_run(config, out=out)
    return out


@pytest.mark.parametrize(
    ("labels", "ending", "expected"),
    [
        (pa.array(NUMBERS, pa.int16()), "parquet", [0, 1]),
        (pa.array(NUMBERS).dictionary_encode(), "parquet", [0, 1]),
        (pa.array(IS_PRIZE), "parquet", [False, True]),
        (pa.array(NUMBERS), "jsonl", [0, 1]),
        (pa.array(NUMBERS), "csv", ["0", "1"]),
    ],
)
def test_a_run_on_a_table_keeps_the_type_of_its_column(
    tiny_llama: Path, tmp_path: Path, labels: pa.Array, ending: str, expected: list[Any]
) -> None:
    path = tmp_path / f"table.{ending}"
    texts = [f"{text}, number {n} of {n % 7}" for n, text in enumerate(TEXTS)]
    table = pa.table({"text": texts, "label": labels})
    if ending == "parquet":
        pq.write_table(table, path)
    elif ending == "csv":
        table.to_pandas().to_csv(path, index=False)
    else:
        table.to_pandas().to_json(path, orient="records", lines=True)
    run = train(path, tiny_llama, tmp_path / "run")
    loaded = TextClassifier.load(run)
    assert loaded.classes_.tolist() == expected
    assert [*map(type, loaded.classes_.tolist())] == [*map(type, expected)]
    predictor = Predictor.load(run)
    assert isinstance(predictor.predict(texts[:1])[0].label, str)
    predict_file(predictor, path, out=tmp_path / "labelled.parquet")
    written = pq.read_table(tmp_path / "labelled.parquet")
    assert pa.types.is_large_string(written.schema.field("predicted_label").type) or (
        pa.types.is_string(written.schema.field("predicted_label").type)
    )
