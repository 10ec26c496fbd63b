"""What the names of files say: a part, a label, a form; and which files are no data at all.

Pure functions on names such as ``train/pos/0_9.txt`` or ``data/train-00000-of-00002.parquet``.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from headtune.data.reading.opening.sources import SUFFIXES
from headtune.data.reading.part_names import PART_NAMES

__all__ = [
    "base_of",
    "folders_of",
    "form_of",
    "is_clutter",
    "is_numbered",
    "is_unlabelled",
    "named_part",
    "part_and_rest",
    "told_apart",
    "useful_names",
    "without_top",
]

FOREIGN_FORMS = (
    ".arrow", ".feather", ".ipc", ".arff", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods",
    ".sqlite", ".sqlite3", ".db",
)  # fmt: skip
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
TABLE_FORMS = frozenset({*SUFFIXES, *FOREIGN_FORMS} - {".txt"})
"""A ``.txt`` may be a table, or a text, or a text a line."""

_DOCUMENT = re.compile(
    r"(readme|licen[cs]e|changelog|changes|copying|notice|citation|authors|contributing|makefile"
    r"|dataset_infos?)([._-].*)?",
    re.IGNORECASE,
)
_LEFTOVER = re.compile(
    r"_(success|metadata|common_metadata|committed.*|started.*|temporary.*)|~\$.*|thumbs\.db"
    r"|desktop\.ini|.*\.(crc|md5|sha1|sha256|lock|pyc|tmp|bak)",
    re.IGNORECASE,
)
_ABOUT = (".py", ".sh", ".yaml", ".yml", ".ini", ".bib", ".rst", ".log", ".md")
_SHARD = re.compile(r"[-_. ]?(part[-_. ]?)?\d+([-_. ]?of[-_. ]?\d+)?$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_. ]+")
_UNLABELLED = {"unsup", "unlabeled", "unlabelled", "unsupervised", "nolabel", "no_label"}


def base_of(name: str) -> str:
    """The name of a file without the folders above it."""
    return name.rpartition("/")[2]


def folders_of(name: str) -> tuple[str, ...]:
    """The folders above a file, from the top."""
    return tuple(name.split("/")[:-1])


def is_clutter(name: str) -> bool:
    """Whether a file is about the data, or of the program that wrote it: README, _SUCCESS, .crc."""
    base = base_of(name)
    return (_LEFTOVER.fullmatch(base) or _DOCUMENT.fullmatch(base)) is not None


def useful_names(names: Sequence[str]) -> dict[str, str]:
    """The files that can be data: their names without the folders that all are in -> their names.

    A script beside the folders of the data is about them; in a folder it may be a text.
    """
    found = without_top([name for name in names if not is_clutter(name)])
    data = [name for short, name in found.items() if "/" in short or not short.endswith(_ABOUT)]
    return without_top(data) if data else found


def form_of(name: str) -> str | None:
    """The ending of a file that is a table by its name (``.csv``, ``.csv.gz``), else None."""
    suffixes = [f".{word}" for word in base_of(name).lower().split(".")[1:]]
    packed = suffixes.pop() if suffixes and suffixes[-1] in PACKED else ""
    form = suffixes[-1] if suffixes else ""
    return form + packed if form in TABLE_FORMS or (form == ".txt" and packed) else None


def named_part(word: str) -> str | None:
    """The part that a whole name stands for: ``dev`` is validation."""
    return PART_NAMES.get(word.lower())


def is_unlabelled(word: str) -> bool:
    """Whether a folder of that name holds texts without labels, as IMDB's ``unsup`` does."""
    return word.lower() in _UNLABELLED


def part_and_rest(name: str) -> tuple[str | None, str]:
    """The part in the name of a file, and what is left of it without that, its number and ending.

    ``train-00000-of-00002.parquet`` is (train, ""), ``val_pos.txt`` (validation, "pos"). A name
    that has two parts in it has none.
    """
    stem = _SHARD.sub("", _stem(name))
    words = [word for word in _SEPARATORS.split(stem) if word]
    parts = {part for word in words if (part := named_part(word))}
    if len(parts) != 1:
        return None, "_".join(words)
    return parts.pop(), "_".join(word for word in words if named_part(word) is None)


def _stem(name: str) -> str:
    base = base_of(name)
    if (form := form_of(base)) is not None:
        return base[: -len(form)]
    return PurePosixPath(base).stem


def without_top(names: Sequence[str]) -> dict[str, str]:
    """Each name without the folders that all have in common -> the name. They say nothing."""
    folders = list(map(folders_of, names))
    n_common = 0
    for same in zip(*folders, strict=False):
        if len(set(same)) > 1:
            break
        n_common += 1
    return {"/".join(name.split("/")[n_common:]): name for name in names}


def told_apart(names: Sequence[str]) -> list[str] | None:
    """What tells files apart, as labels: ``rt.pos``, ``rt.neg`` give pos, neg; None if nothing.

    Endings, where they differ and the rest does not; else the words of the names that not all
    have. Names that only count (``doc1``, ``doc2``) say no label.
    """
    bases = list(map(base_of, names))
    stems = [PurePosixPath(base).stem for base in bases]
    if len(set(stems)) == 1:
        labels = [PurePosixPath(base).suffix.removeprefix(".") for base in bases]
    else:
        words = [[word for word in _SEPARATORS.split(stem) if word] for stem in stems]
        common = set.intersection(*map(set, words))
        labels = ["_".join(word for word in each if word not in common) for each in words]
    if len(set(labels)) < len(names) or not all(labels) or is_numbered(labels):
        return None
    return labels


def is_numbered(names: Sequence[str]) -> bool:
    """Whether names differ in their number alone: ``fold1``, ``fold2``, ``003``."""
    return len(names) > 1 and len({re.sub(r"\d+", "", name) for name in names}) == 1
