"""What folders hold besides texts and tables: set aside, left out, or one line that says so."""

import os
import random
import socket
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from refusals import error_of

from headtune.data import iter_tables, read_table
from headtune.data.reading.folders import files as folder_files
from headtune.data.reading.folders import texts as folder_texts
from headtune.data.reading.readers import read_parts
from headtune.errors import DataError, EncodingError, HeadtuneError
from headtune.options import DataConfig

AUTO = DataConfig()


def written(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
    return folder


GOOD = {f"{label}/{i}.txt": f"{label} {i}" for label in ("ham", "spam") for i in range(3, 9)}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"caf\xe9", "bytes that are not utf-8"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a file that is no text (a picture)"),
        (b"%PDF-1.4 \xe2\xe3", "a file that is no text (a PDF)"),
        (bytes(range(128)) * 4, "a file that is binary, no text"),
        (b"one\0two", "a NUL byte"),
    ],
)
def test_a_file_that_is_no_text_is_set_aside(tmp_path: Path, content: bytes, reason: str) -> None:
    table = read_table(written(tmp_path, {**GOOD, "ham/4.txt": content}), AUTO)
    (row,) = table.set_aside
    assert (row.row, row.reason) == (2, reason)
    assert row.content.startswith("ham/4.txt: b'")
    assert table.rows.tolist() == [1, *range(3, 13)]
    chunks = list(iter_tables(tmp_path, AUTO, rows_per_chunk=2))
    assert [row.row for chunk in chunks for row in chunk.set_aside] == [2]
    assert [row for chunk in chunks for row in chunk.rows.tolist()] == [1, *range(3, 13)]
    with pytest.raises(DataError, match="Row 2 of"):
        read_table(tmp_path, DataConfig(strict=True))


def test_a_mark_says_the_encoding(tmp_path: Path) -> None:
    files = {
        "a/1": "\ufeffé".encode(),
        "a/2": "é".encode("utf-16"),
        "b/3": b"\xff\xfe\0\0" + "é".encode("utf-32-le"),
    }
    assert read_table(written(tmp_path, files), AUTO).columns["text"].to_pylist() == ["é"] * 3


def test_texts_of_two_bytes_a_character(tmp_path: Path) -> None:
    files = {f"a/{i}": f"see you {i}".encode("utf-16-le") for i in range(3)}
    table = read_table(written(tmp_path, files), DataConfig(encoding="utf-16-le"))
    assert table.columns["text"].to_pylist() == ["see you 0", "see you 1", "see you 2"]


def test_a_text_may_begin_as_a_binary_file_does(tmp_path: Path) -> None:
    files = {"a/1": "BZh is short for it", "b/2": "%PDF files are large", "b/3": "PAR1\n"}
    assert len(read_table(written(tmp_path, files), AUTO)) == 3


def test_a_whole_folder_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    files = {f"{label}/{i}": f"Café {i}".encode("cp1252") for label in "ab" for i in range(9)}
    files |= {f"b/english{i}": b"tea" for i in range(50)}
    message = error_of(written(tmp_path, files))
    assert message.startswith("a/0 of ")
    assert "is not utf-8, and so are 18 of 68 files that were tried" in message
    with pytest.raises(EncodingError):
        read_table(tmp_path, AUTO)
    texts = read_table(tmp_path, DataConfig(encoding="cp1252")).columns["text"].to_pylist()
    assert texts[0] == "Café 0"


def test_a_character_cut_by_the_look_at_a_file_is_no_error(tmp_path: Path) -> None:
    text = "x" + "é" * folder_texts.HEAD_BYTES
    assert len(read_table(written(tmp_path, {"a/1": text, "b/2": text}), AUTO)) == 2


def test_a_text_that_is_too_large_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_texts, "MOST_BYTES", 1024 * 1024)
    table = read_table(written(tmp_path, {**GOOD, "ham/3.txt": "x" * 1024 * 1025}), AUTO)
    assert [row.reason for row in table.set_aside] == ["a file of more than 1 MB"]


def test_chunks_end_with_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_texts, "CHUNK_BYTES", 10)
    chunks = list(iter_tables(written(tmp_path, GOOD), AUTO))
    assert [len(chunk) for chunk in chunks] == [2] * 6


def test_hidden_files_pipes_and_sockets_are_no_rows(tmp_path: Path) -> None:
    written(tmp_path, {**GOOD, "ham/.DS_Store": b"\0", ".git/x": "x", "__MACOSX/ham/._3": b"\0"})
    os.mkfifo(tmp_path / "ham" / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)
        server.bind("socket")
        os.chdir(here)
        assert len(read_table(tmp_path, AUTO)) == len(GOOD)


