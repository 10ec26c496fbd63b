"""A text a line: labels in the names of the files, or in the same line of another file.

Lines end with LF or CRLF; a lone CR ends one only where the file has no LF at all, as some texts
hold one. Empty lines keep their number (a row without a text), those at the end of a file do not
count. A line is never divided into columns.

Guarantees: bounded memory; two files whose lines do not agree in number are an error with both
numbers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path, PurePosixPath

import pyarrow as pa

from headtune.data.reading.folders.file_names import form_of
from headtune.data.reading.folders.files import Folder, shown
from headtune.data.reading.folders.line_layout import beside, label_names_of
from headtune.data.reading.folders.plans import LinesBeside, LinesByFile
from headtune.data.reading.opening.decode import decoded_lines, unreadable_text, written_out
from headtune.data.reading.opening.encodings import check_encoding, encoding_of
from headtune.data.reading.opening.sources import ByteSource, open_bytes
from headtune.data.reading.table import Broken, Table, numbered_chunks
from headtune.errors import DataError, option
from headtune.options import DataConfig
from headtune.options.written import parse_size

__all__ = ["beside_tables", "by_file_tables", "labelled_lines", "labels_beside"]

Record = tuple[str | None, ...]


def by_file_tables(
    folder: Folder, plan: LinesByFile, encoding: str, rows_per_chunk: int | None
) -> Iterator[Table]:
    """Columns text, label and file; rows are numbered on from file to file."""

    def records() -> Iterator[Record | Broken]:
        for name, label in zip(plan.files, plan.labels, strict=True):
            with folder.opened(name) as file:
                for text in _text_lines(file, encoding):
                    yield _checked(text, label, shown(name))

    yield from _tables(
        records(), ("text", "label", "file"), folder.name, rows_per_chunk, frozenset({"file"})
    )


def beside_tables(
    folder: Folder, plan: LinesBeside, encoding: str, rows_per_chunk: int | None
) -> Iterator[Table]:
    """Columns text and label; text alone where there are no labels."""
    with folder.opened(plan.texts) as texts:
        if plan.labels is None:
            records = (_checked(text) for text in _text_lines(texts, encoding))
            yield from _tables(records, ("text",), texts.name, rows_per_chunk)
            return
        with folder.opened(plan.labels) as labels:
            yield from _paired(texts, labels, plan.names, encoding, rows_per_chunk)


def labels_beside(texts: Path) -> Path | None:
    """The file of labels that belongs to a file of texts by its name, if it is beside it."""
    names = [path.name for path in texts.parent.iterdir()] if texts.is_file() else []
    labels = beside(names).get(texts.name)
    return None if labels is None else texts.with_name(labels)


def labelled_lines(
    texts: str, labels: Path, config: DataConfig, rows_per_chunk: int | None
) -> Iterator[Table]:
    """Columns text and label from a file of texts and one of labels, both named by the user.

    Where ``mapping.txt`` is beside the labels and has a name for each of its numbers, labels are
    called so. Raises ``DataError`` where the texts are a table, or the files do not agree.
    """
    encoding = check_encoding(config.encoding)
    if form_of(texts) is not None:
        raise DataError(
            f"{option('label_file')} has the labels of a text file, a text a line; "
            f"{PurePosixPath(texts).name} is a table.",
            option="label_file",
            way_out=f"Leave out {option('label_file')}, or give the texts as .txt.",
        )
    most = parse_size("max_unpacked", config.max_unpacked)
    with open_bytes(texts, most) as text_file, open_bytes(str(labels), most) as label_file:
        said = [f"a text a line, its label in the same line of {label_file.name}"]
        mapping = label_file.path and label_file.path.with_name("mapping.txt")
        names = label_names_of(mapping.read_bytes()) if mapping and mapping.is_file() else {}
        if names:
            said.append("labels called as in mapping.txt")
        for table in _paired(text_file, label_file, names, encoding, rows_per_chunk):
            yield replace(table, notes=tuple(said))


def _paired(
    texts: ByteSource,
    labels: ByteSource,
    names: Mapping[str, str],
    encoding: str,
    rows_per_chunk: int | None,
) -> Iterator[Table]:
    """Columns text and label from two open files. Raises ``DataError`` where they do not agree."""
    records = (
        _checked(text, names.get(label, label) or None)
        for text, label in _agreeing(texts, labels, encoding)
    )
    yield from _tables(records, ("text", "label"), texts.name, rows_per_chunk)


def _agreeing(texts: ByteSource, labels: ByteSource, encoding: str) -> Iterator[tuple[str, str]]:
    n_texts = n_labels = 0
    for text, label in zip_longest(_text_lines(texts, encoding), _text_lines(labels, encoding)):
        n_texts += text is not None
        n_labels += label is not None
        if n_texts == n_labels:
            yield text, label.strip()
    if n_texts != n_labels:
        raise DataError(
            f"{texts.name} has {n_texts:,} lines, and {labels.name} {n_labels:,}; expected a label "
            "in each line, for the text of the same line.",
            option="label_file",
            way_out=f"Check that {option('label_file')} belongs to these texts.",
        )


def _text_lines(file: ByteSource, encoding: str) -> Iterator[str]:
    """The lines of a file without their ends; empty ones at the end of the file do not count."""
    cr_ends = b"\n" not in file.head
    n_empty, held = 0, ""
    found = encoding_of(file.head, encoding, file.name).name
    for line in decoded_lines(file.blocks(), found, file.name, keep_bad=True):
        if line.endswith("\r") and not cr_ends:
            held += line
            continue
        line, held = (held + line).rstrip("\r\n"), ""
        if not line:
            n_empty += 1
            continue
        yield from [""] * n_empty
        n_empty = 0
        yield line
    if held.rstrip("\r\n"):
        yield from [""] * n_empty
        yield held.rstrip("\r\n")


def _checked(text: str, *others: str | None) -> Record | Broken:
    values = [value for value in (*others, text) if value]
    reason = next(filter(None, map(unreadable_text, values)), "")
    return Broken(reason, written_out(" ".join(values))) if reason else (text, *others)


def _tables(
    records: Iterable[Record | Broken],
    names: tuple[str, ...],
    name: str,
    rows_per_chunk: int | None,
    derived: frozenset[str] = frozenset(),
) -> Iterator[Table]:
    for found, rows, broken in numbered_chunks(records, rows_per_chunk):
        columns = zip(*found, strict=True) if found else ([] for _ in names)
        table = pa.table(
            {n: pa.array(v, pa.large_string()) for n, v in zip(names, columns, strict=True)}
        )
        yield Table(table, name, rows, broken, derived=derived)
