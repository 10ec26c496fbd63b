"""What cannot be read ends in one line: what was expected, what was received, the way out."""

import random
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from refusals import error_of

from headtune.data import read_table
from headtune.data.reading.opening.decode import LINE, decoded_lines
from headtune.errors import ConfigError, DataError, DataNotFoundError, EncodingError
from headtune.options import DataConfig

AUTO = DataConfig()


def test_missing_file_suggests_near_names(tmp_path: Path) -> None:
    for name in ("messages.csv", "message.tsv", "pictures.zip"):
        (tmp_path / name).write_text("x")
    message = error_of(tmp_path / "mesages.csv")
    assert "Did you mean messages.csv, message.tsv?" in message
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "mesages.csv", AUTO)


def test_missing_file_without_near_names(tmp_path: Path) -> None:
    assert error_of(tmp_path / "a.csv").endswith("Check the path.")
    assert "the folder" in error_of(tmp_path / "none" / "a.csv")
    assert "built in: sms-spam" in error_of("no-such-table")


def test_same_name_with_another_suffix_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "messages.parquet").write_text("x")
    assert "Did you mean messages.parquet?" in error_of(tmp_path / "messages.csv")


@pytest.mark.parametrize("content", [b"", b" \n\r\n", b"\xef\xbb\xbf\n"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert f"a.csv is empty: expected a table with texts, received {len(content)} bytes" in (
        error_of(tmp_path / "a.csv")
    )


def test_header_only(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n")
    message = error_of(tmp_path / "a.csv")
    assert message.startswith("a.csv has a header (text, label) and no rows below it.")
    assert message.endswith('If that line is a row: header="no"')


@pytest.mark.parametrize(
    ("name", "content", "looks_like"),
    [
        ("a.csv", b"PAR1" + bytes(100), "a Parquet file. Let its name end in .parquet."),
        ("a.csv", bytes(range(256)) * 20, "a binary file, not a table"),
        ("a.bin", random.Random(0).randbytes(4_000), "a binary file, not a table"),
        ("a.csv", b"<!DOCTYPE html><html></html>", "a web page, not a table"),
        ("a.parquet", b"text,label\na,b\n", "not a Parquet file, though its name says so"),
        ("a.parquet", b"PAR1" + b"text" * 100, "it may be cut short"),
    ],
)
def test_binary_files_are_called_what_they_are(
    tmp_path: Path, name: str, content: bytes, looks_like: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert looks_like in error_of(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('[{"text": "a"}, {"text"', "not valid JSON: Expecting ':' delimiter at line 1, column 24"),
        ('{"text": ["a", "b"], "label": [1]}', "different lengths (text: 2, label: 1)"),
        ('{"text": "a", "label": 1}', "column 'text' is a string, expected a list"),
        ('["a", "b"]', "expected an array of objects"),
        ("[]", "has no rows"),
        ("{}", "has no rows"),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=["cut", "lengths", "one object", "strings", "empty", "no columns", "deep"],
)
def test_json_that_is_no_table(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "a.json").write_text(content)
    assert expected in error_of(tmp_path / "a.json")


def test_no_row_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na\0,b\nc,\0d\n")
    message = error_of(tmp_path / "a.csv")
    assert "row 1 has a NUL byte: 'a\\\\0,b'. Check delimiter=" in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("text,label\na,b,c\nd,e,\n", "has 2 names (text, label), the rows have 3 fields"),
        ("id,text\n1,a,b\n2,d,e\n", "has 2 names (id, text), the rows have 3 fields"),
        ("text,label\n1,a,b\n1,d,e\n", "the rows have 3 fields, such as '1,a,b'."),
        ("text,label,id\na,b\nc,d\n", "has 3 names (text, label, id), the rows have 2 fields"),
    ],
    ids=["no reason", "numbers have a name", "numbers that repeat", "one name more"],
)
def test_a_header_that_fits_no_row(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    message = error_of(tmp_path / "a.csv")
    assert message.startswith("The header of a.csv ")
    assert expected in message
    assert message.endswith('if the first line is a row: header="no"')


# Encodings


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_lines_and_characters_may_be_cut_between_blocks(size: int) -> None:
    data = "\ufeffé1\r\n\r\nü2\r3\n4\u20285".encode()
    blocks = [data[i : i + size] for i in range(0, len(data), size)]
    lines = list(decoded_lines(blocks, "utf-8", "a.csv"))
    assert lines == ["é1\r\n", "\r\n", "ü2\r", "3\n", "4\u20285"]


def test_a_line_of_many_blocks_is_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    n_characters: list[int] = []

    class Counted:
        def findall(self, text: str) -> list[str]:
            n_characters.append(len(text))
            return list(LINE.findall(text))

    monkeypatch.setattr("headtune.data.reading.opening.decode.LINE", Counted())
    blocks = [b"x" * 1_000] * 200
    assert list(decoded_lines([*blocks, b"\r", b"\ny"], "utf-8", "a.json")) == [
        "x" * 200_000 + "\r\n",
        "y",
    ]
    assert sum(n_characters) < 3 * 200_000


@pytest.mark.parametrize("text", ["", "a", "a\r", "\r\n\n\r", "a\n\u2028b\x0b\r\nc\rd\n", "\n\ne"])
def test_lines_end_as_python_ends_them(text: str) -> None:
    assert LINE.findall(text) == list(StringIO(text, newline=""))


def test_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text,label\nné,1\n".encode("utf-8-sig"))
    for encoding in ("utf-8", "UTF8", "utf-8-sig"):
        table = read_table(tmp_path / "a.csv", DataConfig(encoding=encoding))
        assert table.column_names == ["text", "label"]
        assert table.columns["text"].to_pylist() == ["né"]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "shift_jis", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json"])
def test_any_encoding_can_be_given(tmp_path: Path, encoding: str, suffix: str) -> None:
    text = "ラベル" if encoding == "shift_jis" else "naïve café"
    contents = {
        "csv": f"text,label\n{text},1\n",
        "jsonl": f'{{"text": "{text}"}}\n',
        "json": f'[{{"text": "{text}"}}]',
    }
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(contents[suffix].encode(encoding))
    table = read_table(path, DataConfig(encoding=encoding))
    assert table.columns["text"].to_pylist() == [text]


def test_cp1252_is_named_with_the_byte_and_the_option(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,label\nplain,0\ncaf\xe9 \x93x\x94,1\n")
    with pytest.raises(EncodingError) as raised:
        read_table(tmp_path / "a.csv", AUTO)
    assert str(raised.value) == (
        "a.csv is not utf-8: byte 0xe9 is no character of it, at byte 22 (line 3). "
        "It looks like cp1252 ('café “x”,1'): encoding=\"cp1252\""
    )


def test_the_place_of_a_bad_byte_is_right_deep_in_a_file(tmp_path: Path) -> None:
    lines = [f'{{"text": "é number {i}{" and more" * 20}"}},\n'.encode() for i in range(8_000)]
    good = b"[\n" + b"".join(lines)
    (tmp_path / "a.json").write_bytes(good + b'{"text": "\x81"}]\n')
    with pytest.raises(EncodingError) as raised:
        read_table(tmp_path / "a.json", AUTO)
    assert str(raised.value) == (
        f"a.json is not utf-8: byte 0x81 is no character of it, at byte {len(good) + 10:,} "
        "(line 8,002). The rest of it is utf-8: mend these bytes, or write the file anew."
    )


def test_a_character_cut_in_two_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text,label\nx,é".encode()[:-1])
    assert "it ends in the middle of a character" in error_of(tmp_path / "a.csv")


def test_text_that_is_not_utf_16(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nhello,1\n")
    with pytest.raises(EncodingError, match='It looks like utf-8: encoding="utf-8"'):
        read_table(tmp_path / "a.csv", DataConfig(encoding="utf-16"))


@pytest.mark.parametrize("encoding", ["klingon", "base64"])
def test_unknown_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_text("text,label\nhello,1\n")
    with pytest.raises(ConfigError, match=f'encoding="{encoding}" is not an encoding of text'):
        read_table(tmp_path / "a.csv", DataConfig(encoding=encoding))


def test_empty_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"")))
    with pytest.raises(DataError, match="standard input is empty"):
        read_table("-", AUTO)


def test_a_name_like_a_hub_id_below_a_folder_is_a_missing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tables").mkdir()
    for source in ("tables/messages", "owner/messages.csv"):
        with pytest.raises(DataNotFoundError, match="There is no file"):
            read_table(source, AUTO)
