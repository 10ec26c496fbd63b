"""From the name of a table to its bytes: files, standard input and the built-in samples.

A name is looked at in this order: ``-``, a built-in sample, a file, a hub id. The first bytes of
a file are looked at before anything is parsed, so that a workbook, an archive or a picture ends in
one line that says what it is. A known suffix decides how a file is read; without one its content
does.

Guarantees: a file is opened once and never read whole here (standard input can only be read once).
"""

import codecs
import difflib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from headtune.data.reading.opening.encodings import encoding_of
from headtune.errors import DataError, DataNotFoundError, option

__all__ = ["SAMPLES", "ByteSource", "Kind", "is_hub_id", "kind_of", "open_bytes"]

SAMPLES = {"sms-spam": "sms_spam.tsv"}
"""Built-in name -> file in the samples folder."""

HEAD_BYTES = 256 * 1024
"""How much of a file is looked at to find its format."""

BLOCK_BYTES = 1024 * 1024


class Kind(StrEnum):
    """How the bytes of a table are read."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


SUFFIXES = {
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".tab": Kind.CSV,
    ".txt": Kind.CSV,
    ".json": Kind.JSON,
    ".jsonl": Kind.JSONL,
    ".ndjson": Kind.JSONL,
    ".parquet": Kind.PARQUET,
}

SIGNATURES = (
    (b"PK\x03\x04", "a zip archive (Excel workbooks are such)", "Save its table as CSV."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save its table as CSV."),
    (b"\x1f\x8b", "gzip-compressed", "Unpack it first: gunzip"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", "Unpack it first: unzstd"),
    (b"BZh", "bzip2-compressed", "Unpack it first: bunzip2"),
    (b"\xfd7zXZ", "xz-compressed", "Unpack it first: unxz"),
    (b"PAR1", "a Parquet file", "Let its name end in .parquet."),
    (b"ARROW1", "an Arrow file", "Write it as Parquet or CSV."),
    (b"SQLite format 3", "an SQLite database", "Write its table as CSV."),
    (b"%PDF", "a PDF", "Give the table it was made from."),
    (b"\x89PNG", "a picture", "Give a table of texts and labels."),
    (b"\xff\xd8\xff", "a picture", "Give a table of texts and labels."),
    (b"GGUF", "a model (GGUF)", f"It belongs to {option('model')}."),
    (b"\x80\x04\x95", "a Python pickle", "Pickles are never read; write it as Parquet or CSV."),
)
"""First bytes -> what the file looks like, and the way out."""


@dataclass(frozen=True, slots=True)
class ByteSource:
    """An open file: its first bytes, and the rest still to be read."""

    name: str
    suffix: str
    head: bytes
    file: BinaryIO
    path: Path | None

    @property
    def is_whole(self) -> bool:
        """Whether the head is all there is."""
        return len(self.head) < HEAD_BYTES

    def blocks(self) -> Iterator[bytes]:
        """All bytes, the head first. Can be asked for once."""
        return chain([self.head], iter(lambda: self.file.read(BLOCK_BYTES), b""))


def is_hub_id(source: str) -> bool:
    """Whether a name that is no file can be a hub data set: owner/name[:configuration][@split]."""
    owner, _, name = source.partition("/")
    looks = re.fullmatch(r"\w[\w.-]*/[\w.-]+(:[^@/]+)?(@[\w.-]+)?", source) is not None
    return looks and not Path(owner).is_dir() and Path(name).suffix.lower() not in SUFFIXES


@contextmanager
def open_bytes(source: str) -> Iterator[ByteSource]:
    """Open a file, a sample or standard input.

    Raises ``DataNotFoundError`` when there is none and ``DataError`` when it is empty or a folder.
    """
    if source == "-":
        yield _with_head("standard input", None, sys.stdin.buffer)
        return
    if source in SAMPLES:
        sample = resources.files("headtune.data") / "samples" / SAMPLES[source]
        with resources.as_file(sample) as path, path.open("rb") as file:
            yield _with_head(source, path, file)
        return
    path = _existing(Path(source).expanduser())
    try:
        file = path.open("rb")
    except PermissionError:
        raise DataError(f"{path} may not be read.", way_out="Check its permissions.") from None
    with file:
        yield _with_head(path.name, path, file)


def _with_head(name: str, path: Path | None, file: BinaryIO) -> ByteSource:
    head = b""
    while len(head) < HEAD_BYTES and (more := file.read(HEAD_BYTES - len(head))):
        head += more
    if not head.strip(b" \t\r\n" + codecs.BOM_UTF8):
        raise DataError(
            f"{name} is empty: expected a table with texts, received {len(head)} bytes.",
            way_out="Check the command that wrote it.",
        )
    return ByteSource(name, path.suffix.lower() if path else "", head, file, path)


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    if path.is_dir():
        tables = sorted(p.name for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        way_out = (
            f"Name one of its tables: {', '.join(tables[:10])}."
            if tables
            else f"It holds no table ({', '.join(SUFFIXES)})."
        )
        raise DataError(f"{path} is a folder; expected a file.", way_out=way_out)
    if path.exists():  # a pipe or a device: readable, once
        return path
    raise _not_found(path)


def _not_found(path: Path) -> DataNotFoundError:
    if not path.parent.is_dir():
        return DataNotFoundError(
            f"There is no file {path}: the folder {path.parent} does not exist.",
            way_out="Check the path.",
        )
    return DataNotFoundError(f"There is no file {path}.", way_out=_like(path))


def _like(path: Path) -> str:
    """Which file of the folder, or what else, may have been meant."""
    names = [p.name for p in path.parent.iterdir() if p.is_file()]
    lowered = {name.lower(): name for name in names}
    near = difflib.get_close_matches(path.name.lower(), lowered, n=3, cutoff=0.6)
    near += [n for n in lowered if Path(n).stem == path.stem.lower() and n not in near]
    if near:
        return f"Did you mean {', '.join(lowered[n] for n in near[:3])}?"
    others = "" if path.suffix else " A hub data set is named owner/name; built in: sms-spam."
    return f"Check the path.{others}"


def kind_of(source: ByteSource, encoding: str) -> Kind:
    """How to read it: by its suffix, else by its content.

    Raises ``DataError`` on content that is no table, and what ``encoding_of`` raises.
    """
    known = SUFFIXES.get(source.suffix)
    if source.head.startswith(b"PAR1") and known in (Kind.PARQUET, None):
        return Kind.PARQUET
    _refuse_binary(source, encoding)
    if known is Kind.PARQUET:
        raise DataError(
            f"{source.name} is not a Parquet file, though its name says so; it looks like text.",
            way_out="Let its name end in .csv, .json or .jsonl.",
        )
    if known is None or known is Kind.JSON:
        found = encoding_of(source.head, encoding, source.name).name
        return _text_kind(source.head.decode(found, "ignore").encode("utf-8", "ignore"), known)
    return known


def _text_kind(head: bytes, known: Kind | None) -> Kind:
    """JSON begins with a bracket; it is JSON Lines when its first line closes what it opened."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    first, _, others = start.partition(b"\n")
    if start.startswith(b"{"):
        is_line = first.rstrip().endswith(b"}") and others.lstrip().startswith(b"{")
        return Kind.JSONL if is_line or (known is None and not others.strip()) else Kind.JSON
    return Kind.JSON if known is Kind.JSON or re.match(rb"\[\s*[{\]]", start) else Kind.CSV


