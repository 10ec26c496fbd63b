"""Text files with a form of their own: fastText, ARFF, and svmlight, which has no texts."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_delimited import aside, plain_rows, quoted_rows, read, rows_of

from headtune.data import iter_tables, read_table
from headtune.errors import DataError, EncodingError
from headtune.options import DataConfig

TURNED = [(label, text) for text, label in quoted_rows()]


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.train", "a"])
@pytest.mark.parametrize("written", ["__label__{} {}", "__label__ {} {}", "__label__{}\t{}"])
def test_fasttext(written: str, name: str, tmp_path: Path) -> None:
    content = "".join(written.format(*row) + "\n" for row in TURNED)
    table = read(tmp_path, content, name)
    assert table.column_names == ["label", "text"]
    assert rows_of(table) == TURNED
    assert table.notes == ("fastText: labels are marked by __label__",)


def test_several_labels_of_fasttext_are_joined_and_said(tmp_path: Path) -> None:
    rows = [f"__label__{label} __label__b-c {text}" for text, label in plain_rows(10)]
    table = read(tmp_path, "\n".join([*rows, "no label, here", "", "__label__x last"]), "a.txt")
    assert table.columns["label"].to_pylist() == ["ham;b-c", "spam;b-c"] * 5 + [None, "x"]
    assert table.columns["text"].to_pylist()[-2:] == ["no label, here", "last"]
    assert "some texts have several labels, joined by ; here" in table.notes


def test_labels_behind_the_text(tmp_path: Path) -> None:
    rows = [f"__label__a {text} __label__{label}" for text, label in plain_rows(4)]
    table = read(tmp_path, "\n".join(rows), "a.txt")
    assert rows_of(table)[0] == ("a;ham", plain_rows(1)[0][0])


def test_labels_with_that_prefix_in_a_csv_file(tmp_path: Path) -> None:
    content = "".join(f"__label__{label},{text}\n" for text, label in plain_rows())
    assert read(tmp_path, content).columns[0].to_pylist()[:2] == ["__label__ham", "__label__spam"]
    given = read(tmp_path, "".join(f"__label__{la}\t{t}\n" for t, la in TURNED), delimiter="tab")
    assert given.notes[0] == "tab-separated"


def test_fasttext_streams(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"__label__{i % 2} text {i}\n" for i in range(2_500)))
    chunks = list(iter_tables(path, DataConfig(), 1_000))
    assert [len(chunk) for chunk in chunks] == [1_000, 1_000, 500]
    assert chunks[2].rows.tolist()[-1] == 2_500


HEAD = "% made by hand\n@RELATION messages\n\n@ATTRIBUTE text string\n@attribute class {ham,spam}\n"


def arff_cell(text: str) -> str:
    for character, written in {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"}.items():
        text = text.replace(character, written)
    return f"'{text}'"


def test_arff(tmp_path: Path) -> None:
    rows = [(f"{text}\n%", label) for text, label in quoted_rows()]
    data = "".join(f"{arff_cell(text)}, {label}\n%\n\n" for text, label in rows)
    table = read(tmp_path, f"{HEAD}@data\n{data}", "a.arff")
    assert table.column_names == ["text", "class"]
    assert (rows_of(table), table.set_aside) == (rows, ())
    assert table.rows.tolist() == list(range(1, 25))
    assert table.notes == ("ARFF",)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ('"it\'s, so",ham', ("it's, so", "ham")),
        ("plain words here,'ham'", ("plain words here", "ham")),
        ("?,ham", (None, "ham")),
        ("'?',ham", ("?", "ham")),
        ("'caf\\u00e9 \\t x',ham", ("café \t x", "ham")),
        ("'half \\ud83d',ham", ("half \\ud83d", "ham")),
        ("'a'\t'b'", ("a", "b")),
    ],
)
def test_values_of_arff(row: str, expected: Any, tmp_path: Path) -> None:
    assert rows_of(read(tmp_path, f"{HEAD}@DATA\n{row}", "a.arff")) == [expected]


def test_names_of_arff(tmp_path: Path) -> None:
    content = (
        "@relation x\n@attribute 'the text' string\n@attribute \"a b\" {'x y', z}\n@data\na,z\n"
    )
    assert read(tmp_path, content, "a").column_names == ["the text", "a b"]
    twice = "@relation x\n@attribute a string\n@attribute a string\n@data\na,z\n"
    assert read(tmp_path, twice, "a").column_names == ["a", "a_2"]


def test_broken_rows_of_arff_are_set_aside(tmp_path: Path) -> None:
    rows = ["'a',ham", "'open,ham", "b,ham,more", "{0 a}", "c,ham"]
    table = read(tmp_path, HEAD + "@data\n" + "\n".join(rows), "a.arff")
    assert rows_of(table) == [("a", "ham"), ("c", "ham")]
    assert aside(table) == [
        (2, "a quote that does not enclose a value"),
        (3, "3 fields where 2 are expected"),
        (4, "1 field where 2 are expected"),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("@relation x\n@attribute a string\n", "without rows: it has no @data"),
        ("@relation x\n@data\na\n", "without attributes"),
        ("@relation x\n@attribute a\n@data\n", "is no attribute"),
        ("@relation x\n@attribute a relational\n@data\n", "is no attribute"),
        (HEAD + "@data\n{0 a, 1 ham}\n", "sparse form"),
        (HEAD + "@data\n", "no rows below them"),
    ],
)
def test_arff_that_is_no_table(content: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=expected):
        read(tmp_path, content, "a.arff")


@pytest.mark.parametrize(
    "content",
    [
        "1 3:0.5 7:1\n-1 2:1 4:.25\n+1 1:1e-3\n",
        "3 qid:1 1:0.1 2:2 # a page\n1 qid:1 1:1 2:0.5\n",
        "0,4 1:1 2:1\n3 5:0.25\n",
        "# made today\n1.0 1:1\n0.0 2:1\n",
    ],
)
def test_svmlight_is_refused_with_the_reason(content: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"numbers in place of texts.*svmlight") as caught:
        read(tmp_path, content, "a.txt")
    assert caught.value.way_out.startswith("Give the table that it was made from")


CELLS = st.text(
    st.characters(include_characters="\n\t\r\x1e", exclude_categories=["Cs", "Cc"]), max_size=40
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_any_text_comes_back_from_arff(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("arff") / "table.arff"
    data = "".join(",".join(map(arff_cell, row)) + "\n" for row in rows)
    path.write_text(f"%{'-' * 4_000}\n{HEAD}@data\n{data}", encoding="utf-8", newline="")
    assert rows_of(read_table(path, DataConfig())) == rows


def test_labels_may_stand_at_the_end_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("".join(f"text number {i} __label__{'ab'[i % 2]}\n" for i in range(20)))
    table = read_table(path, DataConfig())
    assert table.columns["text"].to_pylist()[:2] == ["text number 0", "text number 1"]
    assert table.columns["label"].to_pylist()[:2] == ["a", "b"]


def test_a_bad_byte_in_the_name_of_a_column_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.arff"
    rows = "un café,a\n".encode() * 40
    path.write_bytes(b"@relation r\n@attribute te\xffxt string\n@attribute y {a,b}\n@data\n" + rows)
    with pytest.raises(EncodingError, match=r"the name of its column 'te.*xffxt'"):
        read_table(path, DataConfig())
