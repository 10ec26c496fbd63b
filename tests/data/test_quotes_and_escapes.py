"""Quotes that a backslash escapes, single quotes, and what separates: one character or several."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_delimited import aside, joined, plain_rows, quoted_rows, read, read_again, rows_of

from headtune.data import prepare, read_table
from headtune.errors import ColumnError, ConfigError
from headtune.options import DataConfig


def written(rows: list[Any], header: bool = True, **dialect: Any) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n", **dialect)
    writer.writerows([("text", "label"), *rows] if header else rows)
    return file.getvalue()


def spark_written(rows: list[Any], delimiter: str = ",") -> str:
    """As Spark writes: quotes are escaped, backslashes are not."""

    def cell(text: str) -> str:
        if delimiter not in text and '"' not in text:
            return text
        return '"' + text.replace('"', '\\"') + '"'

    return "".join(f"{delimiter.join(map(cell, row))}\n" for row in [("text", "label"), *rows])


ESCAPED: dict[str, str] = {
    "python": written(quoted_rows(), doublequote=False, escapechar="\\"),
    "python, all quoted": written(
        quoted_rows(), doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL
    ),
    "spark": spark_written(quoted_rows()),
    "spark, semicolons": spark_written(quoted_rows(), ";"),
    "tabs": written(quoted_rows(), delimiter="\t", doublequote=False, escapechar="\\"),
    "no header": written(quoted_rows(), header=False, doublequote=False, escapechar="\\"),
    "windows": written(quoted_rows(), doublequote=False, escapechar="\\").replace("\n", "\r\n"),
}


@pytest.mark.parametrize("form", ESCAPED)
def test_escaped_quotes_are_undone(form: str, tmp_path: Path) -> None:
    table = read(tmp_path, ESCAPED[form])
    assert rows_of(table) == quoted_rows()
    assert table.set_aside == ()
    assert "quotes enclose fields, \\ escapes" in table.notes
    assert rows_of(read_again(table, tmp_path / "table.csv")) == quoted_rows()


def test_escaped_line_ends_stay_in_their_field(tmp_path: Path) -> None:
    rows = [(f'{text} "a"\nand more', label) for text, label in plain_rows()]
    table = read(tmp_path, written(rows, doublequote=False, escapechar="\\"))
    assert rows_of(table) == rows


def test_delimiters_are_escaped_where_nothing_encloses(tmp_path: Path) -> None:
    """As MySQL and PostgreSQL dump tables."""
    rows = [(text.replace('"', ""), label) for text, label in quoted_rows()]
    content = written(rows, quoting=csv.QUOTE_NONE, escapechar="\\", quotechar=None)
    table = read(tmp_path, content)
    assert rows_of(table) == rows
    assert rows_of(read_again(table, tmp_path / "table.csv")) == rows


def test_backslashes_stay_where_quotes_are_doubled(tmp_path: Path) -> None:
    rows = [(f'in "C:\\{text}\\", here', label) for text, label in plain_rows()]
    table = read(tmp_path, written(rows))
    assert rows_of(table) == rows
    assert "quotes enclose fields" in table.notes


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_single_quotes_enclose(delimiter: str, quoting: Any, tmp_path: Path) -> None:
    content = written(quoted_rows(), quotechar="'", delimiter=delimiter, quoting=quoting)
    table = read(tmp_path, content)
    assert rows_of(table) == quoted_rows()
    assert "single quotes enclose fields" in table.notes
    assert table.options["quote"] == "'"
    assert rows_of(read_again(table, tmp_path / "table.csv")) == quoted_rows()


def test_single_quotes_of_a_few_rows_are_told_by_what_they_enclose(tmp_path: Path) -> None:
    """As in the 10kGNAD: labels first, quotes only where a text has a semicolon."""
    rows = [
        (label, f'Der "{text}"; sagt\'s, so' if i % 14 == 0 else f'"Ja",{" oh," * (i % 3)} {text}')
        for i, (text, label) in enumerate(plain_rows(140))
    ]
    table = read(tmp_path, written(rows, header=False, delimiter=";", quotechar="'"))
    assert rows_of(table) == rows
    assert table.set_aside == ()


def test_single_quotes_escaped_by_backslashes(tmp_path: Path) -> None:
    content = written(quoted_rows(), quotechar="'", doublequote=False, escapechar="\\")
    assert rows_of(read(tmp_path, content)) == quoted_rows()


def test_apostrophes_are_no_quotes(tmp_path: Path) -> None:
    rows = [(f"'twas {text}' I said" if i % 3 else f"'{text}'", label)
            for i, (text, label) in enumerate(plain_rows())]  # fmt: skip
    table = read(tmp_path, written(rows))
    assert rows_of(table) == rows


LONG = ["_!_", "||", "::", " ||| ", "|||", "##", "@@@", "^|^", " -> ", "<sep>", "\t\t", "~~"]


@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize("delimiter", LONG)
def test_delimiters_of_several_characters(delimiter: str, has_header: bool, tmp_path: Path) -> None:
    rows = [(text + ", so" * (i % 3), label) for i, (text, label) in enumerate(plain_rows())]
    table = read(tmp_path, joined([("text", "label")] * has_header + rows, delimiter))
    assert rows_of(table) == rows
    assert table.notes[0] == f"{delimiter!r}-separated"
    assert rows_of(read_again(table, tmp_path / "table.csv")) == rows


def test_news_of_toutiao(tmp_path: Path) -> None:
    """Five fields, the last of them with commas."""
    rows = [
        (str(65517 + i), str(101 + i % 2), "news", text, ",".join(WORDS[: i % 4]))
        for i, (text, _) in enumerate(plain_rows())
        for WORDS in [["京城", "博物馆", "保利集团"]]
    ]
    table = read(tmp_path, joined(rows, "_!_"), "toutiao_cat_data.txt")
    assert rows_of(table) == rows


def test_long_delimiters_may_be_within_quotes_and_given(tmp_path: Path) -> None:
    content = 'text::label\n"a::b, c"::ham\n"say ""x"""::spam\nplain::ham\n'
    table = read(tmp_path, content, delimiter="::")
    assert rows_of(table) == [("a::b, c", "ham"), ('say "x"', "spam"), ("plain", "ham")]


