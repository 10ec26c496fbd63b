"""Which encoding a file is in, and what a few bad bytes cost."""

import io
import random
import sys
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest
from written_texts import ENCODINGS, TEXTS, as_table

from headtune.data import iter_tables, read_table
from headtune.data.findings.mojibake import mojibake
from headtune.data.prepare import prepare
from headtune.data.reading.opening.decode import decoded_lines, unreadable, written_out
from headtune.data.reading.opening.detection import candidates, garbled
from headtune.data.reading.opening.encodings import encoding_of
from headtune.data.reading.table import is_writable
from headtune.errors import DataError, EncodingError
from headtune.options import DataConfig

AUTO = DataConfig()
UNICODE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


def written_in(*, unicode: bool) -> list[tuple[str, str, int]]:
    return [
        (language, encoding, which)
        for language, encodings in ENCODINGS.items()
        for encoding, which in product(encodings, (0, 1))
        if (encoding in UNICODE) == unicode
    ]


# Detection


def test_the_encoding_proposed_for_a_text_is_right() -> None:
    files = [(*each[:2], i % 2) for i, each in enumerate(written_in(unicode=False)[::2])]
    wrong = []
    for language, encoding, which in files:
        data = as_table(TEXTS[language][which], encoding)
        found = candidates(data)
        if not found or data.decode(found[0].encoding) != data.decode(encoding):
            wrong.append((language, encoding, which))
    assert len(files) > 50
    assert wrong == []


@pytest.mark.parametrize(("language", "encoding", "which"), written_in(unicode=True))
def test_utf_16_and_32_without_a_mark_are_read_and_said(
    tmp_path: Path, language: str, encoding: str, which: int
) -> None:
    (tmp_path / "a.csv").write_bytes(as_table(TEXTS[language][which], encoding))
    table = read_table(tmp_path / "a.csv", AUTO)
    assert "".join(table.columns["text"].to_pylist()) == TEXTS[language][which].replace('"', "")
    assert f"{encoding} without a byte order mark" in table.notes


def test_the_error_names_the_encoding_and_shows_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(as_table(TEXTS["chinese"][0], "gb18030"))
    with pytest.raises(EncodingError) as raised:
        read_table(path, AUTO)
    message = str(raised.value)
    assert "It looks like gb18030 ('这家餐厅的菜味道很不错" in message
    assert message.endswith(': encoding="gb18030"')
    assert "\n" not in message
    read = read_table(path, DataConfig(encoding="gb18030"))
    assert "".join(read.columns["text"].to_pylist()) == TEXTS["chinese"][0]


def test_several_candidates_are_shown_with_what_they_make_of_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text,label\nfør,1\n".encode("cp1252"))
    with pytest.raises(EncodingError) as raised:
        read_table(tmp_path / "a.csv", AUTO)
    assert "cp1252 ('før,1'); less likely cp12" in str(raised.value)


def test_nothing_is_proposed_where_nothing_is_likely(tmp_path: Path) -> None:
    noise = bytes(range(128, 256))
    (tmp_path / "a.csv").write_bytes(
        b"text,label\n" + b"".join(noise[i::7] + b",1\n" for i in range(7))
    )
    with pytest.raises(EncodingError) as raised:
        read_table(tmp_path / "a.csv", AUTO)
    assert "No encoding is likely; give the one it was written in with encoding=" in str(
        raised.value
    )


# Read in a wrong encoding


