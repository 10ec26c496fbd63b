"""``--label-file``: the labels of a text file, line by line."""

import io
import sys
from pathlib import Path

import pytest

from headtune.data import iter_tables, read_table
from headtune.data.prepare import labelled_examples, prepare
from headtune.errors import ConfigError, DataError
from headtune.options import DataConfig
from headtune.types import LabelSet

TEXTS = ['one, "two', "a\tb;c|d", "text", "x \r y", "  spaced ", "last"]
LABELS = ["0", "1", "0", "1", "0", "1"]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    texts, labels = tmp_path / "train_text.txt", tmp_path / "train_labels.txt"
    texts.write_text("\n".join(TEXTS) + "\n", newline="")
    labels.write_text("\r\n".join(LABELS) + "\r\n\r\n", newline="")
    return texts, labels


def test_lines_belong_together_and_are_never_divided(files: tuple[Path, Path]) -> None:
    texts, labels = files
    config = DataConfig(label_file=labels)
    table = read_table(texts, config)
    assert table.columns["text"].to_pylist() == TEXTS
    assert table.columns["label"].to_pylist() == LABELS
    assert table.notes == ("a text a line, its label in the same line of train_labels.txt",)
    chunks = list(iter_tables(texts, config, rows_per_chunk=4))
    assert [chunk.rows.tolist() for chunk in chunks] == [[1, 2, 3, 4], [5, 6]]


def test_on_standard_input(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    texts, labels = files
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(texts.read_bytes())))
    assert len(read_table("-", DataConfig(label_file=labels))) == len(TEXTS)


@pytest.mark.parametrize(
    ("mapping", "names"),
    [
        ("0\tno\n1\tyes\n", ["no", "yes"]),
        ("0 no way\n1 yes\n", ["no way", "yes"]),
        ("0\t❤\t_heart_\n1\t😍\t_eyes_\n", ["❤", "😍"]),
        ("0\tsame\tno\n1\tsame\tyes\n2\tsame\tmaybe", ["no", "yes"]),
        ("no\nyes\n", ["0", "1"]),
        ("0\tno\n0\tyes\n", ["0", "1"]),
        ("", ["0", "1"]),
    ],
)
def test_numbers_are_called_as_the_mapping_beside_them_says(
    files: tuple[Path, Path], mapping: str, names: list[str]
) -> None:
    texts, labels = files
    labels.with_name("mapping.txt").write_text(mapping, encoding="utf-8")
    table = read_table(texts, DataConfig(label_file=labels))
    assert table.columns["label"].to_pylist()[:2] == names
    assert ("labels called as in mapping.txt" in table.notes) == (names != ["0", "1"])


@pytest.mark.parametrize("n_labels", [4, 8])
def test_lines_that_do_not_agree_say_both_numbers(files: tuple[Path, Path], n_labels: int) -> None:
    texts, labels = files
    labels.write_text("1\n" * n_labels)
    config = DataConfig(label_file=labels)
    with pytest.raises(DataError) as raised:
        read_table(texts, config)
    assert f"train_text.txt has 6 lines, and train_labels.txt {n_labels};" in str(raised.value)
    assert raised.value.option == "label_file"
    with pytest.raises(DataError):
        list(iter_tables(texts, config, rows_per_chunk=2))


def test_lines_without_text_or_label_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n\nc\nd\0\ne\nf\n")
    (tmp_path / "b.txt").write_text("x\ny\n\nx\ny\nx\n")
    config = DataConfig(label_file=tmp_path / "b.txt", split="100/0/0")
    prepared = prepare(tmp_path / "a.txt", config)
    assert [(row.row, row.reason) for row in prepared.set_aside] == [
        (2, "the text is empty"),
        (3, "the label is missing"),
        (4, "a NUL byte"),
    ]
    assert [example.row for example in prepared.train] == [1, 5, 6]


def test_old_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a\rb\r")
    (tmp_path / "b.txt").write_bytes(b"x\ny")
    table = read_table(tmp_path / "a.txt", DataConfig(label_file=tmp_path / "b.txt"))
    assert table.columns["text"].to_pylist() == ["a", "b"]


def test_files_for_validation_and_test_have_their_own(files: tuple[Path, Path]) -> None:
    texts, labels = files
    test = texts.with_name("test_text.txt")
    test.write_text("new\nother\n")
    texts.with_name("test_labels.txt").write_text("0\n1\n")
    texts.with_name("val.csv").write_text("text,label\nthird,0\nfourth,1\n")
    config = DataConfig(
        label_file=labels, test_file=test, validation_file=texts.with_name("val.csv")
    )
    parts = prepare(texts, config).parts
    assert [example.text for example in parts["test"]] == ["new", "other"]
    assert [example.text for example in parts["validation"]] == ["third", "fourth"]


def test_a_classifier_is_tested_on_them(files: tuple[Path, Path]) -> None:
    texts, labels = files
    known = LabelSet(("0", "1"))
    examples, _ = labelled_examples(texts, DataConfig(label_file=labels), known, None, None)
    assert [example.label for example in examples] == [0, 1, 0, 1, 0, 1]


def test_what_it_does_not_belong_to(files: tuple[Path, Path]) -> None:
    texts, labels = files
    config = DataConfig(label_file=labels)
    with pytest.raises(ConfigError, match="the data are Python objects"):
        read_table([{"text": "a"}], config)
    texts.with_suffix(".csv").write_text("text,label\na,b\n")
    with pytest.raises(DataError, match=r"train_text\.csv is a table\. Leave out"):
        read_table(texts.with_suffix(".csv"), config)
    with pytest.raises(DataError, match="is a folder; expected a file"):
        read_table(texts.parent, config)
    with pytest.raises(DataError, match="There is no file"):
        read_table(texts, DataConfig(label_file=labels.with_name("none.txt")))


def test_a_bad_byte_costs_its_line_and_utf_16_is_read(tmp_path: Path) -> None:
    texts, labels = tmp_path / "train_text.txt", tmp_path / "train_labels.txt"
    lines = [f"un café numéro {i}".encode() for i in range(60)]
    lines[7] = b"un caf\xe9"
    texts.write_bytes(b"\n".join(lines))
    labels.write_text("\n".join(str(i % 2) for i in range(60)))
    table = read_table(texts, DataConfig(label_file=labels))
    assert len(table) == 59
    assert [(row.row, row.content) for row in table.set_aside] == [(8, r"1 un caf\xe9")]
    texts.write_bytes("\n".join(f"text {i}" for i in range(60)).encode("utf-16-le"))
    table = read_table(texts, DataConfig(label_file=labels))
    assert table.columns["text"].to_pylist()[59] == "text 59"
