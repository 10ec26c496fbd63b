"""Chunks whose records are not alike, or cannot be read: nothing shifts or is lost unsaid."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headtune import Predictor, TextClassifier, predict_file
from headtune.data import iter_tables, read_table
from headtune.errors import DataError, PredictionError
from headtune.options import DataConfig
from headtune.predict import bulk, writers
from tests_support import TEXTS, TOPICS, Heard

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def predictor(tiny_llama: Path) -> Predictor:
    classifier = TextClassifier(str(tiny_llama), "last-1", max_steps=1)
    fitted: Predictor = classifier.fit(TEXTS, TOPICS).predictor_
    return fitted


@pytest.fixture(autouse=True)
def _chunks_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "iter_tables", lambda source, data: iter_tables(source, data, 3))


@pytest.fixture
def predict(predictor: Predictor, tmp_path: Path) -> Callable[..., tuple[Rows, Heard, Any]]:
    """Lines of a file, its name and the result's -> the rows of that, what was said, counts."""

    def run(lines: list[str], name: str, out: str) -> tuple[Rows, Heard, Any]:
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        heard = Heard()
        summary = predict_file(predictor, tmp_path / name, out=tmp_path / out, progress=heard)
        return read_table(tmp_path / out, DataConfig()).columns.to_pylist(), heard, summary

    return run


def json_lines(*records: dict[str, Any]) -> list[str]:
    return [json.dumps(record) for record in records]


def same(n_rows: int, **more: Any) -> Rows:
    return [{"text": f"a text to read {i}", "id": i, **more} for i in range(n_rows)]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_records_that_cannot_be_read_are_counted(predict: Any, kind: str) -> None:
    if kind == "csv":
        lines = ["id,text", "1,one text here", "2,another,text", "3,a third", "4", "5,a fifth one"]
        reasons = {"3 fields where 2 are expected": 1, "1 field where 2 are expected": 1}
    else:
        lines = json_lines(*same(5))
        lines[1] = lines[3] = "{broken"
        reasons = {"no JSON": 2}
    rows, heard, summary = predict(lines, f"in.{kind}", "out.jsonl")
    assert len(rows) == summary["rows"] == 3
    assert summary["set_aside"]["count"] == 2
    if kind == "csv":
        assert summary["set_aside"]["by_reason"] == reasons
    (line,) = [line for line in heard.lines if "set aside" in line]
    assert line.startswith("2 rows cannot be used and are set aside; the first is row 2: ")


def test_a_chunk_of_nothing_but_broken_records_comes_first(predict: Any) -> None:
    rows, _, summary = predict(["{", "{", "{", *json_lines(*same(2))], "in.jsonl", "out.csv")
    assert [row["text"] for row in rows] == [row["text"] for row in same(2)]
    assert (summary["rows"], summary["set_aside"]["count"]) == (2, 3)


@pytest.mark.parametrize("out", ["out.csv", "out.parquet", "out.jsonl"])
def test_a_key_that_comes_late_shifts_nothing(predict: Any, out: str) -> None:
    lines = json_lines(*same(3), *same(4, extra="new"))
    rows, heard, _ = predict(lines, "in.jsonl", out)
    assert [row["text"] for row in rows] == [row["text"] for row in same(3) + same(4)]
    assert {row["predicted_label"] for row in rows} <= {"dinner", "prize"}
    said = [line for line in heard.lines if "earlier rows have no such column: extra" in line]
    if out == "out.jsonl":
        assert [row["extra"] for row in rows] == [None] * 3 + ["new"] * 4
        assert not said
    else:
        assert "extra" not in rows[0]
        assert len(said) == 1  # once, though two chunks have it


@pytest.mark.parametrize("out", ["out.csv", "out.parquet"])
def test_columns_keep_their_places_when_a_first_record_is_set_aside(predict: Any, out: str) -> None:
    first = [{"id": i, "cat": "c", "text": "a text to read"} for i in range(3)]
    later = [{"text": "b text to read", "id": i} for i in range(3, 5)]
    lines = [*json_lines(*first), '{"id": 9, "cat": "\\ud800", "text": "x"}', *json_lines(*later)]
    rows, _, summary = predict(lines, "in.jsonl", out)
    assert [int(row["id"]) for row in rows] == [0, 1, 2, 3, 4]
    assert [row["cat"] or None for row in rows] == ["c", "c", "c", None, None]
    assert summary["set_aside"]["count"] == 1


def test_a_column_that_begins_with_missing_values_is_of_strings_in_parquet(
    predict: Any, tmp_path: Path
) -> None:
    predict(json_lines(*same(3, note=None), *same(3, note="seen")), "in.jsonl", "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["note"].to_pylist() == [None] * 3 + ["seen"] * 3


@pytest.mark.parametrize(
    ("first", "later", "read"),
    [(1.5, 2, [1.5, 2.0]), ("a", 7, ["a", "7"]), ("a", True, ["a", "true"]), (2, None, [2, None])],
)
def test_values_that_mean_the_same_in_another_type_are_taken(
    predict: Any, tmp_path: Path, first: object, later: object, read: list[object]
) -> None:
    predict(json_lines(*same(3, n=first), *same(3, n=later)), "in.jsonl", "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["n"].to_pylist() == [read[0]] * 3 + [read[1]] * 3


def test_what_parquet_has_no_type_for_is_one_clear_line(predict: Any) -> None:
    with pytest.raises(PredictionError, match=r"Parquet cannot hold .* \.jsonl or \.csv"):
        predict(json_lines(*same(3, n={})), "in.jsonl", "out.parquet")


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (5, 5.5),
        (7, "seven"),
        (1, "007"),
        (1, True),
        (True, 2),
        (1.5, "1e3"),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1], ["x"]),
        ("a", [1]),
    ],
)
def test_a_type_that_parquet_cannot_mix_is_one_clear_line(
    predict: Any, tmp_path: Path, first: object, later: object
) -> None:
    lines = json_lines(*same(3, n=first), *same(3, n=later))
    with pytest.raises(PredictionError, match=r"'n' is .* after row 3, .*\.jsonl or \.csv"):
        predict(lines, "in.jsonl", "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet.part").num_rows == 3
    predict(lines, "in.jsonl", "out.jsonl")
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["n"] for row in written] == [first] * 3 + [later] * 3


