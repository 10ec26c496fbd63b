"""Headers: again in the middle, below titles and comments, over cells that equal them."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from made_delimited import Row, aside, joined, plain_rows, read, read_again, rows_of

from headtune.data import iter_tables, read_table
from headtune.errors import DataError
from headtune.options import DataConfig

ROWS = plain_rows()
HALVES = [ROWS[:12], ROWS[12:]]
AGAIN = "the header again"
IN_ANOTHER_ORDER = "the header again, in another order, which the rows below it have"


def catted(*headers: str, rows: list[list[Row]] = HALVES, delimiter: str = ",") -> str:
    parts = zip(headers, rows, strict=True)
    return "".join(header + joined(part, delimiter) for header, part in parts)


@pytest.mark.parametrize(
    "second",
    [
        "text,label\n",
        "\ufefftext,label\n",
        '"text","label"\n',
        "text,label\r\n",
        "Text,Label\n",
        " text , label \n",
        "'text','label'\n",
        '\ufeff"text","label"\r\n',
        "text,label,\n",
    ],
)
def test_a_header_in_the_middle_is_set_aside(second: str, tmp_path: Path) -> None:
    table = read(tmp_path, catted("text,label\n", second))
    assert table.column_names == ["text", "label"]
    assert rows_of(table) == ROWS
    assert aside(table) == [(13, AGAIN)]
    assert table.rows.tolist() == [*range(1, 13), *range(14, 26)]
    assert rows_of(read_again(table, tmp_path / "table.csv")) == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "||"])
def test_with_any_delimiter_and_names_that_are_not_known(delimiter: str, tmp_path: Path) -> None:
    header = joined([("Kommentar", "Kategorie")], delimiter)
    table = read(tmp_path, catted(header, header, delimiter=delimiter))
    assert table.column_names == ["Kommentar", "Kategorie"]
    assert (rows_of(table), aside(table)) == (ROWS, [(13, AGAIN)])


def test_with_a_mark_at_the_start_of_each_file(tmp_path: Path) -> None:
    header = "\ufefftext,label\n"
    table = read(tmp_path, catted(header, header, header, rows=[*HALVES, ROWS[:3]]))
    assert rows_of(table) == [*ROWS, *ROWS[:3]]
    assert aside(table) == [(13, AGAIN), (26, AGAIN)]


def test_in_one_column(tmp_path: Path) -> None:
    content = "".join(f"{text}\n" for text, _ in ROWS)
    table = read(tmp_path, f"text\n{content}\ufefftext\n{content}")
    assert (len(table), aside(table)) == (48, [(25, AGAIN)])


def test_behind_the_sample_and_in_chunks(tmp_path: Path) -> None:
    many = plain_rows(12_000)
    path = tmp_path / "table.csv"
    path.write_text(catted("text,label\n", "text,label\n", rows=[many, ROWS]), encoding="utf-8")
    chunks = list(iter_tables(path, DataConfig(), 5_000))
    assert sum(len(chunk) for chunk in chunks) == 12_024
    assert [row for chunk in chunks for row in aside(chunk)] == [(12_001, AGAIN)]


def test_a_header_of_another_order_turns_the_rows_below_it(tmp_path: Path) -> None:
    turned = [(label, text) for text, label in HALVES[1]]
    content = catted("text,label\n", "label,text\n", rows=[HALVES[0], turned])
    table = read(tmp_path, content + joined([("text", "label"), *HALVES[0]], ","))
    assert rows_of(table) == [*ROWS, *HALVES[0]]
    assert aside(table) == [(13, IN_ANOTHER_ORDER), (26, AGAIN)]


def test_the_header_of_another_file_is_no_row_of_one_without(tmp_path: Path) -> None:
    table = read(tmp_path, catted("", "text,label\n"))
    assert rows_of(table) == ROWS
    assert aside(table) == [(13, "the header of another file")]


def test_strict_stops_at_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Row 13 of table\.csv cannot be used: the header again"):
        read(tmp_path, catted("text,label\n", "text,label\n"), strict=True)


def test_a_row_that_is_there_twice_is_no_header(tmp_path: Path) -> None:
    rows = [*ROWS, ROWS[0], ROWS[0]]
    table = read(tmp_path, joined(rows, ","))
    assert (rows_of(table), table.set_aside) == (rows, ())
    words = [("hello", "world"), ("good", "morning"), ("hello", "world")]
    assert rows_of(read(tmp_path, joined(words, ","))) == words


@pytest.mark.parametrize(
    ("content", "n"),
    [
        ("id,text\n1,win a free prize\n2,text\n3,see you at home tonight\n", 3),
        ("id,text\n1,text\n", 1),
        ("text,label\nlabel the box,ham\ntext,spam\nmore words,ham\n", 3),
        ("text;label\nsome words;label\nothers;ham\nmore;ham\n", 3),
        ("tweet_id,words\n17,words\n18,some others\n19,and more\n", 3),
        ("label\ttext\n0\ttext\n1\tothers here\n0\tmore of them\n", 3),
    ],
)
def test_a_cell_may_equal_the_name_of_its_column(content: str, n: int, tmp_path: Path) -> None:
    table = read(tmp_path, content)
    assert (len(table), table.set_aside) == (n, ())
    assert table.notes[1] == "header"


@pytest.mark.parametrize(
    "options", [{"text": "Satz"}, {"template": "{Satz}: {Satz}"}, {"label": "Satz"}]
)
def test_names_that_the_options_mention_decide_first(options: Any, tmp_path: Path) -> None:
    content = "Nr. 1,Satz\nHallo,Satz\nHallo,Satz\nGuten Tag,Satz\n"
    assert read(tmp_path, content).notes[1] == "no header"
    table = read(tmp_path, content, **options)
    assert (table.column_names, len(table)) == (["Nr. 1", "Satz"], 3)


def test_so_do_the_columns_of_training(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("Satz\nHallo\nSatz\nSatz\n", encoding="utf-8")
    knowing = DataConfig().knowing("Satz", None)
    assert read_table(path, knowing).column_names == ["Satz"]
    assert read_table(path, DataConfig()).column_names == ["column1"]


TITLES = {
    "of a spreadsheet": "Quarterly export,\n,\n",
    "a line and an empty one": "Quarterly export\n\n",
    "one line": "Messages of June\n",
    "one word that headers have": "Messages\n",
    "with a comma": "Quarterly export, made in June\n",
    "with commas": "Export, for Ann, Bob and Carl\n\n",
    "with a date": "Report,2024-06-30\nDepartment:,\n",
    "quoted": '"Quarterly export, June"\n',
    "ten lines": "".join(f"Remark {i}\n" for i in range(10)),
    "only delimiters": ",\n,\n",
}


@pytest.mark.parametrize("header", [("text", "label"), ("id", "text", "label")])
@pytest.mark.parametrize("titles", TITLES)
def test_lines_above_the_header(titles: str, header: tuple[str, ...], tmp_path: Path) -> None:
    rows = ROWS if len(header) == 2 else [(str(i), *row) for i, row in enumerate(ROWS)]
    content = TITLES[titles] + joined([header, *rows], ",")
    table = read(tmp_path, content)
    assert table.column_names == list(header)
    assert (rows_of(table), table.set_aside) == (rows, ())
    assert table.rows.tolist() == list(range(1, len(rows) + 1))
    n_lines = TITLES[titles].count("\n")
    assert any(f"{n_lines} line" in note and "above the header" in note for note in table.notes)
    assert rows_of(read_again(table, tmp_path / "table.csv")) == rows


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "_!_"])
def test_titles_with_any_delimiter(delimiter: str, tmp_path: Path) -> None:
    content = "Export of all messages\n\n" + joined([("Satz", "Klasse"), *ROWS], delimiter)
    table = read(tmp_path, content)
    assert table.column_names == ["Satz", "Klasse"]
    assert rows_of(table) == ROWS


@pytest.mark.parametrize(
    "rows",
    [
        [("", "ham"), ("win a prize", "spam"), ("see you", "ham"), ("call now", "spam")],
        [("One more.", ""), ("two", "2"), ("three", ""), ("four", "4")],
        [("1", "hello"), ("2", "world"), ("3", "good"), ("4", "morning")],
    ],
)
def test_rows_are_no_titles(rows: list[Row], tmp_path: Path) -> None:
    table = read(tmp_path, joined(rows, ","))
    assert (rows_of(table), table.set_aside) == (rows, ())


def test_lines_to_skip_are_taken_as_given(tmp_path: Path) -> None:
    content = "some, words; here\nx,y\n" + joined([("text", "label"), *ROWS], ",")
    table = read(tmp_path, content, skip_lines=2)
    assert (table.column_names, rows_of(table)) == (["text", "label"], ROWS)
    kept = read(tmp_path, "Title,\n" + joined([("text", "label"), *ROWS], ","), skip_lines=0)
    assert ("text", "label") in rows_of(kept) or kept.column_names == ["Title", "column2"]


COMMENTS = {
    "above": ["# made by export", "# on Monday", "text,label"],
    "with commas": ["# made by export, version 2, today", "text,label"],
    "as many fields": ["# made by export, today", "text,label"],
    "hashes alone": ["#", "# made by export", "#", "text,label"],
    "without a space": ["#made by export", "text,label"],
    "without a header": ["# made by export"],
}


@pytest.mark.parametrize("in_the_middle", [[], ["# page 2"], ["# on Tuesday, by hand"]])
@pytest.mark.parametrize("form", COMMENTS)
def test_comments_are_left_out(form: str, in_the_middle: list[str], tmp_path: Path) -> None:
    halves = [joined(half, ",") for half in HALVES]
    lines = [*COMMENTS[form], halves[0].rstrip("\n"), *in_the_middle, halves[1]]
    table = read(tmp_path, "\n".join(lines))
    assert (rows_of(table), table.set_aside) == (ROWS, ())
    assert table.rows.tolist() == list(range(1, 25))
    assert any("#" in note for note in table.notes)
    assert rows_of(read_again(table, tmp_path / "table.csv")) == ROWS


def test_hashtags_are_no_comments(tmp_path: Path) -> None:
    rows = [(f"#win {text}" if i % 5 == 0 else text, label) for i, (text, label) in enumerate(ROWS)]
    assert rows_of(read(tmp_path, joined([("text", "label"), *rows], ","))) == rows
    assert rows_of(read(tmp_path, joined(rows, ","))) == rows
    alone = read(tmp_path, "".join(f"{text}\n" for text, _ in rows), "texts.txt")
    assert rows_of(alone) == [(text,) for text, _ in rows]


def test_a_hash_within_quotes_is_no_comment(tmp_path: Path) -> None:
    rows = "".join(f'"{text}\n# {i}",{label}\n' for i, (text, label) in enumerate(ROWS))
    table = read(tmp_path, f"# made today\ntext,label\n{rows}")
    assert rows_of(table) == [(f"{text}\n# {i}", label) for i, (text, label) in enumerate(ROWS)]


def test_lines_of_hashtags_within_quotes_make_no_comments(tmp_path: Path) -> None:
    rows = [(f"{text}\n# so\n#win, now", label) for text, label in ROWS]
    content = "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows)
    table = read(tmp_path, content)
    assert (rows_of(table), len(table.notes)) == (rows, 3)


@pytest.mark.parametrize("row", ["#win, now,ham", "#win now", "#1 of all,spam"])
def test_a_broken_row_that_begins_with_a_hash_is_said(row: str, tmp_path: Path) -> None:
    table = read(tmp_path, joined([("text", "label"), *ROWS], ",") + row + "\n")
    assert len(table) + len(table.set_aside) == 25


def test_a_header_may_begin_with_a_hash(tmp_path: Path) -> None:
    rows = [(str(i), *row) for i, row in enumerate(ROWS)]
    table = read(tmp_path, joined([("#id", "text", "label"), *rows], ","))
    assert table.column_names == ["#id", "text", "label"]
    assert rows_of(table, "text", "label") == ROWS


def test_comments_can_be_given(tmp_path: Path) -> None:
    table = read(tmp_path, "//x\ntext,label\na b,ham\n// y, z\nc d,spam\n", comment="//")
    assert rows_of(table) == [("a b", "ham"), ("c d", "spam")]


@pytest.mark.parametrize("every", [1, 2, 3])
@pytest.mark.parametrize("ends", [",", ",,,"])
@pytest.mark.parametrize("header", ["text,label", "text,label,", ""])
def test_rows_may_end_in_a_delimiter(header: str, ends: str, every: int, tmp_path: Path) -> None:
    lines = [f"{text},{label}{ends * (i % every == 0)}" for i, (text, label) in enumerate(ROWS)]
    table = read(tmp_path, "\n".join([header, *lines][not header :]) + "\n")
    assert [row[:2] for row in rows_of(table)] == ROWS
    assert table.set_aside == ()


def test_an_empty_field_too_many_in_one_row_is_said(tmp_path: Path) -> None:
    table = read(tmp_path, joined([("text", "label"), *ROWS, ("well", "", "ham")], ","))
    assert aside(table) == [(25, "3 fields where 2 are expected")]


def test_every_form_together(tmp_path: Path) -> None:
    half = [f"{text}::{label}" for text, label in HALVES[0]]
    content = "\n".join(["Export", "", "# by hand", "text::label", *half, "text::label", *half])
    table = read(tmp_path, content)
    assert rows_of(table) == [*HALVES[0], *HALVES[0]]
    assert aside(table) == [(13, AGAIN)]
    assert all(a < b for a, b in pairwise(table.rows.tolist()))
