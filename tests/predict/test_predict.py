"""Tables through a classifier: columns kept, order kept, memory bounded, nothing half written."""

import csv
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Semaphore
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from headtune import Predictor, TextClassifier, evaluate_file, predict_file
from headtune.data import iter_tables, read_table
from headtune.errors import ColumnError, DataError, LabelError, PredictionError
from headtune.model.speed import few_rows
from headtune.options import DataConfig
from headtune.predict import bulk
from headtune.progress import SilentProgress
from tests_support import TEXTS, TOPICS


@pytest.fixture(scope="module")
def predictor(tiny_llama: Path) -> Predictor:
    classifier = TextClassifier(str(tiny_llama), "last-1", epochs=4, learning_rate=5e-3)
    fitted: Predictor = classifier.fit(TEXTS, TOPICS).predictor_
    return fitted


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "new.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "topic"])
        for n, (text, topic) in enumerate(zip(TEXTS, TOPICS, strict=True)):
            writer.writerow([n, text, topic])
        writer.writerow([99, "", "prize"])
    return path


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.jsonl", "out.parquet"])
def test_columns_and_order_are_kept(
    predictor: Predictor, table: Path, tmp_path: Path, name: str
) -> None:
    summary = predict_file(predictor, table, out=tmp_path / name)
    result = read_table(tmp_path / name, DataConfig()).columns.to_pylist()
    assert list(result[0]) == [
        "id", "text", "topic", "predicted_label", "probability_dinner", "probability_prize",
    ]  # fmt: skip
    assert [row["text"] for row in result[:-1]] == TEXTS
    labels = [prediction.label for prediction in predictor.predict(TEXTS)]
    assert [row["predicted_label"] for row in result[:-1]] == labels
    np.testing.assert_allclose(
        [float(row["probability_prize"]) for row in result[:-1]],
        predictor.predict_proba(TEXTS)[:, 1],
    )
    assert not result[-1]["predicted_label"]
    assert summary == {
        "rows": 41,
        "unusable_rows": 1,
        "set_aside": {"count": 0, "by_reason": {}},
        "labels": {label: labels.count(label) for label in ("dinner", "prize")},
    }
    assert not list(tmp_path.glob("*.part"))


def test_standard_output_is_csv(
    predictor: Predictor, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict_file(predictor, table)
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["text"] for row in rows[:-1]] == TEXTS


