"""Files of text side by side: what is a text a line, what is a text a file, what a table.

    train_text.txt, train_labels.txt, mapping.txt    a text a line, its label beside
    train.txt, test.txt                              parts, each as it is
    rt-polarity.pos, rt-polarity.neg                 a text a line, the label in the name
    001.txt, 002.txt                                 a file a text

Names decide first. A text a line under labels wants names that differ in a word, two lines or more
in each file, and no empty line between: documents have paragraphs, and one of them a single line.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from headtune.data.reading.folders.file_names import base_of, part_and_rest, told_apart
from headtune.data.reading.folders.files import shown
from headtune.data.reading.folders.plans import LinesBeside, LinesByFile, Plan, Tables, Texts
from headtune.data.reading.part_names import PARTS
from headtune.errors import DataError
from headtune.wording.numbers import count

__all__ = ["Looks", "beside", "label_names_of", "side_by_side"]

LOOKED_AT = 64 * 1024
"""Bytes of a file that tell lines from documents."""

MOST_LABELS = 200
"""Files, of which each is a label."""

MAPPINGS = ("mapping", "label_mapping", "labels_mapping", "label_map", "label_names")
TEXT_WORDS = {"text", "texts", "sentence", "sentences", "tweets", "x", "inputs", "input", "docs"}
LABEL_WORDS = {"label", "labels", "y", "target", "targets", "gold", "classes"}
_WORDS = re.compile(r"[^-_. ]+")
_NUMBERED_NAME = re.compile(r"\s*(-?\d+)\s*[\t ,:;=]\s*(\S.*?)\s*")

Found = tuple[dict[str, Plan], list[str], list[str]]
"""Parts, names that are not read, notes."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What can be looked up in files: the first bytes, and whether one reads as a table."""

    folder: str
    """What messages call it."""

    read: Callable[[str, int], bytes]
    is_table: Callable[[str], bool]

    def of(self, real: Mapping[str, str]) -> "Looks":
        """The same, asked by other names; ``real`` has those of the folder."""
        return Looks(
            self.folder,
            lambda name, most: self.read(real[name], most),
            lambda name: self.is_table(real[name]),
        )


def side_by_side(names: Sequence[str], looks: Looks) -> Found:
    """What files of text in one folder are."""
    if pairs := beside(names):
        return _pairs(names, pairs, looks)
    parts = _parts(names, looks)
    if parts is not None:
        return parts
    if looks.is_table(names[0]):
        return {"train": Tables(tuple(names))}, [], [_one_table(names)]
    labels = told_apart(names) if 2 <= len(names) <= MOST_LABELS else None
    if labels is not None and all(_is_of_lines(looks.read(name, LOOKED_AT)) for name in names):
        return {"train": _by_file(names, labels)}, [], [_said_by_file(labels)]
    said = "a file a text; nothing says a label"
    return {"train": Texts(tuple(names))}, [], [said]


def beside(names: Sequence[str]) -> dict[str, str]:
    """File of texts -> the file with its labels: ``train_text.txt`` -> ``train_labels.txt``."""
    labels = {place: name for name in names for place in _places(name, LABEL_WORDS)}
    return {
        name: labels[place]
        for name in names
        for place in _places(name, TEXT_WORDS)
        if place in labels
    }


def _places(name: str, words: Set[str]) -> Iterator[tuple[str, str, str]]:
    """Where in a name one of the words is: the folder, what comes before it and what after."""
    above, _, base = name.rpartition("/")
    for match in _WORDS.finditer(base):
        if match[0].lower() in words:
            yield above, base[: match.start()], base[match.end() :]


def _pairs(names: Sequence[str], pairs: dict[str, str], looks: Looks) -> Found:
    """Parts of texts with their labels beside; a part of texts alone has no labels."""
    mapping = next((n for n in names if base_of(n).partition(".")[0].lower() in MAPPINGS), None)
    called = label_names_of(looks.read(mapping, LOOKED_AT)) if mapping else {}
    alone = [n for n in names if n not in pairs and any(_places(n, TEXT_WORDS))]
    parts: dict[str, Plan] = {}
    for name in [*pairs, *alone]:
        part = part_and_rest(name)[0] or "train"
        if part in parts:
            raise DataError(
                f"{looks.folder} has several files of texts for {part}, such as {shown(name)}.",
                way_out="Name one of them, and its labels.",
            )
        parts[part] = LinesBeside(name, pairs.get(name), called)
    used = {*pairs, *alone, *pairs.values(), *([mapping] if called and mapping else [])}
    named = f", called as in {shown(mapping)}" if called and mapping else ""
    first = next((n for n in pairs if part_and_rest(n)[0] in ("train", None)), min(pairs))
    labels = pairs[first]
    said = f"a text a line ({shown(first)}), its label in the same line of {shown(labels)}{named}"
    return parts, [name for name in names if name not in used], [said]


def label_names_of(data: bytes) -> dict[str, str]:
    """Number -> name from lines such as ``0<tab>negative``; empty where any line is none such.

    Of several columns the first is taken whose values differ: emoji come as ``0 ❤ _red_heart_``.
    """
    try:
        lines = [line for line in data.decode("utf-8-sig").split("\n") if line.strip()]
    except UnicodeDecodeError:
        return {}
    found = [_NUMBERED_NAME.fullmatch(line.rstrip("\r")) for line in lines]
    if not lines or not all(found):
        return {}
    numbers = [match[1] for match in found if match]
    columns = list(zip(*(match[2].split("\t") for match in found if match), strict=False))
    for column in columns:
        if len(set(column)) == len(column) == len(set(numbers)):
            return dict(zip(numbers, (name.strip() for name in column), strict=True))
    return {}


def _parts(names: Sequence[str], looks: Looks) -> Found | None:
    """Files whose names are parts, if one of them is train or all are parts."""
    by_part: dict[str, list[tuple[str, str]]] = {}
    others: list[str] = []
    for name in names:
        part, rest = part_and_rest(name)
        if part is None:
            others.append(name)
        else:
            by_part.setdefault(part, []).append((name, rest))
    if not by_part or ("train" not in by_part and (others or len(names) == 1)):
        return None
    labels = {rest for files in by_part.values() for _, rest in files}
    parts: dict[str, Plan]
    if len(labels) > 1 and all(
        len(files) == len(labels) == len({rest for _, rest in files}) for files in by_part.values()
    ):
        parts = {
            part: _by_file([name for name, _ in files], [rest for _, rest in files])
            for part, files in by_part.items()
        }
        return parts, others, [_said_by_file(sorted(labels))]
    parts = {part: Tables(tuple(name for name, _ in files)) for part, files in by_part.items()}
    sizes = ", ".join(
        f"{part} ({count(len(by_part[part]), 'file')})" for part in PARTS if part in by_part
    )
    return parts, others, [f"parts by their names: {sizes}"]


def _by_file(names: Sequence[str], labels: Sequence[str]) -> LinesByFile:
    return LinesByFile(tuple(names), tuple(map(shown, labels)))


def _said_by_file(labels: Sequence[str]) -> str:
    some = ", ".join(map(shown, labels[:5]))
    return f"a text a line, its label in the name of the file ({some}{', …' * (len(labels) > 5)})"


def _one_table(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"the one table of the folder: {shown(names[0])}"
    return f"{count(len(names), 'file')} of one table: {shown(names[0])} to {shown(names[-1])}"


def _is_of_lines(data: bytes) -> bool:
    """Two lines or more, and none between them that is empty."""
    lines = data.strip().splitlines()
    return len(lines) > 1 and all(line.strip() for line in lines)
