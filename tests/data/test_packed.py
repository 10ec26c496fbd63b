"""What is packed is read as what it holds, in bounded memory; what is no table is called so."""

import bz2
import gzip
import io
import lzma
import resource
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from refusals import error_of
from table_forms import packed_by_arrow, tarred, zipped

from headtune.data import iter_tables, read_table
from headtune.errors import ConfigError, DataNotFoundError
from headtune.options import DataConfig

AUTO = DataConfig()
CSV = b"text,label\n" + b"".join(b"number %d,%d\n" % (i, i % 2) for i in range(300))
LONG = CSV + CSV.removeprefix(b"text,label\n") * 19
TEXTS = [f"number {i}" for i in range(300)]
JSONL = b"".join(b'{"text": "number %d", "label": %d}\n' % (i, i % 2) for i in range(300))


def locked(data: bytes) -> bytes:
    """An archive that says of its one file that it has a password."""
    packed = bytearray(zipped(data))
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": packed_by_arrow("zstd"),
    "lz4": packed_by_arrow("lz4"),
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda data: gzip.compress(tarred(data)),
}


def texts_of(source: object, config: DataConfig = AUTO) -> list[str]:
    table = read_table(source, config)
    assert table.rows.tolist() == list(range(1, len(table) + 1))
    chunks = list(iter_tables(source, config, rows_per_chunk=70)) if source != "-" else [table]
    texts = [text for chunk in chunks for text in chunk.columns["text"].to_pylist()]
    assert table.columns["text"].to_pylist() == texts
    return texts


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("named", ["a.csv.{}", "a.{}", "a", "a.csv"])
def test_a_packed_table_whatever_its_name(tmp_path: Path, ending: str, named: str) -> None:
    path = tmp_path / named.format(ending)
    path.write_bytes(PACKERS[ending](CSV))
    assert texts_of(path) == TEXTS
    (note, *others) = read_table(path, AUTO).notes
    assert note.startswith(("packed with ", "messages.csv in an archive"))
    assert "comma-separated" in others


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst", "lz4"])
def test_the_inner_ending_decides_and_parts_may_follow_each_other(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"a.jsonl.{ending}"
    middle = JSONL.index(b"\n", 5_000) + 1
    path.write_bytes(PACKERS[ending](JSONL[:middle]) + PACKERS[ending](JSONL[middle:]))
    assert texts_of(path) == TEXTS


@pytest.mark.parametrize("ending", PACKERS)
def test_packed_parquet(tmp_path: Path, ending: str) -> None:
    pq.write_table(pa.table({"text": TEXTS, "label": [0, 1] * 150}), tmp_path / "x")
    path = tmp_path / f"a.parquet.{ending}"
    path.write_bytes(PACKERS[ending]((tmp_path / "x").read_bytes()))
    if ending in ("zip", "tar", "tar.gz"):  # whose member is called messages.csv
        assert "it is a Parquet file. Let its name end in .parquet." in error_of(path)
    else:
        assert texts_of(path) == TEXTS


@pytest.mark.parametrize("ending", PACKERS)
def test_standard_input(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    class Pipe(io.RawIOBase):
        """Hands out a few bytes a call, and cannot go back."""

        def __init__(self) -> None:
            self.bytes = io.BytesIO(PACKERS[ending](CSV))

        def readable(self) -> bool:
            return True

        def read(self, size: int | None = -1, /) -> bytes:
            return self.bytes.read(min(1_000 if size in (None, -1) else size or 0, 1_000))

    class Input:
        buffer = Pipe()

    monkeypatch.setattr(sys, "stdin", Input())
    assert texts_of("-") == TEXTS


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("share", [0.3, 0.99])
def test_what_is_cut_short_is_one_line(tmp_path: Path, ending: str, share: float) -> None:
    path = tmp_path / f"a.csv.{ending}"
    data = PACKERS[ending](LONG)
    path.write_bytes(data[: int(len(data) * share)])
    if ending == "tar" and share == 0.99:  # the padding at its end
        assert len(texts_of(path)) == 20 * len(TEXTS)
        return
    message = error_of(path)
    assert "cut short" in message
    assert message.startswith("a.csv.")


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zip"])  # zstd has no sum to check
def test_a_byte_that_is_wrong_is_one_line(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.csv.{ending}"
    data = bytearray(PACKERS[ending](LONG))
    data[len(data) // 2] ^= 0x55
    path.write_bytes(data)
    assert "a.csv" in error_of(path)


# Archives


def test_one_table_beside_other_files(tmp_path: Path) -> None:
    names = ("README.txt", "data/", "__MACOSX/._a.csv", ".hidden/b.csv", "data/.c.csv", "LICENSE")
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(CSV, *names, "data/messages.csv", "picture.png"))
    assert texts_of(path) == TEXTS
    assert read_table(path, AUTO).name == "a.zip::data/messages.csv"


def test_a_file_without_an_ending_beside_its_description(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(CSV, "SMSSpamCollection", "readme"))
    assert texts_of(path) == TEXTS


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_several_tables_are_named(tmp_path: Path, pack: Callable[..., bytes]) -> None:
    path = tmp_path / "a.packed"
    path.write_bytes(pack(CSV, "one.csv", "two.jsonl.gz", "three.parquet", "b/ook.xlsx"))
    message = error_of(path)
    assert "holds 4 files that may be the table: one.csv, two.jsonl.gz, three.parquet" in message
    assert message.endswith("Name one of them: a.packed::one.csv")
    assert texts_of(f"{path}::one.csv") == TEXTS
    assert "There is no 'four.csv' in a.packed; it holds one.csv" in error_of(f"{path}::four.csv")


def test_an_address_in_a_layer_below(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(tarred(zipped(CSV, "x.csv", "y.csv"), "in.zip", "other.csv")))
    assert texts_of(f"{path}::in.zip::y.csv") == TEXTS


def test_a_file_whose_own_name_holds_colons(tmp_path: Path) -> None:
    (tmp_path / "a::b.csv").write_bytes(CSV)
    assert texts_of(tmp_path / "a::b.csv") == TEXTS
    assert "no part of it. Leave out ::c" in error_of(f"{tmp_path}/a::b.csv::c")


def test_a_missing_file_with_an_address(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=r"There is no file .*none\.xlsx"):
        read_table(f"{tmp_path}/none.xlsx::Sheet1", AUTO)
    with pytest.raises(DataNotFoundError, match=r"There is no file none\.xlsx"):
        read_table("none.xlsx::SELECT " + "x, " * 500, AUTO)


def test_a_password_and_an_empty_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(locked(CSV))
    assert "a.zip::messages.csv needs a password" in error_of(path)
    path.write_bytes(zipped(b"", "folder/"))
    assert "a.zip holds no file" in error_of(path)


def test_links_and_devices_are_no_members(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (("link.csv", tarfile.SYMTYPE), ("device.csv", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert "a.tar holds no file" in error_of(path)


# Bounds


def bomb(ending: str) -> bytes:
    """70 MB of a table that pack to nothing, a megabyte at a time."""
    megabyte = b"aaaa,b\n" * 150_000
    if ending == "zip":
        return zipped(megabyte * 70)
    return PACKERS[ending](megabyte) * 70


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst", "zip"])
def test_bombs_are_refused_before_they_are_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.csv.{ending}"
    path.write_bytes(bomb(ending))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = error_of(path)
    assert "unpacks to more than 200 times its size" in message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250_000  # kB


def test_a_bomb_within_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(bomb("gz")))
    assert "unpacks to more than 200 times its size" in error_of(path)
    packed = CSV
    for _ in range(5):
        packed = gzip.compress(packed, mtime=0)
    path.write_bytes(packed)
    assert "is packed more than 4 times" in error_of(path)


@pytest.mark.parametrize("ending", PACKERS)
def test_what_may_be_unpacked_is_bounded(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.csv.{ending}"
    path.write_bytes(PACKERS[ending](CSV))
    message = error_of(path, DataConfig(max_unpacked="2kB"))
    assert "unpacks to more than 2.0 kB" in message
    assert message.endswith('If it is a table that you trust: max_unpacked="100GB"')
    assert texts_of(path, DataConfig(max_unpacked=20_000)) == TEXTS


def test_a_zip_that_lies_about_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    data = bytearray(zipped(CSV))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(mark) + place
        data[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    assert "unpacks to more than 2.0 kB" in error_of(path, DataConfig(max_unpacked="2kB"))


def test_xz_that_asks_for_memory(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 29}]
    (tmp_path / "a.csv.xz").write_bytes(lzma.compress(CSV, filters=filters))
    assert "emory usage limit" in error_of(tmp_path / "a.csv.xz")


@pytest.mark.parametrize("given", ["much", "-1", "10 parsecs"])
def test_a_bound_that_is_none(given: str) -> None:
    with pytest.raises(ConfigError, match="max_unpacked= takes bytes or a size such as 20GB"):
        DataConfig(max_unpacked=given)


# What is not read


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"%PDF-1.7\n", "it is a PDF"),
        (b"\x80\x04\x95\x10\0\0\0\0\0\0\0", "a Python pickle. Pickles are never read."),
        (b"\x80\x02}q\0", "a Python pickle"),
        (gzip.compress(b"X\n\0\0\0\x03\0\4\2\0\0\3\5\0", mtime=0), "data of R. In R: write.csv"),
        (b'<?xml version="1.0"?><rows/>', "it is XML. In pandas: pandas.read_xml"),
        (gzip.compress(b"RDX3\nX\n\0\0\0\x03", mtime=0), "data of R"),
        (b"$FL2@(#) SPSS DATA FILE\0\1", "data of SPSS. Save as CSV or .xlsx there."),
        (b"<stata_dta><header>", "data of Stata"),
        (b"\x72\x02\x01\0\5\0", "data of Stata"),
        (b"\x89HDF\r\n\x1a\n\0\0", "an HDF5 file"),
        (b"\x93NUMPY\1\0v\0", "an array of NumPy"),
        (b"ORC\n\x0b\0\0\0", "an ORC file. Write its table as Parquet or CSV."),
        (b"Obj\x01\4\x14avro.codec", "an Avro file"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive"),
        (b"Rar!\x1a\x07\1\0", "a RAR archive"),
        (b"\0\1\0\0Standard ACE DB\0", "an Access database"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (zipped(b"<xml/>", "word/document.xml"), "it is a Word document"),
        (zipped(b"\x93NUMPY", "arr_0.npy"), "holds arrays of NumPy"),
        (zipped(b"\x80\x02", "model/data.pkl"), "holds a Python pickle, which is never read"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.bin", "a.csv"])
def test_other_formats_name_the_way_out(
    tmp_path: Path, content: bytes, expected: str, name: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert expected in error_of(tmp_path / name)


@pytest.mark.parametrize("word", ["ORC", "PAR1", "Obj", "GIF", "PK", "BZh", "FEA1", "DUCK", "7z"])
def test_a_table_may_begin_with_such_a_word(tmp_path: Path, word: str) -> None:
    (tmp_path / "a.csv").write_text(f"{word},text\n" + "x1,number 1\n" * 20)
    assert len(texts_of(tmp_path / "a.csv")) == 20
