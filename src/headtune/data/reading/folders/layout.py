"""Which form a folder has: what its names say, and, where these do not decide, a look at the files.

In this order, README files and the like left out, and folders that all files are in:

    tables              one after another, or parts by their names (table_layout.py)
    texts in folders    the folder is the label; a folder named train, test, … is a part
    texts side by side  line by line, or a file a text (line_layout.py)

Folders in folders: one that only counts (``fold1``, ``fold2``) is no label; where each folder has
folders of its own the label is the way down (``sport/hockey``); where the same folders are below
each (``pos/web``, ``neg/web``) either could be it, and the reader gives both as columns.

Guarantees: files that are not read are named. What cannot be decided is an error or asked for.
"""

from collections.abc import Sequence
from math import prod

from headtune.data.reading.folders.file_names import (
    folders_of,
    form_of,
    is_numbered,
    is_unlabelled,
    named_part,
    useful_names,
)
from headtune.data.reading.folders.files import Folder, shown, some
from headtune.data.reading.folders.line_layout import Looks, side_by_side
from headtune.data.reading.folders.plans import Layout, Plan, Texts
from headtune.data.reading.folders.table_layout import table_parts
from headtune.data.reading.part_names import PARTS, part_names
from headtune.errors import DataError, option
from headtune.wording.numbers import count

__all__ = ["find_layout"]

NO_TEXTS = (
    ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".docx", ".bin", ".pt", ".npy", ".npz",
    ".pkl", ".pickle", ".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz", ".wav", ".mp3", ".mp4",
)  # fmt: skip
"""Beside tables, files that end so are not what the folder is about."""

WEIGHTS = (".safetensors", ".gguf", "pytorch_model.bin")


def find_layout(folder: Folder, looks: Looks) -> Layout:
    """The plan of each part of a folder. Raises ``DataError`` where nothing in it is read."""
    names = folder.names()
    _check_is_data(folder, names)
    real = useful_names(names)
    if not real:
        held = f"only {some(names)}" if names else "no files"
        raise DataError(
            f"{folder.name} holds {held}; expected texts or tables.",
            way_out="Name the folder that has them.",
        )
    if tables := _tables_if_so(list(real)):
        parts, unread, said = table_parts(tables, folder.name)
        unread += sorted(set(real) - set(tables))
    elif any("/" in name for name in real):
        parts, unread, said = _text_folders(list(real), folder.name, looks.of(real))
    else:
        parts, unread, said = side_by_side(list(real), looks.of(real))
    left_out = _left_out(sorted(set(names) - set(real.values())) + [real[name] for name in unread])
    return Layout(
        {part: plan.renamed(real) for part, plan in _in_order(parts, folder.name).items()},
        (*said, *left_out),
    )


def _check_is_data(folder: Folder, names: Sequence[str]) -> None:
    top = {name.split("/")[-1] for name in names if name.count("/") <= 1}
    if any(name.endswith(WEIGHTS) for name in top):
        raise DataError(
            f"{folder.name} is the folder of a model; expected texts or tables.",
            way_out=f"A model belongs to {option('model')}.",
        )


def _tables_if_so(names: Sequence[str]) -> list[str]:
    """The tables, unless they only lie beside folders of texts."""
    tables = [name for name in names if form_of(name) is not None]
    in_folders = [
        name
        for name in names
        if "/" in name and form_of(name) is None and not name.lower().endswith(NO_TEXTS)
    ]
    beside = len(in_folders) > len(tables) and not any("/" in name for name in tables)
    return [] if beside else tables