def test_links_are_followed_once_round(tmp_path: Path) -> None:
    written(tmp_path / "store", {"1": "win", "2": "prize"})
    written(tmp_path / "data", {"ham/1": "hello"})
    (tmp_path / "data/spam").symlink_to(tmp_path / "store")
    (tmp_path / "data/ham/2").symlink_to(tmp_path / "store" / "2")
    (tmp_path / "data/ham/3").symlink_to("nowhere")
    table = read_table(tmp_path / "data", AUTO)
    assert table.columns["label"].to_pylist() == ["ham", "ham", "spam", "spam"]
    assert [row.content for row in table.set_aside] == ["ham/3"]
    assert "a file that cannot be read (No such file" in table.set_aside[0].reason
    (tmp_path / "store/loop").symlink_to(tmp_path / "data")
    (tmp_path / "store/self").symlink_to(tmp_path / "store")
    assert len(read_table(tmp_path / "data", AUTO)) >= 4


def test_more_files_than_any_set_of_texts_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_files, "MOST_FILES", 8)
    assert "holds more than 8 files. Name the folder below it" in error_of(written(tmp_path, GOOD))
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for i in range(9):
            file.writestr(f"a/{i}", "x")
    assert "a.zip holds more than 8 files" in error_of(archive)


def test_folders_too_deep(tmp_path: Path) -> None:
    assert "is more than 16 folders deep" in error_of(written(tmp_path, {"a/" * 20 + "x": "a"}))


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    for label in (b"caf\xe9", b"tea"):
        os.makedirs(os.path.join(os.fsencode(tmp_path), label))
        with open(os.path.join(os.fsencode(tmp_path), label, b"\xff.txt"), "wb") as file:
            file.write(label[:3])
    table = read_table(tmp_path, AUTO)
    assert table.columns["label"].to_pylist() == ["caf\\xe9", "tea"]
    assert table.columns["file"].to_pylist() == ["caf\\xe9/\\xff.txt", "tea/\\xff.txt"]


CSV = "text,label\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "holds no files; expected texts or tables"),
        ({"README.md": "x", "a.crc": "y"}, "holds only README.md, a.crc; expected texts or tables"),
        (
            {"a.csv": f"{CSV}a,b\n", "b.csv": "id,body\n1,c\n"},
            "a.csv has text, label; b.csv has id, body. Name one of them",
        ),
        (
            {"a.csv": f"{CSV}a,b\n", "a.json": "[]"},
            "has tables of several forms (a.csv, a.json), which may be the same rows twice",
        ),
        (
            {"train.csv": f"{CSV}a,b\n", "train.csv.gz": "x", "test.csv": f"{CSV}a,b\n"},
            "has tables of several forms (train.csv, train.csv.gz)",
        ),
        (
            {"messages.csv": f"{CSV}a,b\n", "messages_test.csv": f"{CSV}a,b\n"},
            "has files that are parts, messages_test.csv (test), and others that may be: "
            "messages.csv; none is named train.",
        ),
        (
            {f"{name}/{part}.csv": f"{CSV}a,b\n" for name in "xy" for part in ("train", "test")},
            "holds several data sets with parts: x, y. Name the folder of one",
        ),
        (
            {"x/train.csv": f"{CSV}a,b\n", "other.csv": f"{CSV}a,b\n"},
            "has parts in x, and other tables: other.csv.",
        ),
        ({"val/a/1": "x", "test/a/1": "x"}, "has the parts test, val; expected one for training"),
        ({f"{p}.csv": f"{CSV}a,b\n" for p in ("dev", "test")}, "has the parts validation, test"),
        (
            {f"{p}/a/1": "x" for p in ("train", "val", "dev")},
            "has the parts dev, train, val; expected one for training",
        ),
        ({"config.json": "{}", "model.safetensors": "x"}, "is the folder of a model"),
        ({"ham/1.png": b"\x89PNG", "spam/1.png": b"\x89PNG"}, "None of the 2 files of"),
        (
            {"train_text.txt": "a\nb\nc\n", "train_labels.txt": "0\n1\n"},
            "train_text.txt has 3 lines, and train_labels.txt 2",
        ),
        ({"a.csv": "", "b.csv": ""}, "has no rows"),
    ],
)
def test_what_cannot_be_read_or_told(
    tmp_path: Path, files: Mapping[str, bytes | str], expected: str
) -> None:
    (tmp_path / "data").mkdir()
    assert expected in error_of(written(tmp_path / "data", files))


