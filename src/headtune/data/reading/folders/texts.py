"""A file a text: the files of a plan to tables, each with its label and the name of its file.

A text is a file as it is, with its line ends; a byte order mark is followed and dropped. Columns
are ``text``, ``label`` (where the folder says one), ``folder1`` and so on (where folders are in
folders), and ``file``. A row has the number of its place among the files.

Guarantees: a file that cannot be opened, is binary, larger than ``MOST_BYTES`` or not in the
encoding is set aside under its number, with its name; where many are not in the encoding, as a
look at some hundred of them shows, that is an error. Costs: memory for one chunk of texts.
"""

import codecs
from collections.abc import Iterator, Sequence

import pyarrow as pa

from headtune.data.reading.folders.files import Folder, shown
from headtune.data.reading.folders.plans import Texts
from headtune.data.reading.opening.decode import way_out_of
from headtune.data.reading.opening.encodings import BYTE_ORDER_MARKS, unmarked_encoding
from headtune.data.reading.opening.refused import other_form
from headtune.data.reading.table import Broken, Table, numbered_chunks
from headtune.errors import DataError, EncodingError

__all__ = ["text_tables"]

MOST_BYTES = 64 * 1024 * 1024
"""Of one text."""

CHUNK_BYTES = 64 * 1024 * 1024
"""A streamed chunk ends with the file that reaches it."""

HEAD_BYTES = 64 * 1024
CONTROL = bytes([*range(9), *range(14, 27), *range(28, 32)])
"""Characters of control but line ends, form feeds and escapes."""

LOOKED_AT = 200
"""Files that are tried before all others."""

MOST_MISREAD = 0.1
"""Of these; more than that, and more than three, and it is the encoding that is wrong."""

LEAST_TO_TELL = 32
"""Bytes of a text from which on zeros tell that it is UTF-16."""

Record = tuple[str | None, ...]
"""The text, the label if there is one, each folder if there are several, the file."""


def text_tables(
    folder: Folder, plan: Texts, encoding: str, rows_per_chunk: int | None
) -> Iterator[Table]:
    """The texts as tables. Raises ``EncodingError``, and ``DataError`` where none can be read."""
    _check_encoding_of_most(folder, plan.files, encoding)
    names = _column_names(plan)
    n_good, first_broken = 0, None
    for start, end in _batches(folder, plan.files, rows_per_chunk):
        records = (_record(folder, plan, i, encoding) for i in range(start, end))
        for found, rows, broken in numbered_chunks(records, None):
            table = pa.table(
                {n: pa.array([r[i] for r in found], pa.large_string()) for i, n in enumerate(names)}
            )
            made = frozenset(names[1:]) - {"label"}
            yield Table(table, folder.name, rows, broken, derived=made).shifted(start)
            n_good, first_broken = n_good + len(found), first_broken or next(iter(broken), None)
    if not n_good and first_broken is not None:
        raise DataError(
            f"None of the {len(plan.files):,} files of {folder.name} is a text that can be read; "
            f"the first is {first_broken.content} ({first_broken.reason}).",
            way_out="Expected a text in each file, or tables.",
        )


def _batches(
    folder: Folder, files: Sequence[str], rows_per_chunk: int | None
) -> Iterator[tuple[int, int]]:
    """Where chunks begin and end: so many files, or so many bytes. One for all where None."""
    if rows_per_chunk is None:
        yield 0, len(files)
        return
    start = n_bytes = 0
    for i, name in enumerate(files):
        n_bytes += min(folder.size(name), MOST_BYTES)
        if i + 1 - start >= rows_per_chunk or n_bytes >= CHUNK_BYTES:
            yield start, i + 1
            start, n_bytes = i + 1, 0
    if start < len(files):
        yield start, len(files)


def _column_names(plan: Texts) -> list[str]:
    depth = max(map(len, plan.levels), default=0)
    folders = [f"folder{i + 1}" for i in range(depth)]
    return ["text", *(["label"] if plan.labels else []), *folders, "file"]


def _record(folder: Folder, plan: Texts, position: int, encoding: str) -> Record | Broken:
    name = plan.files[position]
    found = _text(folder, name, encoding)
    if isinstance(found, Broken):
        return found
    depth = max(map(len, plan.levels), default=0)
    above = [shown(each) for each in plan.levels[position]] if plan.levels else []
    label = plan.labels[position : position + 1]
    return (found, *label, *above, *[None] * (depth - len(above)), shown(name))


def _text(folder: Folder, name: str, encoding: str) -> str | Broken:
    try:
        data = folder.read(name, MOST_BYTES + 1)
    except OSError as error:
        return Broken(f"a file that cannot be read ({error.strerror or error})", shown(name))
    if len(data) > MOST_BYTES:
        return Broken(f"a file of more than {MOST_BYTES // 1024**2} MB", shown(name))
    return _decoded(data, name, encoding)


def _decoded(data: bytes, name: str, encoding: str) -> str | Broken:
    marked = next((c[0] for mark, c in BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)
    if marked is None and encoding == "utf-8" and len(data) >= LEAST_TO_TELL:
        marked = unmarked_encoding(data[:HEAD_BYTES]) or None
    wide = encoding.startswith(("utf-16", "utf-32")) or marked not in (None, "utf-8")
    try:
        text = data.decode(marked or encoding).removeprefix("\ufeff")
    except UnicodeError:
        reason = _binary(data, decodes=False) or f"bytes that are not {encoding}"
    else:
        found = None if wide else _binary(data, decodes=True)
        reason = found or ("a NUL byte" if "\0" in text else "")
        if not reason:
            return text
    return Broken(reason, f"{shown(name)}: {data[:80]!r}")


def _binary(data: bytes, *, decodes: bool) -> str | None:
    """What a file is that is no text, by its first bytes and those that texts do not have.

    A text may begin with letters that a binary file begins with, too.
    """
    if (looks_like := other_form(data)) and not (decodes and data[:16].isascii()):
        return f"a file that is no text ({looks_like})"
    n_control = len(data) - len(data.translate(None, CONTROL))
    return (
        "a file that is binary, no text" if n_control >= 8 and n_control * 20 >= len(data) else None
    )


def _check_encoding_of_most(folder: Folder, files: Sequence[str], encoding: str) -> None:
    step = max(len(files) // LOOKED_AT, 1)
    tried = files[::step][:LOOKED_AT]
    misread: dict[str, bytes] = {}
    for name in tried:
        data = _head(folder, name)
        if not _reads(data, encoding) and _binary(data, decodes=False) is None:
            misread[name] = data
    if not misread or (
        len(misread) < len(tried) and len(misread) <= max(3, MOST_MISREAD * len(tried))
    ):
        return
    raise EncodingError(
        f"{shown(next(iter(misread)))} of {folder.name} is not {encoding}, and so are "
        f"{len(misread):,} of {len(tried):,} files that were tried.",
        option="encoding",
        way_out=way_out_of(b"\n".join(misread.values()), encoding),
    )


def _head(folder: Folder, name: str) -> bytes:
    try:
        return folder.read(name, HEAD_BYTES)
    except OSError:
        return b""


def _reads(data: bytes, encoding: str) -> bool:
    if data.startswith(tuple(BYTE_ORDER_MARKS)):
        return True
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, final=len(data) < HEAD_BYTES)
    except UnicodeError:
        return False
    return True
