"""Tables of a folder: parts where names say so, else files of one table.

    train.csv, test.csv                          parts
    data/train-00000-of-00002.parquet, …         parts of several files each
    train/2023.jsonl, train/2024.jsonl, test/…   parts by their folders
    part-0000.csv, part-0001.csv                 one table

Files of one part must be of one form: ``a.csv`` beside ``a.json`` may well be the same rows twice.
"""

from collections.abc import Sequence, Set

from headtune.data.reading.folders.file_names import folders_of, form_of, named_part, part_and_rest
from headtune.data.reading.folders.files import shown, some
from headtune.data.reading.folders.plans import Plan, Tables
from headtune.data.reading.part_names import PARTS
from headtune.errors import DataError, option
from headtune.wording.numbers import count

__all__ = ["table_parts"]


def table_parts(names: Sequence[str], folder: str) -> tuple[dict[str, Plan], list[str], list[str]]:
    """Parts, names that are not read, notes.

    Raises ``DataError`` where it cannot be told which tables belong together.
    """
    by_part: dict[str, list[str]] = {}
    others: list[str] = []
    for name in names:
        part = _part_of(name)
        (by_part.setdefault(part, []) if part else others).append(name)
    if not by_part or (others and "train" not in by_part):
        if by_part:
            raise _which_trains(folder, by_part, others)
        return {"train": _one_table(others, folder)}, [], [_said_of_one(others)]
    _check_one_set([name for files in by_part.values() for name in files], folder)
    for files in by_part.values():
        _check_one_form(files, folder)
    _check_beside(others, {_set_of(name) for files in by_part.values() for name in files}, folder)
    sizes = ", ".join(f"{part} ({_files(by_part[part])})" for part in PARTS if part in by_part)
    parts: dict[str, Plan] = {part: Tables(tuple(files)) for part, files in by_part.items()}
    return parts, others, [f"parts by their names: {sizes}"]


def _part_of(name: str) -> str | None:
    for above in folders_of(name):
        if (part := named_part(above)) is not None:
            return part
    return part_and_rest(name)[0]


def _one_table(names: Sequence[str], folder: str) -> Tables:
    _check_one_form(names, folder)
    above = [folders_of(name) for name in names]
    return Tables(tuple(names), tuple(above) if len(set(above)) > 1 else ())


def _said_of_one(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"the one table of the folder: {shown(names[0])}"
    return f"{count(len(names), 'file')} of one table: {shown(names[0])} to {shown(names[-1])}"


def _files(names: Sequence[str]) -> str:
    return shown(names[0]) if len(names) == 1 else count(len(names), "file")


def _check_one_form(names: Sequence[str], folder: str) -> None:
    first = {form_of(name): name for name in reversed(names)}
    if len(first) > 1:
        raise DataError(
            f"{folder} has tables of several forms ({some(names)}), which "
            "may be the same rows twice.",
            way_out=f"Name one of them, such as {shown(names[0])}.",
        )


def _set_of(name: str) -> str:
    """The folder of a data set: that of its parts, or of their folders."""
    above = folders_of(name)
    level = next((i for i, word in enumerate(above) if named_part(word)), len(above))
    return "/".join(above[:level])


def _check_one_set(names: Sequence[str], folder: str) -> None:
    above = sorted({_set_of(name) for name in names})
    if len(above) > 1:
        raise DataError(
            f"{folder} holds several data sets with parts: {some(above)}.",
            way_out=f"Name the folder of one, such as {shown(above[-1])}.",
        )


def _check_beside(others: Sequence[str], sets: Set[str], folder: str) -> None:
    """Tables that are no parts are left out only beside these: a sample of what to submit."""
    if far := [name for name in others if _set_of(name) not in sets]:
        raise DataError(
            f"{folder} has parts in {some(sorted(sets))}, and other tables: {some(far)}.",
            way_out="Name one of the tables, or the folder of the parts.",
        )


def _which_trains(folder: str, by_part: dict[str, list[str]], others: Sequence[str]) -> DataError:
    parts = ", ".join(f"{shown(files[0])} ({part})" for part, files in by_part.items())
    return DataError(
        f"{folder} has files that are parts, {parts}, and others that may be: "
        f"{some(others)}; none is named train.",
        way_out=f"Name the table to train on, and the others by {option('test_file')} and "
        f"{option('validation_file')}.",
    )
