"""Delimited files with bytes changed end in our own error, in one line, or in a table."""

import random
import time
from pathlib import Path

import pytest
from made_delimited import joined, plain_rows, quoted_rows

from headtune.data import read_table
from headtune.errors import HeadtuneError
from headtune.options import DataConfig

ROWS = plain_rows()
HEADER = [("text", "label")]


def escaped(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


FORMS = {
    "escaped quotes": "".join(f"{escaped(text)},{label}\n" for text, label in quoted_rows()),
    "single quotes": "".join(f"'{text}';{label}\n" for text, label in ROWS),
    "long delimiter": joined(HEADER + ROWS, "_!_"),
    "titles": "Export,\n,\n" + joined(HEADER + ROWS, ","),
    "comments": f"# a\n{joined(HEADER + ROWS[:12], ',')}# b, c\n{joined(ROWS[12:], ',')}",
    "joined": joined(HEADER + ROWS[:12] + HEADER + ROWS[12:], ","),
    "trailing": joined([(*row, "") for row in HEADER + ROWS], ","),
    "fasttext": "".join(f"__label__{label} {text}\n" for text, label in ROWS),
    "arff": "@relation x\n@attribute a string\n@attribute b {ham,spam}\n@data\n"
    + "".join(f"'{text}\\'s',{label}\n" for text, label in ROWS),
}
PIECES = [
    b'"', b"'", b"\\", b",", b";", b"|", b"\t", b"\n", b"\r", b"#", b" ", b"%", b"__label__",
    b"@data", b"\xef\xbb\xbf", b"{", b"_!_", b"\0", b"\xff", b"sep=;\n", b"text,label\n",
]  # fmt: skip


def changed(content: bytes, rng: random.Random) -> bytes:
    """Some pieces put in, cut out or copied; a file cut short, at times."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 2, 5, 20])):
        at, other = rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0:
                data[at:at] = rng.choice(PIECES) * rng.choice([1, 1, 2, 50])
            case 1:
                del data[at : at + rng.randrange(1, 9)]
            case 2:
                data[at : at + 1] = rng.randbytes(1)
            case 3:
                data[at:at] = data[other : other + rng.randrange(1, 200)]
            case _:
                data = data[:at] if rng.randrange(8) == 0 and at else data
    return bytes(data)


def said_of(path: Path) -> str | None:
    """The error that reading a file ends in, or None, where it has no more rows than lines."""
    try:
        table = read_table(path, DataConfig())
    except HeadtuneError as error:
        return str(error)
    data = path.read_bytes()
    assert len(table) + len(table.set_aside) <= data.count(b"\n") + data.count(b"\r") + 1
    return None


def test_names_of_several_lines_are_said_in_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('text,"two\nlines"\n')
    assert "(text, two lines)" in (said_of(path) or "")


@pytest.mark.parametrize("form", FORMS)
def test_changed_bytes_end_in_our_error_or_a_table(form: str, tmp_path: Path) -> None:
    rng = random.Random(form)
    for _ in range(60):
        path = tmp_path / f"a{rng.choice(['.csv', '.tsv', '.txt', ''])}"
        path.write_bytes(changed(FORMS[form].encode(), rng))
        said = said_of(path)
        assert said is None or "\n" not in said


@pytest.mark.parametrize("line", ["'a,b\n", '"a,b\n', '"a\\",b\n', "a\\,b\\\n"])
def test_time_grows_with_the_size_alone(line: str, tmp_path: Path) -> None:
    """Whatever stray quotes and escapes there are; with its square, the last takes 8 s."""
    path = tmp_path / "a.csv"
    path.write_text(line * 3_000)
    start = time.process_time()
    read_table(path, DataConfig(skip_lines=0, header="no"))
    assert time.process_time() - start < 4