def test_the_text_column_is_found_once(predict: Any) -> None:
    long, short = "quite a long text that is a question", "brief words"
    lines = ["nr,one,two"]
    lines += [f"{i},{long},{short}" for i in range(3)] + [f"{i},{short},{long}" for i in range(3)]
    turned, _, _ = predict(lines, "in.csv", "turned.jsonl")
    straight, _, _ = predict(["nr,one", *(f"{i},{short}" for i in range(3))], "s.csv", "s.jsonl")
    assert turned[3]["probability_prize"] == pytest.approx(straight[0]["probability_prize"], 1e-5)


def test_a_chunk_without_any_text_is_not_the_end(predict: Any) -> None:
    lines = [
        "nr,note",
        *(f"{i},some words to read" for i in range(3)),
        *(f"{i}," for i in range(4)),
    ]
    rows, _, summary = predict([*lines, "9,some words to read"], "in.csv", "out.jsonl")
    assert [row["predicted_label"] is None for row in rows] == [False] * 3 + [True] * 4 + [False]
    assert summary["unusable_rows"] == 4


def test_a_column_named_like_a_prediction_that_comes_late_is_refused(predict: Any) -> None:
    lines = json_lines(*same(3), *same(3, predicted_label="x"))
    with pytest.raises(DataError, match=r"'predicted_label' .* near row 4, .* Rename it"):
        predict(lines, "in.jsonl", "out.csv")


def test_a_carriage_return_stays_inside_its_cell(predict: Any, tmp_path: Path) -> None:
    text = "first line\rsecond line"
    predict(json_lines({"text": text, "id": 1}, *same(2)), "in.jsonl", "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["text"] == text
    again = read_table(tmp_path / "out.csv", DataConfig())
    assert again.columns["text"].to_pylist()[0] == text
    assert not again.set_aside


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_a_disk_that_is_full_leaves_what_can_be_read_or_nothing(tmp_path: Path, name: str) -> None:
    """Each write that reaches the disk fails, the one at closing as well."""
    heard, table = Heard(), pa.table({"text": ["a text"] * 50_000})

    class Full(io.BufferedWriter):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    def new_file(out: Path) -> io.BufferedWriter:
        return Full(io.FileIO(out.with_name(out.name + ".part"), "xb"))

    def write_until_full() -> None:
        with writers.open_writer(tmp_path / name, heard) as writer:
            writer.write(table)
            raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writers, "_new_file_beside", new_file)
        with pytest.raises(PredictionError, match="No space left"):
            write_until_full()
    left = list(tmp_path.iterdir())
    assert heard.lines == [f"The rows done so far are in {path}." for path in left]
    assert not (name.endswith("parquet") and left)


RUN_BY_SPREADSHEETS = ["=1+1", "+a", "-a", "@SUM(A1)", "\tx", "-2+3", "=5"]
HARMLESS = ["-5.3", "+2", "-1e-5", "a=b", "5-3", ""]


@pytest.mark.parametrize(("name", "delimiter"), [("out.csv", ","), ("out.tsv", "\t")])
def test_safe_csv_has_no_formulas(
    predictor: Predictor, tmp_path: Path, name: str, delimiter: str
) -> None:
    cells = [*RUN_BY_SPREADSHEETS, *HARMLESS]
    rows = [{"text": f"=a text {i}", "@cell": cell, "n": -1.5} for i, cell in enumerate(cells)]
    for safe in (False, True):
        predict_file(predictor, rows, out=tmp_path / name, safe_csv=safe)
        with (tmp_path / name).open(encoding="utf-8", newline="") as file:
            heading, *written = csv.reader(file, delimiter=delimiter)
        mark = "'" if safe else ""
        assert heading[:3] == ["text", f"{mark}@cell", "n"]
        assert [row[0][: len(mark) + 1] for row in written] == [f"{mark}="] * len(cells)
        kept = [row[1] for row in written]
        assert kept == [f"{mark}{cell}" for cell in RUN_BY_SPREADSHEETS] + HARMLESS
        assert {row[2] for row in written} == {"-1.5"}


def test_safe_csv_is_for_csv(
    predictor: Predictor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"text": "=a text"}]
    for name in ("out.jsonl", "out.parquet"):
        with pytest.raises(PredictionError, match=r"safe_csv= is for CSV and TSV") as caught:
            predict_file(predictor, rows, out=tmp_path / name, safe_csv=True)
        assert caught.value.option == "safe_csv"
        assert not list(tmp_path.iterdir())
    with pytest.raises(PredictionError, match="received JSON"):
        predict_file(predictor, rows, as_json=True, safe_csv=True)
    predict_file(predictor, rows, safe_csv=True)
    assert capsys.readouterr().out.splitlines()[1].startswith("'=a text,")
