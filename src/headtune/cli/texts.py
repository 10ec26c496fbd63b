"""What ``predict`` and ``explain`` take for a text, and what for the name of a table.

A name that is classified as if it were a text is an answer to a question nobody asked, so by these
rules in order:

    after ``--``, or --text-is     a text, whatever it looks like
    -                              the table on standard input; -::Sheet2 a sheet of it
    a file, or a folder            the table that it holds, never a text; so is what begins with one
                                   and ::
    it ends as files do            a file that is missing: messages.csv, my data.xlsx, a.csv.gz
    one word that is a path        a file that is missing: ./new, C:\\new, data/new, a/b/c
    anything else                  a text

``and/or``, ``28/11/2026`` and ``https://headtune.example/win`` are texts. Where it cannot be told,
as at the end of "see data.csv", it is an error, which says how to make a text of it.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from headtune.cli.common import GENERAL
from headtune.errors import DataNotFoundError, PredictionError, option
from headtune.files.addresses import split_address

__all__ = ["TextIs", "after_dashes", "check_texts_only", "ends_as_files_do", "file_of", "table_in"]

TextIs: TypeAlias = Annotated[
    tuple[str, ...],
    Parameter(
        name="--text-is",
        group=GENERAL,
        negative_iterable=(),
        show_default=False,
        allow_leading_hyphen=True,
        help="A text, even if it looks like a file or an option; so is all that follows --. May be "
        "repeated.",
    ),
]

ENDINGS = (
    "csv", "tsv", "tab", "txt", "json", "jsonl", "ndjson", "parquet", "pq", "feather", "arrow",
    "ipc", "orc", "avro", "arff", "xls", "xlsx", "xlsm", "xlsb", "ods", "numbers",
    "gz", "tgz", "bz2", "xz", "zst", "lz4", "zip", "7z", "rar", "tar",
    "db", "sqlite", "sqlite3", "duckdb", "mdb", "dta", "sav", "sas7bdat", "rds", "rdata",
    "pkl", "pickle", "npy", "npz", "h5", "hdf5",
    "pdf", "doc", "docx", "odt", "rtf", "html", "htm", "xml", "yaml", "yml", "toml", "md", "log",
)  # fmt: skip
"""Of tables, workbooks, archives, databases, statistics programs and documents."""

_ENDS_AS_FILES_DO = re.compile(rf"\.({'|'.join(ENDINGS)})$", re.IGNORECASE)
_BEGINS_AS_PATHS_DO = re.compile(r"(\.{1,2}[/\\]|~[\w.-]*[/\\]|[a-zA-Z]:[/\\]|\\\\)\S")
_NAMES_AND_SEPARATORS = re.compile(r"[\w.+@~-]*([/\\][\w.+@~-]+)+[/\\]?|[\w.+@~-]+[/\\]")
_NUMBERS = re.compile(r"\d+([/\\]\d+)+")
_ANY_ENDING = re.compile(r"[^./\\]\.[a-zA-Z]\w{0,9}$")

LONGEST_NAME = 255
"""Bytes in the name of a file; a longer text is none."""


def after_dashes(arguments: Sequence[str]) -> list[str]:
    """``RUN -- a b`` as ``RUN --text-is=a --text-is=b``: whatever comes after ``--`` is a text."""
    if "--" not in arguments:
        return list(arguments)
    end = arguments.index("--")
    return [*arguments[:end], *(f"--text-is={text}" for text in arguments[end + 1 :])]


def table_in(arguments: Sequence[str], *, texts_beside: bool = False) -> str | None:
    """The table that the arguments name, or None where they are texts; see the rules above.

    Raises ``DataNotFoundError`` for a file that is missing, and ``PredictionError`` for a table
    beside others or beside texts.
    """
    found = _files_in(arguments)
    if not found:
        return None
    if len(found) > 1:
        raise PredictionError(
            f"Classify one table at a time; received {len(found)}: {', '.join(map(_shown, found))}."
        )
    if len(arguments) > 1 or texts_beside:
        raise PredictionError(
            f"{_shown(found[0])} is a table, and beside it are texts; classify one or the other.",
            way_out=_as_text(found[0]),
        )
    return found[0]


def _files_in(arguments: Sequence[str]) -> list[str]:
    """Those that name files; - is standard input. Raises as ``table_in`` where there are none."""
    found = [each for each in arguments if file_of(each) == "-" or _names_a_file(each)]
    for name in found:
        if file_of(name) != "-":
            _check_file(file_of(name))
    return found


def check_texts_only(arguments: Sequence[str]) -> None:
    """Raises as ``table_in``, and where a table is named at all."""
    if found := _files_in(arguments):
        raise PredictionError(
            f"Expected texts; {_shown(found[0])} is a file.", way_out=_as_text(found[0])
        )


def file_of(name: str) -> str:
    """``book.xlsx`` of ``book.xlsx::Sheet2``; the name itself where no file is before ``::``."""
    if name.startswith("-::"):
        return "-"
    file, inside = split_address(name)
    if inside is None or (_exists(file) and Path(file).expanduser().is_dir()):
        return name
    return file if _exists(file) or (ends_as_files_do(file) and len(file.split()) == 1) else name


def _names_a_file(argument: str) -> bool:
    """Whether it is one, or is written like one."""
    argument = file_of(argument)
    name = argument.strip()
    if _exists(argument):
        return True
    if len(name.encode("utf-8", "replace")) > LONGEST_NAME or len(name.splitlines()) != 1:
        return False
    several_words = len(name.split()) > 1
    if ends_as_files_do(name):
        return not (several_words and "://" in name)
    return bool(_BEGINS_AS_PATHS_DO.match(name)) or (not several_words and _is_a_path(name))


def ends_as_files_do(name: str) -> bool:
    """Whether it has the ending of a table, or of something else that is kept in files."""
    return _ENDS_AS_FILES_DO.search(name) is not None


def _is_a_path(word: str) -> bool:
    """``data/new.dat`` and ``a/b/c``, but not ``and/or`` or a date."""
    if not _NAMES_AND_SEPARATORS.fullmatch(word) or _NUMBERS.fullmatch(word):
        return False
    n_separators = len(re.findall(r"[/\\]", word))
    at_an_end = word[0] == "/" or word[-1] in "/\\"
    has_ending = _ANY_ENDING.search(word) is not None
    return n_separators > 1 or at_an_end or has_ending or _exists(str(Path(word).parent))


def _exists(name: str) -> bool:
    try:
        return name not in ("", "-") and Path(name).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, a null character, nobody's home: a text
        return False


def _check_file(name: str) -> None:
    """Raises ``DataNotFoundError``, with the way to classify the name itself."""
    if not _exists(name):
        raise DataNotFoundError(f"There is no file {_shown(name)}.", way_out=_as_text(name))


def _as_text(name: str) -> str:
    if name == "-":
        return ""
    return f"To classify it as a text: {option('text_is', name)}"


def _shown(name: str) -> str:
    return "standard input" if name == "-" else repr(name) if " " in name else name