@pytest.mark.parametrize(
    ("language", "encoding", "given"),
    [
        ("chinese", "gb18030", "latin-1"),
        ("chinese", "utf-8", "latin-1"),
        ("japanese", "shift_jis", "latin-1"),
        ("japanese", "euc_jp", "gb18030"),
        ("korean", "euc_kr", "cp1252"),
        ("russian", "cp1251", "cp1252"),
        ("russian", "koi8_r", "cp1251"),
        ("russian", "cp866", "cp1251"),
        ("hebrew", "cp1255", "cp1251"),
        ("arabic", "cp1256", "cp1252"),
        ("greek", "iso8859_7", "cp1251"),
        ("polish", "cp1250", "iso8859_2"),
        ("turkish", "cp1254", "cp1252"),
        ("french", "utf-8", "cp1252"),
        ("german", "mac_roman", "cp1252"),
    ],
)
def test_texts_that_look_garbled_are_said(
    tmp_path: Path, language: str, encoding: str, given: str
) -> None:
    data = as_table(TEXTS[language][0], encoding)
    text = data.decode(given, "replace")
    assert text != data.decode(encoding)
    for suffix in ("csv", "jsonl"):
        path = tmp_path / f"a.{suffix}"
        rows = [
            f'{{"text": "{line.replace(chr(34), "")}"}}'
            for line in data.decode(encoding).splitlines()
        ]
        path.write_bytes(data if suffix == "csv" else "\n".join(rows).encode(encoding))
        notes = read_table(path, DataConfig(encoding=given)).notes
        assert "texts look garbled" in notes[-1], notes
        assert next(iter_tables(path, DataConfig(encoding=given))).notes == notes


@pytest.mark.parametrize(("language", "encoding", "which"), written_in(unicode=False)[::4])
def test_texts_in_the_right_encoding_are_not_called_garbled(
    language: str, encoding: str, which: int
) -> None:
    assert garbled(as_table(TEXTS[language][which], encoding), encoding) == ""


@pytest.mark.parametrize(
    ("language", "encoding", "given"),
    [
        ("chinese", "gb18030", "latin-1"),
        ("traditional", "big5", "latin-1"),
        ("japanese", "shift_jis", "cp1252"),
        ("korean", "euc_kr", "latin-1"),
        ("russian", "cp1251", "cp1252"),
        ("russian", "koi8_r", "cp1251"),
        ("russian", "utf-8", "cp1251"),
        ("greek", "cp1253", "latin-1"),
        ("arabic", "cp1256", "cp1252"),
        ("polish", "cp1250", "cp1252"),
        ("french", "utf-8", "cp1252"),
    ],
)
def test_a_wrong_encoding_leaves_traces(language: str, encoding: str, given: str) -> None:
    texts = [text.encode(encoding).decode(given, "replace") for text in TEXTS[language]]
    assert mojibake([*TEXTS[language], *texts]).tolist() == [2, 3]


def test_right_texts_have_no_such_traces() -> None:
    texts = [text for pair in TEXTS.values() for text in pair]
    odd = ["Nöööööö!", "«…»", "été »…«", "ÀÉ", "5 m³/s", "«Été…»", "¿¿¿Qué???", "™®©°", "Ääääh"]
    assert mojibake([*texts, *odd]).tolist() == []


# Marks


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "txt"])
def test_a_byte_order_mark_is_followed_and_said(tmp_path: Path, encoding: str, suffix: str) -> None:
    text = '{"text": "né"}\n' if suffix == "jsonl" else '[{"text": "né"}]'
    content = text if "json" in suffix else "text,label\nné,1\n"
    (tmp_path / f"a.{suffix}").write_bytes(content.encode(encoding))
    table = read_table(tmp_path / f"a.{suffix}", AUTO)
    assert table.columns["text"].to_pylist() == ["né"]
    assert f"{encoding}, as its byte order mark says" in table.notes


@pytest.mark.parametrize(
    ("written", "given"), [("utf-16", "latin-1"), ("utf-8-sig", "cp1252"), ("utf-32", "utf-16")]
)
def test_an_encoding_against_the_mark_is_an_error(tmp_path: Path, written: str, given: str) -> None:
    (tmp_path / "a.csv").write_bytes("text,label\nné,1\n".encode(written))
    says = written.removesuffix("-sig")
    with pytest.raises(EncodingError, match=f'its byte order mark says {says}.*="{says}"$'):
        read_table(tmp_path / "a.csv", DataConfig(encoding=given))


@pytest.mark.parametrize(
    "text", ["text,label\na\0,b\nc,\0d\n", "text,label\n\0\0\0\0,b\n" + "hello,1\n" * 50, "\0"]
)
def test_a_zero_byte_here_and_there_makes_no_utf_16(text: str) -> None:
    assert encoding_of(text.encode(), "utf-8", "a.csv").name == "utf-8"


