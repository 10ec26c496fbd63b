"""How a delimited file is written: found without options, or given against what is found."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tweets import TWEETS, needs_tweets

from headtune.data import read_table
from headtune.data.reading.opening.byte_source import HEAD_BYTES
from headtune.errors import ConfigError
from headtune.options import DataConfig

AUTO = DataConfig()


def write(folder: Path, content: str, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8", newline="")
    return path


def rows_of(path: Path, config: DataConfig = AUTO) -> list[tuple[str, ...]]:
    table = read_table(path, config)
    return list(zip(*(table.columns[name].to_pylist() for name in table.column_names), strict=True))


def test_stray_quotes_do_not_merge_rows_of_the_spam_collection() -> None:
    table = read_table("sms-spam", AUTO)
    assert len(table) == 5_574
    assert table.column_names == ["column1", "column2"]
    labels = table.columns["column1"].to_pylist()
    assert (labels.count("ham"), labels.count("spam")) == (4_827, 747)
    assert table.rows.tolist() == list(range(1, 5_575))
    assert table.set_aside == ()
    assert table.notes == ("tab-separated", "no header", "quotes are ordinary characters")


def test_quotes_honoured_by_force_lose_no_row_either() -> None:
    table = read_table("sms-spam", replace(AUTO, quoting="quoted"))
    assert len(table) == 5_574  # a plain reader of quotes merges rows, to 5,572
    texts = table.columns["column2"].to_pylist()
    assert "Are you comingdown later?" in texts
    assert any(text.startswith('"Response" is one of d powerful') for text in texts)


def test_quotes_that_pair_up_over_two_rows_do_not_merge_them(tmp_path: Path) -> None:
    path = write(tmp_path, 'ham\t"one\nham\ttwo"\nspam\tthree\nham\tfour\n', "a.tsv")
    assert rows_of(path)[:2] == [("ham", '"one'), ("ham", 'two"')]


@needs_tweets
def test_quoted_line_breaks_stay_in_the_tweets() -> None:
    table = read_table(TWEETS, AUTO)
    assert len(table) == 7_613
    assert table.column_names == ["id", "keyword", "location", "text", "target"]
    assert table.set_aside == ()
    assert any("\n" in text for text in table.columns["text"].to_pylist())
    assert table.notes == ("comma-separated", "header", "quotes enclose fields")


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimiters_are_found(tmp_path: Path, delimiter: str) -> None:
    lines = ["text|label", "Hello there, you|ham", "Win a prize; now|spam", "Bye|ham"]
    content = "".join(
        delimiter.join(f'"{field}"' for field in line.split("|")) + "\n" for line in lines
    )
    assert rows_of(write(tmp_path, content)) == [
        ("Hello there, you", "ham"),
        ("Win a prize; now", "spam"),
        ("Bye", "ham"),
    ]


def test_a_quoted_field_may_hold_delimiters_line_breaks_and_quotes(tmp_path: Path) -> None:
    content = 'text,label\r\n"one, two\r\nthree ""four""",a\r\nplain,b\r\n'
    assert rows_of(write(tmp_path, content)) == [
        ('one, two\r\nthree "four"', "a"),
        ("plain", "b"),
    ]


def test_fully_quoted_rows_lose_their_quotes_though_one_is_broken(tmp_path: Path) -> None:
    rows = "".join(f'"text {i}","{i % 2}"\n' for i in range(10))
    table = read_table(write(tmp_path, f'"text","label"\n{rows}"open,"1"\n'), AUTO)
    assert table.column_names == ["text", "label"]
    assert table.columns["text"].to_pylist()[:2] == ["text 0", "text 1"]


