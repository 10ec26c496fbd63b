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


@pytest.mark.parametrize("form", FORMS)
def test_changed_bytes_end_in_our_error_or_a_table(form: str, tmp_path: Path) -> None:
    rng = random.Random(form)
    for _ in range(60):
        path = tmp_path / f"a{rng.choice(['.csv', '.tsv', '.txt', ''])}"
        path.write_bytes(changed(FORMS[form].encode(), rng))
        try:
            table = read_table(path, DataConfig())
        except HeadtuneError as error:
            assert "\n" not in str(error)
        else:
            n_rows = len(table) + len(table.set_aside)
            assert n_rows <= path.read_bytes().count(b"\n") + path.read_bytes().count(b"\r") + 1


@pytest.mark.parametrize(
    "line", ["'a,b\n", '"a,b\n', '"a\\",b\n', "a\\,b\\\n", "#a,b\nx,y\n", "text,label\n", ",,,\n"]
)
def test_time_grows_with_the_size(line: str, tmp_path: Path) -> None:
    """Whatever stray quotes and escapes there are: four times the lines take no eight times."""
    seconds = []
    for n in (500, 2_000):
        path = tmp_path / "a.csv"
        path.write_text(line * n)
        start = time.process_time()
        read_table(path, DataConfig(skip_lines=0, header="no"))
        seconds.append(time.process_time() - start)
    assert seconds[1] < 8 * seconds[0] + 0.2
