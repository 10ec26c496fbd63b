"""From the name of a table to its bytes: files, standard input and the built-in samples.

A name is looked at in this order: ``-``, a built-in sample, a file, a hub id; what follows ``::``
says what of a file is meant (addresses.py). What is packed is unpacked (unpack.py). The first bytes
of a file are looked at before anything is parsed, so that a picture or a pickle ends in one line
that says what it is (refused.py). Workbooks, databases and Arrow files are told by these bytes,
whatever their name; else a known suffix decides how a file is read, and without one its content.

Guarantees: a file is opened once and never read whole here (standard input can only be read once).
"""

import codecs
import difflib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import StrEnum
from importlib import resources
from pathlib import Path

from headtune.data.reading.opening.byte_source import MOST_BYTES, ByteSource, with_head
from headtune.data.reading.opening.encodings import encoding_of
from headtune.data.reading.opening.packing import PACKED_SUFFIXES, inner_suffix
from headtune.data.reading.opening.refused import refuse_other_formats
from headtune.data.reading.opening.unpack import fully_unpacked
from headtune.errors import DataError, DataNotFoundError
from headtune.files.addresses import split_address

__all__ = [
    "SAMPLES",
    "ByteSource",
    "Kind",
    "check_inside",
    "is_hub_id",
    "kind_of",
    "lies_on_disk",
    "noted",
    "open_bytes",
]

SAMPLES = {"sms-spam": "sms_spam.tsv"}
"""Built-in name -> file in the samples folder."""


class Kind(StrEnum):
    """How the bytes of a table are read."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"
    ARROW = "arrow"
    WORKBOOK = "workbook"
    SQLITE = "sqlite"


SUFFIXES = {
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".tab": Kind.CSV,
    ".txt": Kind.CSV,
    ".arff": Kind.CSV,
    ".json": Kind.JSON,
    ".jsonl": Kind.JSONL,
    ".ndjson": Kind.JSONL,
    ".parquet": Kind.PARQUET,
}
"""Ending -> how the file is read."""

BY_CONTENT = (
    ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".db", ".sqlite", ".sqlite3", ".arrow", ".feather",
    ".ipc",
)  # fmt: skip
"""Endings of tables whose first bytes decide how they are read."""

ENDINGS = (*SUFFIXES, *BY_CONTENT)
"""Of all tables, as they are before they are packed."""

ON_DISK = (Kind.PARQUET, Kind.ARROW, Kind.WORKBOOK, Kind.SQLITE)

BINARY = (
    (re.compile(rb"SQLite format 3\0"), Kind.SQLITE),
    (re.compile(rb"ARROW1\0\0|FEA1\0\0\0\0|\xff{4}.{3}\0.\0\0\0", re.DOTALL), Kind.ARROW),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|PK\x03\x04"), Kind.WORKBOOK),
)
"""First bytes -> how a file is read whatever its name. A zip archive is unpacked by then, or is a
workbook."""


def is_hub_id(source: str) -> bool:
    """Whether a name that is no file can be a hub data set: owner/name[:configuration][@split]."""
    owner, _, name = source.partition("/")
    looks = re.fullmatch(r"\w[\w.-]*/[\w.-]+(:[^:@/]+)?(@[\w.-]+)?", source) is not None
    endings = (*ENDINGS, *PACKED_SUFFIXES, ".zip", ".tar")
    return looks and not Path(owner).is_dir() and not name.lower().endswith(endings)


@contextmanager
def open_bytes(source: str, most_bytes: int = MOST_BYTES) -> Iterator[ByteSource]:
    """Open a file, a sample or standard input; what is packed is unpacked.

    ``most_bytes`` is what an archive may unpack to. Raises ``DataNotFoundError`` when there is
    none and ``DataError`` when it is empty, a folder, or an archive that cannot be read.
    """
    name, inside = split_address(source)
    with ExitStack() as stack:
        file = replace(_opened(name, stack), inside=inside, most_bytes=most_bytes)
        yield fully_unpacked(file, ENDINGS, stack)


def _opened(source: str, stack: ExitStack) -> ByteSource:
    if source == "-":
        return with_head("standard input", "", sys.stdin.buffer, None)
    if source in SAMPLES:
        sample = resources.files("headtune.data") / "samples" / SAMPLES[source]
        path, name = stack.enter_context(resources.as_file(sample)), source
    else:
        path = _existing(Path(source).expanduser())
        name = path.name
    try:
        file = stack.enter_context(path.open("rb"))
    except PermissionError:
        raise DataError(f"{path} may not be read.", way_out="Check its permissions.") from None
    return with_head(name, inner_suffix(path.name), file, path)


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    if path.is_dir():
        tables = sorted(p.name for p in path.iterdir() if inner_suffix(p.name) in ENDINGS)
        way_out = (
            f"Name one of its tables: {', '.join(tables[:10])}."
            if tables
            else f"It holds no table ({', '.join(ENDINGS)})."
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
    for first, kind in BINARY:
        if first.match(source.head):
            return kind
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


def lies_on_disk(file: ByteSource, kind: Kind) -> bool:
    """Whether its reader looks here and there in it, and needs a path."""
    streams = file.head.startswith(b"\xff")
    return kind in ON_DISK and not (kind is Kind.ARROW and streams)


def noted(file: ByteSource, kind: Kind) -> ByteSource:
    """With a note where the content is not what the name says."""
    if file.suffix not in BY_CONTENT or kind not in SUFFIXES.values():
        return file
    return replace(file, notes=(*file.notes, f"text, though its name ends in {file.suffix}"))


def check_inside(file: ByteSource, kind: Kind) -> None:
    """Raises ``DataError`` where ``::`` names a part of what is one table."""
    if file.inside is not None and kind not in (Kind.WORKBOOK, Kind.SQLITE):
        raise DataError(
            f"{file.name} is one table ({kind}), and {file.inside[:80]!r} no part of it.",
            way_out=f"Leave out ::{file.inside[:80]}",
        )


def _text_kind(head: bytes, known: Kind | None) -> Kind:
    """JSON begins with a bracket; it is JSON Lines when its first line closes what it opened."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    first, _, others = start.partition(b"\n")
    if start.startswith(b"{"):
        is_line = first.rstrip().endswith(b"}") and others.lstrip().startswith(b"{")
        return Kind.JSONL if is_line or (known is None and not others.strip()) else Kind.JSON
    if known is None and others.strip() and _is_json_array(first):
        return Kind.JSONL  # of arrays
    is_array = re.match(rb"\[\s*([{\]]|\[\s*[\"\d\[])", start)
    return Kind.JSON if known is Kind.JSON or is_array else Kind.CSV


def _is_json_array(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), list) and line.lstrip().startswith(b'["')
    except (ValueError, RecursionError):
        return False


def _refuse_binary(source: ByteSource, encoding: str) -> None:
    head, name = source.head, source.name
    refuse_other_formats(head, name)
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
        way_out="Expected CSV, JSON, Parquet, Arrow, a workbook or an SQLite database.",
    )