def _refuse_binary(source: ByteSource, encoding: str) -> None:
    head, name = source.head, source.name
    for signature, looks_like, way_out in SIGNATURES:
        if head.startswith(signature):
            packed = f" {name}" if source.path else " -c FILE | headtune … -"
            command = packed if way_out.startswith("Unpack") else ""
            raise DataError(
                f"{name} is not a table that can be read: it is {looks_like}.",
                way_out=f"{way_out}{command}",
            )
    if re.match(rb"\s*<(!doctype html|html)", head[:200], re.IGNORECASE):
        raise DataError(
            f"{name} is a web page, not a table.", way_out="Download the file that it links to."
        )
    if not encoding_of(head, encoding, name).name.startswith(("utf-16", "utf-32")):
        _refuse_control_bytes(name, head)


def _refuse_control_bytes(name: str, head: bytes) -> None:
    """A single NUL breaks a row; every twentieth byte of that kind is no text at all."""
    n_control = len(head) - len(head.translate(None, bytes([*range(9), *range(14, 32)])))
    if n_control < 8 or n_control * 20 < len(head):
        return
    raise DataError(
        f"{name} is a binary file, not a table: {n_control:,} of its first {len(head):,} bytes "
        "are control characters.",
        way_out="Expected CSV, TSV, JSON, JSONL or Parquet.",
    )