def test_standard_output_can_be_what_a_jsonl_file_would_hold(
    predictor: Predictor, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict_file(predictor, table, out=tmp_path / "out.jsonl")
    predict_file(predictor, table, as_json=True)
    assert capsys.readouterr().out == (tmp_path / "out.jsonl").read_text()


def test_strict_stops_at_the_first_row_without_a_text(
    predictor: Predictor, table: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"Row 41 of .* the text is empty"):
        predict_file(predictor, table, out=tmp_path / "out.csv", data=DataConfig(strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_chunks_give_what_the_whole_gives(
    predictor: Predictor, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict_file(predictor, table, out=tmp_path / "whole.csv")
    monkeypatch.setattr(bulk, "iter_tables", lambda source, data: iter_tables(source, data, 7))
    predict_file(predictor, table, out=tmp_path / "chunks.csv")
    one, other = (
        [
            (row["id"], row["predicted_label"], round(float(row["probability_prize"] or 0), 4))
            for row in csv.DictReader((tmp_path / f"{name}.csv").open())
        ]
        for name in ("whole", "chunks")
    )
    assert one == other


def test_predicting_twice_keeps_both_answers(
    predictor: Predictor, table: Path, tmp_path: Path
) -> None:
    predict_file(predictor, table, out=tmp_path / "once.parquet")
    predict_file(predictor, tmp_path / "once.parquet", out=tmp_path / "twice.parquet")
    names = pq.read_schema(tmp_path / "twice.parquet").names
    assert names[3:6] == ["predicted_label", "probability_dinner", "probability_prize"]
    assert names[6:] == ["predicted_label#2", "probability_dinner#2", "probability_prize#2"]


@pytest.mark.parametrize("packs", [False, True])
def test_threads_get_the_answers_of_one(
    predictor: Predictor, packs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the requests of a web server do; also while weights are packed for single texts."""
    monkeypatch.setattr(few_rows, "pays", lambda dtype, device: packs)
    asked = replace(predictor)  # which has not answered single texts yet
    texts = 5 * TEXTS
    expected = [predictor.predict_proba([text, text])[0] for text in texts]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda text: asked.predict_proba([text])[0], texts))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_evaluation_counts_what_it_could_not_use(predictor: Predictor, table: Path) -> None:
    metrics = evaluate_file(predictor, table, data=DataConfig(label="topic"))
    right = np.mean([p.label for p in predictor.predict(TEXTS)] == np.array(TOPICS))
    assert metrics["accuracy"] == pytest.approx(right)
    assert (metrics["n"], metrics["set_aside"]) == (40, 1)


def test_unknown_labels_are_named(predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    rows = [{"text": "a prize", "topic": "prize"}, {"text": "rain", "topic": "weather"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(LabelError, match="'weather'"):
        evaluate_file(predictor, path, data=DataConfig(label="topic"))


class Said(SilentProgress):
    """Keeps the lines worth reading."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


@contextmanager
def interrupted_after(n_chunks: int) -> Iterator[None]:
    """Chunks have seven rows; Ctrl-C comes after some of them."""
    calls, predict_chunk = iter(range(n_chunks + 1)), bulk._predict_chunk

    def predict_some(*arguments: Any) -> Any:
        if next(calls) == n_chunks:
            raise KeyboardInterrupt
        return predict_chunk(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "iter_tables", lambda source, data: iter_tables(source, data, 7))
        patch.setattr(bulk, "_predict_chunk", predict_some)
        with pytest.raises(KeyboardInterrupt):
            yield


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_an_interruption_keeps_what_was_there_and_what_was_done(
    predictor: Predictor, table: Path, tmp_path: Path, name: str
) -> None:
    out, part, said = tmp_path / name, tmp_path / f"{name}.part", Said()
    out.write_text("yesterday's\n")
    with interrupted_after(2):
        predict_file(predictor, table, out=out, progress=said)
    assert out.read_text() == "yesterday's\n"
    assert said.lines[-1] == f"The rows done so far are in {part}."
    first = part.read_bytes()
    part.rename(tmp_path / f"part-{name}")
    rows = read_table(tmp_path / f"part-{name}", DataConfig()).columns.to_pylist()
    assert [row["text"] for row in rows] == TEXTS[:14]

    (tmp_path / f"part-{name}").rename(part)
    with interrupted_after(1):
        predict_file(predictor, table, out=out, progress=said)
    assert said.lines[-1] == f"The rows done so far are in {out}.2.part."
    predict_file(predictor, table, out=out)
    assert part.read_bytes() == first
    assert sorted(tmp_path.glob("out.*")) == [
        Path(f"{out}{end}") for end in ("", ".2.part", ".part")
    ]
    assert len(read_table(out, DataConfig())) == 41


def test_an_interruption_before_the_first_rows_leaves_nothing(
    predictor: Predictor, table: Path, tmp_path: Path
) -> None:
    with interrupted_after(0):
        predict_file(predictor, table, out=tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_what_cannot_be_read_or_written(predictor: Predictor, table: Path, tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match=r"\.csv, \.tsv, \.jsonl or \.parquet"):
        predict_file(predictor, table, out=tmp_path / "out.xlsx")
    with pytest.raises(PredictionError, match="cannot be written"):
        predict_file(predictor, table, out=table / "out.csv")
    with pytest.raises(DataError, match=r"nothing\.csv"):
        predict_file(predictor, tmp_path / "nothing.csv", out=tmp_path / "out.csv")
    with pytest.raises(ColumnError, match="'body'"):
        predict_file(predictor, table, data=DataConfig(text="body"), out=tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_thread_encodes_the_next_chunk_while_this_one_is_classified(
    predictor: Predictor, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks of 20, 20 and 1 rows. Classifying one waits until the next one too is encoded."""
    whole, classify = Predictor.encode, Predictor.probabilities
    encoded = Semaphore(0)
    in_time: list[bool] = []

    def encode(self: Predictor, texts: Any) -> Any:
        examples = whole(self, texts)
        encoded.release()
        return examples

    def probabilities(self: Predictor, examples: Any, on_batch: Any) -> Any:
        n_awaited = 1 if in_time else 2
        in_time.append(all(encoded.acquire(timeout=10) for _ in range(n_awaited)))
        return classify(self, examples, on_batch)

    monkeypatch.setattr(bulk, "iter_tables", lambda source, data: iter_tables(source, data, 20))
    monkeypatch.setattr(Predictor, "encode", encode)
    monkeypatch.setattr(Predictor, "probabilities", probabilities)
    predict_file(predictor, table, out=tmp_path / "out.csv")
    assert in_time == [True, True]


def test_an_error_in_a_later_chunk_surfaces_when_its_turn_comes(
    predictor: Predictor, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Predictor.encode

    def encode(self: Predictor, texts: Any) -> Any:
        if TEXTS[-1] in texts:
            raise DataError("the second chunk is broken")
        return whole(self, texts)

    monkeypatch.setattr(bulk, "iter_tables", lambda source, data: iter_tables(source, data, 30))
    monkeypatch.setattr(Predictor, "encode", encode)
    with pytest.raises(DataError, match="the second chunk is broken"):
        predict_file(predictor, table, out=tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    done = list(csv.DictReader((tmp_path / "out.csv.part").open()))
    assert [row["text"] for row in done] == TEXTS[:30]