def test_a_stray_quote_costs_no_row_after_it(tmp_path: Path) -> None:
    rows = "".join(f'"text, {i}",{i % 2}\n' for i in range(10))
    content = f'text,label\n{rows}"never closed,0\n{rows}"a",1,too many\n{rows}'
    table = read_table(write(tmp_path, content), AUTO)
    assert table.columns["text"].to_pylist()[9:12] == ["text, 9", '"never closed', "text, 0"]
    assert len(table) == 31
    assert [(row.row, row.reason) for row in table.set_aside] == [
        (22, "3 fields where 2 are expected")
    ]


def test_no_header_is_found_where_the_first_values_occur_again(tmp_path: Path) -> None:
    path = write(tmp_path, "spam,Win now\nham,Hello\nspam,Prize\nham,Bye\n")
    assert rows_of(path)[0] == ("spam", "Win now")
    assert read_table(path, AUTO).column_names == ["column1", "column2"]


def test_numbers_in_the_first_line_are_no_header(tmp_path: Path) -> None:
    assert len(rows_of(write(tmp_path, "1,first things\n0,second things\n"))) == 2


def test_header_can_be_given(tmp_path: Path) -> None:
    path = write(tmp_path, "spam,Win now\nham,Hello\nspam,Prize\n")
    assert read_table(path, replace(AUTO, header="yes")).column_names == ["spam", "Win now"]
    named = write(tmp_path, "text,label\nHello,ham\n")
    assert rows_of(named, replace(AUTO, header="no"))[0] == ("text", "label")


def test_delimiter_and_quoting_can_be_given(tmp_path: Path) -> None:
    path = write(tmp_path, 'text,label\n"a;b",c\n"d;e",f\n')
    given = replace(AUTO, delimiter=";", quoting="none", header="no")
    assert rows_of(path, given) == [('"a', 'b",c'), ('"d', 'e",f')]
    tab = write(tmp_path, "text\tlabel\na\tb\n")
    for name in ("\\t", "tab", "\t"):
        assert rows_of(tab, replace(AUTO, delimiter=name)) == [("a", "b")]


@pytest.mark.parametrize(("delimiter", "recorded"), [("\t", "tab"), (";", ";")])
def test_what_was_found_can_be_typed(delimiter: str, recorded: str, tmp_path: Path) -> None:
    """A report shows the command that does it again: a tab there would look like spaces."""
    path = write(tmp_path, f"text{delimiter}label\na b{delimiter}c\nd e{delimiter}f\n")
    found: dict[str, Any] = dict(read_table(path, AUTO).options)
    assert found["delimiter"] == recorded
    assert rows_of(path, replace(AUTO, **found)) == rows_of(path)


@pytest.mark.parametrize("delimiter", ["", '"', 'a"b', "\n"])
def test_a_delimiter_that_cannot_be_one_is_refused(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, "text,label\na,b\n")
    with pytest.raises(ConfigError, match=r"delimiter= takes one or several characters.*received"):
        read_table(path, replace(AUTO, delimiter=delimiter))


def test_lines_of_prose_are_one_column(tmp_path: Path) -> None:
    lines = ["I came, I saw.", "What now?", "", "Well, well, well.", '"Quite so," he said.']
    table = read_table(write(tmp_path, "\n".join(lines) + "\n", "texts.txt"), AUTO)
    assert table.columns["column1"].to_pylist() == lines
    assert table.notes[0] == "one column"


def test_headers_that_are_empty_or_double_get_names(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, ",text,text,label\n0,a,b,c\n1,d,e,f\n"), AUTO)
    assert table.column_names == ["column1", "text", "text_2", "label"]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_first_line_of_excel_says_the_delimiter(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"\ufeff{line}\r\ntext;label\r\na, b;c, d\r\ne, f;g, h\r\n")
    table = read_table(path, AUTO)
    assert rows_of(path) == [("a, b", "c, d"), ("e, f", "g, h")]
    assert (table.column_names, table.rows.tolist()) == (["text", "label"], [1, 2])
    assert table.notes[0] == "semicolon-separated (the first line says so)"
    found: dict[str, Any] = dict(table.options)
    assert rows_of(path, replace(AUTO, **found)) == rows_of(path)