@pytest.mark.parametrize(
    "sign", ["://", "...", "--", "!!", "->", "&&"], ids=["link", "dots", "dashes", "!!", "->", "&&"]
)
def test_signs_within_texts_are_no_delimiters(sign: str, tmp_path: Path) -> None:
    rows = [(f"see{sign}{text}", label) for text, label in plain_rows()]
    assert rows_of(read(tmp_path, joined([("text", "label"), *rows], ","))) == rows


def test_empty_cells_between_bars_are_no_delimiter_of_two(tmp_path: Path) -> None:
    rows = [(str(i), "", text, label) for i, (text, label) in enumerate(plain_rows())]
    content = joined([("id", "note", "text", "label"), *rows], "|")
    assert rows_of(read(tmp_path, content)) == rows


@pytest.mark.parametrize("header", ["", "label text\n"])
@pytest.mark.parametrize("options", [{}, {"quoting": "none"}])
def test_the_first_space_separates(options: Any, header: str, tmp_path: Path) -> None:
    rows = [(label, f"\"{text}, it's") for text, label in plain_rows()]
    table = read(tmp_path, header + joined(rows, " "), "a.txt", delimiter="space", **options)
    assert rows_of(table) == rows
    assert table.column_names == (["label", "text"] if header else ["column1", "column2"])
    assert table.options["delimiter"] == "space"
    assert rows_of(read_again(table, tmp_path / "a.txt")) == rows


def test_spaces_separate_all_fields_where_quotes_enclose(tmp_path: Path) -> None:
    """As R writes a table: row names, and a header one name short."""
    rows = [(str(i), *row) for i, row in enumerate(plain_rows(), start=1)]
    cells = [["text", "label"], *rows]
    content = "".join(" ".join(f'"{cell}"' for cell in row) + "\n" for row in cells)
    for options in ({}, {"delimiter": "space"}):
        table = read(tmp_path, content, "r.txt", **options)
        assert rows_of(table, "text", "label") == plain_rows()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"quote": "''"}, "quote= takes one character"),
        ({"quote": "a"}, "quote= takes one character"),
        ({"escape": ""}, "escape= takes one character"),
        ({"comment": " "}, "comment= takes what comments begin with"),
        ({"skip_lines": -1}, "skip_lines= must be at least 0"),
        ({"quote": "'", "quoting": "none"}, "nothing does"),
    ],
)
def test_options_that_cannot_be(options: Any, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        DataConfig(**options)


def test_a_quote_that_is_the_delimiter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'quote="\|" is in the delimiter'):
        read(tmp_path, "a|b\n", quote="|", delimiter="|")


def test_quote_and_escape_are_taken_as_given(tmp_path: Path) -> None:
    table = read(tmp_path, "text,label\n'a, b',x\n'c^'s',y\n", quote="'", escape="^")
    assert rows_of(table) == [("a, b", "x"), ("c's", "y")]


CELLS = st.text(
    st.characters(
        exclude_characters="\ufdd0", include_characters="\n\t", exclude_categories=["Cs", "Cc"]
    )
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6), st.data())
def test_what_is_written_in_a_given_dialect_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], data: st.DataObject
) -> None:
    delimiter = data.draw(st.sampled_from([",", ";", "\t", "|", "_!_", " ||| "]))
    quote = data.draw(st.sampled_from(['"', "'"]))
    escape = data.draw(st.sampled_from([None, "\\"]))

    def cell(text: str) -> str:
        if escape is not None:
            return quote + text.replace(escape, escape * 2).replace(quote, escape + quote) + quote
        return quote + text.replace(quote, quote * 2) + quote

    path = tmp_path_factory.mktemp("dialect") / "table.csv"
    content = "".join(delimiter.join(map(cell, row)) + "\n" for row in [("text", "label"), *rows])
    path.write_text(content, encoding="utf-8", newline="")
    config = DataConfig(
        delimiter=delimiter,
        quote=quote,
        escape=escape,
        header="yes",
        quoting="quoted",
        skip_lines=0,
    )
    table = read_table(path, config)
    kept = [row for row in rows if sorted(row) != ["label", "text"]]
    assert rows_of(table) == kept or len(kept) < len(rows)
    assert len(aside(table)) <= len(rows) - len(kept)


def test_a_long_delimiter_of_more_columns_goes_before_a_comma_within(tmp_path: Path) -> None:
    path = tmp_path / "news.txt"
    path.write_text("".join(f"{i}_!_{i % 2}_!_text {i} of it_!_one,two\n" for i in range(20)))
    table = read_table(path, DataConfig())
    assert len(table.column_names) == 4
    assert table.columns["column3"].to_pylist()[1] == "text 1 of it"


def test_lines_that_begin_with_their_labels_are_named(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{i % 2} some words of text {i}\n" for i in range(20)))
    with pytest.raises(ColumnError, match=r'begins with its label .*delimiter="space"'):
        prepare(path, DataConfig())
    given = DataConfig(delimiter="space", quoting="none", split="100/0/0")
    assert [e.text for e in prepare(path, given).train][:1] == ["some words of text 0"]