def _text_folders(
    names: Sequence[str], folder: str, looks: Looks
) -> tuple[dict[str, Plan], list[str], list[str]]:
    """Parts, names that are not read, notes."""
    labelled = [name for name in names if not any(map(is_unlabelled, folders_of(name)))] or names
    deep = [name for name in labelled if "/" in name]
    unread = sorted(set(names) - set(deep))
    level = _part_level(deep)
    if level is None:
        texts = _by_folder(deep, [folders_of(name) for name in deep])
        return {"train": texts}, unread, [_said(texts)]
    by_part: dict[str, list[str]] = {}
    for name in deep:
        by_part.setdefault(folders_of(name)[level].lower(), []).append(name)
    parts: dict[str, Plan] = {}
    said: list[str] = []
    for part, inside in by_part.items():
        labels = [_without(folders_of(name), level) for name in inside]
        if not any(labels):
            found, others, said = side_by_side(inside, looks)
            parts[part] = next(iter(found.values()))
            unread += others
            continue
        kept = [i for i, above in enumerate(labels) if above]
        unread += [name for name, above in zip(inside, labels, strict=True) if not above]
        texts = _by_folder([inside[i] for i in kept], [labels[i] for i in kept])
        parts[part], said = texts, [_said(texts)]
    n_files = {
        part: count(len(set(files) - set(unread)), "file") for part, files in by_part.items()
    }
    sizes = ", ".join(f"{part} ({n_files[part]})" for part in sorted(by_part, key=_place))
    return parts, unread, [f"folders are parts: {sizes}", *said]


def _place(part: str) -> int:
    return PARTS.index(named_part(part) or "train")


def _without(folders: tuple[str, ...], level: int) -> tuple[str, ...]:
    return folders[:level] + folders[level + 1 :]


def _part_level(names: Sequence[str]) -> int | None:
    """How deep the folders are whose names are parts, all of them: 0 in ``train/pos/1.txt``."""
    above = [folders_of(name) for name in names]
    for level in range(min(map(len, above))):
        if all(named_part(word) for word in {folders[level] for folders in above}):
            return level
    return None


def _by_folder(files: Sequence[str], above: Sequence[tuple[str, ...]]) -> Texts:
    labels = tuple(_labels(above))
    levels = tuple(above) if max(map(len, above)) > 1 else ()
    return Texts(tuple(files), labels, levels)


def _labels(above: Sequence[tuple[str, ...]]) -> list[str]:
    """The label of each file from the folders above it; none where two levels could be it."""
    depths = {len(folders) for folders in above}
    if len(depths) > 1:
        return ["/".join(map(shown, folders)) for folders in above]
    values = [sorted(set(level)) for level in zip(*above, strict=True)]
    telling = [i for i, names in enumerate(values) if len(names) > 1 and not is_numbered(names)]
    telling = telling or [depths.pop() - 1]
    n_ways = len({tuple(folders[i] for i in telling) for folders in above})
    if len(telling) > 1 and n_ways == prod(len(values[i]) for i in telling):
        return []
    return ["/".join(shown(folders[i]) for i in telling) for folders in above]


def _said(texts: Texts) -> str:
    names = ", ".join(sorted(set(texts.labels))[:5])
    more = ", …" if len(set(texts.labels)) > 5 else ""
    if not texts.labels:
        return "a file a text, the label is one of its folders: columns folder1, folder2, …"
    also = ", all folders are columns folder1, folder2, …" if texts.levels else ""
    return f"a file a text, the label is its folder ({names}{more}){also}"


def _in_order(parts: dict[str, Plan], folder: str) -> dict[str, Plan]:
    """By headtune's names, train first; a single one is train. Raises ``DataError`` without it."""
    called = [named_part(part) for part in parts]
    if len(parts) > 1 and (len(set(called)) < len(called) or "train" not in called):
        raise DataError(
            f"{folder} has the parts {', '.join(map(shown, parts))}; expected one for training, "
            "and one each for validation and test at most.",
            way_out="Rename them, or name a single one.",
        )
    return {part: parts[name] for part, name in part_names(parts).items()}


def _left_out(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    by_folder: dict[str, list[str]] = {}
    for name in sorted(names):
        above, _, base = name.rpartition("/")
        by_folder.setdefault(above, []).append(base)
    lines = [
        shown(f"{above}/{bases[0]}".lstrip("/")) if len(bases) == 1 else _many(above, bases)
        for above, bases in by_folder.items()
    ]
    return [f"left out: {', '.join(lines[:5])}{', …' if len(lines) > 5 else ''}"]


def _many(above: str, bases: Sequence[str]) -> str:
    where = f" in {shown(above)}" if above else ""
    if len(bases) <= 3:
        return f"{', '.join(map(shown, bases))}{where}"
    return f"{len(bases):,} files{where} ({shown(bases[0])}, …)"