@pytest.mark.parametrize(
    ("content", "names", "note"),
    [
        (
            '"text"\t"label"\n"17"\t"a b"\t"c"\n"3"\t"d"\t"e"\n',
            ["column1", "text", "label"],
            "header without a name for the first column (here column1)",
        ),
        (
            "text,label\na b,c,\nd,e,\n",
            ["text", "label", "column3"],
            "header without a name for the last column (here column3)",
        ),
        ("text,label,\na b,c\nd,e\n", ["text", "label"], "header"),
    ],
    ids=["row names of R", "delimiter at the end of rows", "delimiter at the end of the header"],
)
def test_a_header_of_one_name_more_or_less(
    tmp_path: Path, content: str, names: list[str], note: str
) -> None:
    path = write(tmp_path, content)
    table = read_table(path, AUTO)
    assert table.column_names == names
    assert table.columns["text"].to_pylist() == ["a b", "d"]
    assert table.columns["label"].to_pylist() == ["c", "e"]
    assert table.set_aside == ()
    assert table.notes[1] == note


def test_a_first_row_of_another_width_is_no_header_where_its_values_occur_again(
    tmp_path: Path,
) -> None:
    table = read_table(write(tmp_path, "ham,one,more\nham,two\nspam,three\n"), AUTO)
    assert table.column_names == ["column1", "column2"]
    assert (table.rows.tolist(), len(table.set_aside)) == ([2, 3], 1)


def test_long_texts_of_many_lines_are_read_whole_where_the_sample_ends(tmp_path: Path) -> None:
    text = "A line of prose, with commas, some.\nAnd one without.\n" * 400
    count = 2 * HEAD_BYTES // len(text)
    content = "text,label\n" + f'"{text}",0\n"{text}",1\n' * count
    assert rows_of(write(tmp_path, content)) == [(text, "0"), (text, "1")] * count


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, line_end: str) -> None:
    content = line_end.join(["text,label", "a b,0", "", "c d,1", ""])
    assert rows_of(write(tmp_path, content)) == [("a b", "0"), ("c d", "1")]


def test_a_record_is_whole_where_the_sample_and_the_blocks_end(tmp_path: Path) -> None:
    texts = [f"{i} né, " + "wörd " * (i % 50) for i in range(HEAD_BYTES // 45)]
    content = "text,label\r\n" + "".join(
        f'"{text}\r\nx",{i % 2}\r\n' for i, text in enumerate(texts)
    )
    path = write(tmp_path, content)
    assert path.stat().st_size > 2 * HEAD_BYTES  # several blocks
    assert read_table(path, AUTO).columns["text"].to_pylist() == [f"{t}\r\nx" for t in texts]


def test_a_text_of_a_megabyte_is_one_field(tmp_path: Path) -> None:
    long = "word, " * 200_000
    path = write(tmp_path, f'text,label\nshort,0\n"{long}",1\nshort,0\n')
    assert rows_of(path)[1] == (long, "1")


def test_commas_in_texts_shift_no_column(tmp_path: Path) -> None:
    """Most rows are one field too long, all begin with another number: some fit nevertheless."""
    rows = [f"{10_000 + n},hello there{', how are you' * (n % 3 != 0)}" for n in range(60)]
    table = read_table(write(tmp_path, "\n".join(["tweet_id,text", *rows]) + "\n"), AUTO)
    assert table.column_names == ["tweet_id", "text"]
    assert (len(table), len(table.set_aside)) == (20, 40)


@pytest.mark.parametrize(("given", "said"), [(None, True), (";", True), (",", False)])
def test_the_first_line_is_named_only_where_it_is_followed(
    tmp_path: Path, given: str | None, said: bool
) -> None:
    path = write(tmp_path, "sep=;\ntext,more;label\nsome words,here;ham\nothers,there;spam\n")
    notes = read_table(path, DataConfig(delimiter=given)).notes
    assert ("(the first line says so)" in notes[0]) == said