@pytest.mark.parametrize(
    "files",
    [
        {"a.csv": f"{CSV}a,x\nb,y\n", "b.csv": "c,x\n", "c.csv": "d,y\n"},
        {"a.csv": "", "b.csv": CSV, "c.csv": f"{CSV}a,x\nb,y\n", "d.csv": f"{CSV}c,x\nd,y\n"},
        {"a.csv": f"{CSV}a,x\nb,y\n", "b.csv": f"\ufeff{CSV}c,x\r\nd,y\n"},
        {"a.csv": f"{CSV}a,x\nb,y\n", "b.csv": "label,text\nx,c\ny,d\n"},
        {"a.csv": f"{CSV}a,x\nb,y\n", "b.csv": f"{CSV}c,x\nd,y\n", "c.csv": CSV},
    ],
    ids=["a row each", "empty", "mark", "order", "header alone"],
)
def test_pieces_of_one_table(tmp_path: Path, files: Mapping[str, str]) -> None:
    table = read_table(written(tmp_path, files), AUTO)
    found = zip(*(table.columns[name].to_pylist() for name in ("text", "label")), strict=True)
    assert list(found) == [("a", "x"), ("b", "y"), ("c", "x"), ("d", "y")]
    assert table.rows.tolist() == [1, 2, 3, 4]


def test_a_table_cut_in_pieces_has_its_header_in_the_first(tmp_path: Path) -> None:
    rows = [f"see you at number {i},{'ham' if i % 3 else 'spam'}\n" for i in range(30)]
    pieces = {"xaa": rows[:10], "xab": rows[10:20], "xac": rows[20:]}
    files = {f"{name}.csv": "".join(lines) for name, lines in pieces.items()}
    table = read_table(written(tmp_path, files | {"xaa.csv": CSV + files["xaa.csv"]}), AUTO)
    assert len(table) == 30
    assert table.columns["label"].to_pylist()[10:12] == ["ham", "ham"]
    assert table.columns["text"].to_pylist()[29] == "see you at number 29"


def test_the_first_piece_decides_how_all_are_written(tmp_path: Path) -> None:
    files = {
        "1.csv": "text;label\n" + "a, b;x\n" * 3,
        "2.csv": "text;label\nc,d;x,y\ne,f;x,y\n",
    }
    table = read_table(written(tmp_path, files), AUTO)
    assert table.columns["text"].to_pylist()[-1] == "e,f"


def test_what_is_set_aside_says_its_piece(tmp_path: Path) -> None:
    files = {"1.csv": f"{CSV}a,x\nb,y\n", "2.csv": f"{CSV}c,x\nd\0,y\n"}
    (row,) = read_table(written(tmp_path, files), AUTO).set_aside
    assert (row.row, row.reason) == (4, "a NUL byte")
    assert row.content.startswith("2.csv: ")


def test_records_of_later_pieces_may_lack_keys(tmp_path: Path) -> None:
    files = {"1.jsonl": '{"text": "a", "label": "x", "id": 1}\n', "2.jsonl": '{"text": "b"}\n'}
    table = read_table(written(tmp_path, files), AUTO)
    assert table.columns["label"].to_pylist() == ["x", None]


def zip_of(path: Path, files: Mapping[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_an_archive_that_unpacks_to_too_much(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {f"{label}/1.txt": "x" * 600_000 for label in "ab"})
    assert path.stat().st_size < 3_000
    assert "a.zip unpacks to more than 1.0 MB" in error_of(path, DataConfig(max_unpacked="1MB"))


def test_an_archive_that_is_none_or_locked(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", GOOD)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    assert "a.zip cannot be read as an archive" in error_of(path)
    locked = whole.replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"
    )
    path.write_bytes(locked)
    assert "is locked with a password" in error_of(path)


def test_a_member_that_is_broken_is_set_aside(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {**GOOD, "ham/é.txt": "hello"})
    whole = path.read_bytes()
    path.write_bytes(whole.replace("é".encode(), b"\xff\xff", 1))  # where the file itself begins
    (row,) = read_table(path, AUTO).set_aside
    assert (row.content, row.reason) == (
        "ham/é.txt",
        "a file that cannot be read (it cannot be unpacked)",
    )


def test_mutated_archives_end_in_our_errors_or_rows(tmp_path: Path) -> None:
    generator = random.Random(7)
    path = zip_of(tmp_path / "a.zip", GOOD)
    whole = path.read_bytes()
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(generator.randint(1, 8)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        path.write_bytes(data[: generator.choice([len(data), generator.randrange(len(data))])])
        with suppress(HeadtuneError):
            read_parts(path, AUTO)


def test_made_up_folders_end_in_our_errors_or_rows(tmp_path: Path) -> None:
    generator = random.Random(11)
    words = ["train", "test", "ham", "spam", "labels", "text", "a.csv", "1.txt", "b.json", "x"]
    contents: list[bytes | str] = [
        "",
        "a\nb\n",
        f"{CSV}a,b\n",
        '{"text": "a"}',
        b"\xff\xfe",
        b"\0" * 50,
    ]
    for i in range(100):
        folder = tmp_path / str(i)
        folder.mkdir()
        for _ in range(generator.randint(0, 6)):
            name = "/".join(generator.choices(words, k=generator.randint(1, 3)))
            with suppress(OSError):  # a folder has that name
                written(folder, {name: generator.choice(contents)})
        with suppress(HeadtuneError):
            read_parts(folder, AUTO)