def test_utf_16_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    data = "text,label\nпривет,1\n".encode("utf-16-le")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert read_table("-", AUTO).columns["text"].to_pylist() == ["привет"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_utf_16_that_is_cut_short(tmp_path: Path, encoding: str) -> None:
    content = "".join(f"naïve {i},{i % 2}\n" for i in range(50))
    (tmp_path / "a.csv").write_bytes(f"text,label\n{content}".encode(encoding)[:-1])
    with pytest.raises(EncodingError, match=r"ends in the middle.* cut short: write the file anew"):
        read_table(tmp_path / "a.csv", AUTO)


@pytest.mark.parametrize(
    ("language", "encoding"), [("russian", "cp1251"), ("chinese", "gb18030"), ("greek", "utf-8")]
)
def test_what_is_not_utf_16_though_it_was_said_to_be(
    tmp_path: Path, language: str, encoding: str
) -> None:
    data = as_table(TEXTS[language][0], encoding)
    for size in (len(data), len(data) - 1):
        (tmp_path / "a.csv").write_bytes(data[:size])
        with pytest.raises(EncodingError, match=rf'encoding="{encoding}"$'):
            read_table(tmp_path / "a.csv", DataConfig(encoding="utf-16"))


def test_escape_sequences_of_japanese_mail_are_known(tmp_path: Path) -> None:
    text = TEXTS["japanese"][0]
    (tmp_path / "a.csv").write_bytes(as_table(text, "iso2022_jp"))
    with pytest.raises(EncodingError, match=r'encoding="iso2022_jp"$'):
        read_table(tmp_path / "a.csv", AUTO)
    read = read_table(tmp_path / "a.csv", DataConfig(encoding="iso2022_jp"))
    assert "".join(read.columns["text"].to_pylist()) == text
    (tmp_path / "b.csv").write_text("text,label\n\x1b[0mplain,1\n")
    assert len(read_table(tmp_path / "b.csv", AUTO)) == 1


# Bad bytes


def a_table(bad: int, good: int, plain: int) -> bytes:
    rows = [*[b"caf\xe9,ham"] * bad, *["naïve,ham".encode()] * good, *[b"plain,spam"] * plain]
    return b"text,label\n" + b"\n".join(rows) + b"\n"


@pytest.mark.parametrize(
    ("bad", "good", "plain"), [(1, 1, 0), (1, 0, 30), (3, 3, 0), (3, 0, 60), (5, 5, 800)]
)
def test_a_few_bad_bytes_cost_their_rows(tmp_path: Path, bad: int, good: int, plain: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(a_table(bad, good, plain))
    table = read_table(path, AUTO)
    assert len(table) == good + plain
    assert [(row.row, row.reason, row.content) for row in table.set_aside] == [
        (row, "bytes that are no characters of its encoding", r"caf\xe9,ham")
        for row in range(1, bad + 1)
    ]
    chunks = list(iter_tables(path, AUTO, rows_per_chunk=50))
    assert sum(map(len, chunks)) == good + plain
    assert sum(len(chunk.set_aside) for chunk in chunks) == bad


@pytest.mark.parametrize(
    ("bad", "good", "plain"), [(1, 0, 1), (3, 0, 8), (4, 0, 10_000), (5, 100, 300)]
)
def test_many_bad_bytes_cost_the_file(tmp_path: Path, bad: int, good: int, plain: int) -> None:
    (tmp_path / "a.csv").write_bytes(a_table(bad, good, plain))
    with pytest.raises(EncodingError, match=r"byte 0xe9 .* at byte 14 \(line 2") as raised:
        read_table(tmp_path / "a.csv", AUTO)
    mostly = "The rest of it is utf-8: mend these bytes, or write the file anew."
    assert str(raised.value).endswith(mostly if good else 'encoding="cp1252"')


def test_bad_bytes_are_kept_from_json_lines(tmp_path: Path) -> None:
    lines = [f'{{"text": "é {i}"}}'.encode() for i in range(50)]
    lines[10] = b'{"text": "caf\xe9"}'
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    table = read_table(tmp_path / "a.jsonl", AUTO)
    assert len(table) == 49
    ((row, content),) = [(row.row, row.content) for row in table.set_aside]
    assert (row, content) == (11, r'{"text": "caf\xe9"}')


def test_a_bad_byte_of_another_encoding_costs_its_row_too(tmp_path: Path) -> None:
    text = TEXTS["russian"][0]
    rows = [f"{word},1\n".encode("cp1251") for word in text.replace(",", "").split()]
    rows[5] = b"\x98\x98,1\n"  # of all bytes, the one that cp1251 has nothing for
    (tmp_path / "a.csv").write_bytes(b"text,label\n" + b"".join(rows))
    table = read_table(tmp_path / "a.csv", DataConfig(encoding="cp1251"))
    assert [row.content for row in table.set_aside] == [r"\x98\x98,1"]


def test_a_record_of_several_lines_is_set_aside_as_one(tmp_path: Path) -> None:
    rows = b'"one\nb\xffd\nthree",1\n' + 'é,2\n"two\nlines",1\n'.encode() * 9
    (tmp_path / "a.csv").write_bytes(b"text,label\n" + rows)
    table = read_table(tmp_path / "a.csv", AUTO)
    assert len(table) == 18
    assert [row.row for row in table.set_aside] == [1]
    assert r"b\xffd" in table.set_aside[0].content


def test_a_bad_byte_in_a_header_costs_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,cat\xe9gorie\n" + b"plain,1\n" * 200)
    with pytest.raises(EncodingError, match=r"name of its column 'cat\\\\xe9gorie'.*cp1252"):
        read_table(tmp_path / "a.csv", AUTO)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_bad_bytes_are_met_wherever_blocks_end(size: int) -> None:
    data = b"text,label\n" + "naïve,1\n".encode() * 9 + b"a caf\xe9 of old,1\nx,2\nend \xc3"
    blocks = [data[i : i + size] for i in range(0, len(data), size)]
    lines = list(decoded_lines(blocks, "utf-8", "a.csv", keep_bad=True))
    assert [written_out(line) for line in lines if unreadable([line])] == [
        "a caf\\xe9 of old,1\n",
        r"end \xc3",
    ]
    assert lines[-2] == "x,2\n"


def test_strict_stops_at_a_bad_byte(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(a_table(1, 30, 30))
    with pytest.raises(DataError, match=r"Row 1 of a\.csv cannot be used: bytes that are no"):
        read_table(tmp_path / "a.csv", DataConfig(strict=True))


def test_late_bad_bytes_of_a_long_file_are_judged_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = f"é {'and more' * 20},1\n".encode() * 10_000
    path.write_bytes(b"text,label\n" + good + b"caf\xe9,1\n" * 50)
    table = read_table(path, AUTO)
    assert (len(table), len(table.set_aside)) == (10_000, 50)
    path.write_bytes(b"text,label\n" + good + b"caf\xe9,1\n" * 200)
    with pytest.raises(EncodingError, match=r"\(line 10,002, the first of 200 such lines\)"):
        read_table(path, AUTO)


def test_bad_bytes_reach_the_account_of_a_run(tmp_path: Path) -> None:
    rows = "".join(f"é number {i} of these,{'ab'[i % 2]}\n" for i in range(60)).encode()
    (tmp_path / "a.csv").write_bytes(b"text,label\ncaf\xe9,a\n" + rows)
    prepared = prepare(str(tmp_path / "a.csv"), DataConfig(split="100/0/0"))
    assert [row.row for row in prepared.set_aside] == [1]
    assert prepared.summary["rows_read"] == 61


def test_changed_bytes_end_in_our_error_or_a_table(tmp_path: Path) -> None:
    chance = random.Random(0)
    files = written_in(unicode=True) + written_in(unicode=False)
    n_read = 0
    for language, encoding, which in chance.sample(files, 40):
        data = bytearray(as_table(TEXTS[language][which], encoding))
        for _ in range(chance.choice((1, 3, 20))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        (tmp_path / "a.csv").write_bytes(data)
        config = DataConfig(encoding=chance.choice(["utf-8", encoding, "utf-16"]))
        with suppress(DataError):
            table = read_table(tmp_path / "a.csv", config)
            assert all(map(is_writable, table.columns.to_pylist()))
            n_read += 1
    assert n_read > 8
