"""Files of which some bytes are wrong end in an error of ours, or are read: nothing else."""

import io
import random
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import pytest
from table_forms import FORMS, tarred

from headtune.data import read_table
from headtune.errors import DataError
from headtune.options import DataConfig

AUTO = DataConfig()
TEXTS = [f"number {i} of {i % 7} é" for i in range(40)]
LABELS = ["ham", "spam"] * 20


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, put in, taken out or repeated; or the end cut off."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        at, length = rng.randrange(len(changed)), rng.choice([1, 1, 2, 4, 50])
        how = rng.randrange(6)
        if how == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            changed[at : at + length] = rng.randbytes(length)
        elif how == 2:
            changed[at:at] = rng.randbytes(length)
        elif how == 3 and len(changed) > length + 10:
            del changed[at : at + length]
        elif how == 4:
            changed[at : at + length] = rng.choice([b"\0", b"\xff", b"\x7f"]) * length
        elif rng.random() < 0.2:
            del changed[max(at, 10) :]
    return bytes(changed)


def within(data: bytes, rng: random.Random) -> bytes:
    """A zip archive of which one file is mutated, and the sums made right again."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    victim = rng.choice([name for name, content in parts.items() if content])
    parts[victim] = mutated(parts[victim], rng)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


Case: TypeAlias = tuple[bytes, Callable[[bytes, random.Random], bytes], int]

PACKED: dict[str, Case] = {
    name: (FORMS[name](TEXTS, LABELS), mutated, 100)
    for name in (
        "a.csv.gz", "a.csv.bz2", "a.jsonl.xz", "a.jsonl.zst", "a.csv.lz4", "a.zip", "a.arrow",
        "stream.arrow", "a.sqlite",
    )
}  # fmt: skip

CASES: dict[str, Case] = {
    **PACKED,
    "a.tar": (tarred(FORMS["a.csv"](TEXTS, LABELS)), mutated, 100),
    "a.xls": (FORMS["a.xls"](TEXTS, LABELS), mutated, 12),
    "a.xlsx": (FORMS["a.xlsx"](TEXTS, LABELS), within, 12),
    "a.ods": (FORMS["a.ods"](TEXTS, LABELS), within, 12),
}  # fmt: skip
"""File -> its bytes, what changes them, and how many are tried here."""


@pytest.mark.parametrize("form", CASES)
def test_changed_bytes_end_in_our_error_or_a_table(tmp_path: Path, form: str) -> None:
    data, change, n_tried = CASES[form]
    rng, path = random.Random(form), tmp_path / form
    for number in range(n_tried):
        path.write_bytes(change(data, rng))
        began = time.monotonic()
        with suppress(DataError):
            read_table(path, AUTO)
        assert time.monotonic() - began < 10, f"{form} {number}"  # alone, none takes 2 s
