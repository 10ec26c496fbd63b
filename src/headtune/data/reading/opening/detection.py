"""Which encoding a file is in that is not UTF-8, and whether the one that was given can be it.

Lines with bytes beyond ASCII are taken from all over the data, decoded in every encoding that a
language of ``languages.py`` or charset-normalizer has for them, and ranked by how much the result
looks like a text (``plausible.py``). Where there are few such bytes, how usual an encoding is
decides; where nothing looks right, there is no candidate.

Guarantees: a candidate is shown with what it makes of a line, so that people can judge.
Costs: 0.1 to 0.3 s, and only for a file that is not UTF-8.
"""

import codecs
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from charset_normalizer import from_bytes

from headtune.data.reading.opening.languages import LANGUAGES, Language
from headtune.data.reading.opening.plausible import plausibility

__all__ = ["Candidate", "candidates", "garbled", "is_utf_8"]

LEAST_POINTS = 0.6
"""Below, a decoded text is no text that people wrote; see ``plausible.py``."""

MOST_BEHIND = 0.2
"""Points behind the first that a further candidate may have."""

GARBLED = 0.12
"""Points behind another encoding that make the given one doubtful."""

N_KNOWN = 3
"""As many characters count for an encoding by its being usual."""

USUAL = {
    "cp1252": 0.9,
    "gb18030": 0.8,
    "cp1251": 0.75,
    "cp1250": 0.7,
    "cp1253": 0.7,
    "mac_roman": 0.4,
}
COMMON = ("cp12", "big5", "cp950", "shift_jis", "cp932", "euc_", "cp949", "koi8", "cp874")

MOST_BAD = 0.05
"""Share of what is not ASCII that may be no character of an encoding; a file may have bad bytes."""

SAMPLE_BYTES = 4_096
MOST_WHOLE = 65_536
SHOWN_CHARACTERS = 30
BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An encoding that a file may be in, its points, and what it makes of a line."""

    encoding: str
    points: float
    sample: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """The encodings that make the same text of a sample, and the languages it may be in."""

    encodings: list[str] = field(default_factory=list)
    languages: set[Language] = field(default_factory=set)

    def candidate(self, text: str) -> Candidate:
        """The most usual encoding, with the points of the text."""
        encoding = max(self.encodings, key=_usual)
        points = _points(text, self.languages, _usual(encoding))
        return Candidate(codecs.lookup(encoding).name, points, _shown(text))


def candidates(data: bytes) -> list[Candidate]:
    """The encodings that bytes are likely in, the likeliest first; at most three, or none."""
    sample = _sample(data)
    if not sample:
        return []
    readings: dict[str, _Reading] = {}
    for encoding, languages in _judged(sample).items():
        reading = readings.setdefault(sample.decode(encoding, "replace"), _Reading())
        reading.encodings.append(encoding)
        reading.languages.update(languages)
    found = [reading.candidate(text) for text, reading in readings.items() if _can_be(text)]
    ranked = sorted(found, key=lambda candidate: -candidate.points)
    if not ranked:
        return []
    least = max(LEAST_POINTS, ranked[0].points - MOST_BEHIND)
    return [candidate for candidate in ranked if candidate.points >= least][:3]


def garbled(data: bytes, encoding: str) -> str:
    """What speaks against an encoding that bytes were read in, in words; empty if nothing does."""
    sample = _sample(data)
    if not sample or encoding.startswith("utf"):
        return ""
    text = sample.decode(encoding, "replace")
    here = f"in {encoding} texts look garbled ({_shown(text)!r})"
    if is_utf_8(data):
        return f"{here}, and the file is UTF-8 ({_shown(sample.decode('utf-8', 'replace'))!r})"
    points = _points(text, LANGUAGES, max(USUAL.values()))
    best = next(iter(candidates(data)), None)
    if best is None:
        return f"{here}; no other encoding is likely either" if points < LEAST_POINTS else ""
    is_other = text != sample.decode(best.encoding, "replace")
    if is_other and points + GARBLED <= best.points:
        return f"{here}, in {best.encoding} they read {best.sample!r}"
    return ""


def is_utf_8(data: bytes) -> bool:
    """Whether bytes, which may be cut within a character, are UTF-8 and not all of them ASCII."""
    try:
        return not codecs.getincrementaldecoder("utf-8")().decode(data).isascii()
    except UnicodeDecodeError:
        return False


def _sample(data: bytes) -> bytes:
    """Lines with bytes beyond ASCII, from all over the data; none twice."""
    lines = [line for line in data.splitlines() if BEYOND_ASCII.search(line)]
    if len(data) > MOST_WHOLE and len(lines) > 1:
        lines.pop()  # it may be cut short
    lines = list(dict.fromkeys(lines))
    step = max(1, sum(map(len, lines)) // SAMPLE_BYTES)
    taken, n_bytes = [], 0
    for line in lines[::step]:
        start = max(0, _first_beyond(line) - 50) if len(line) > SAMPLE_BYTES else 0
        taken.append(line[start : start + SAMPLE_BYTES])
        n_bytes += len(taken[-1])
        if n_bytes >= SAMPLE_BYTES:
            break
    return b"\n".join(taken)


def _first_beyond(line: bytes) -> int:
    found = BEYOND_ASCII.search(line)
    return found.start() if found else 0


def _judged(sample: bytes) -> dict[str, Collection[Language]]:
    """Encoding -> the languages that its text can be in."""
    judged: dict[str, list[Language]] = {}
    for language in LANGUAGES:
        for encoding in language.encodings:
            judged.setdefault(encoding, []).append(language)
    others = {match.encoding for match in from_bytes(sample)} - judged.keys()
    return judged | dict.fromkeys(sorted(others), LANGUAGES)


def _n_beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _can_be(text: str) -> bool:
    """Whether so few bytes could not be decoded that they may be bad ones."""
    return text.count("\ufffd") <= MOST_BAD * _n_beyond_ascii(text)


def _usual(encoding: str) -> float:
    others = 0.65 if encoding.startswith(COMMON) else 0.5 if encoding.startswith("iso") else 0.3
    return USUAL.get(encoding, others)


def _points(text: str, languages: Collection[Language], usual: float) -> float:
    """Of a text, and where that has few characters beyond ASCII of its encoding being usual."""
    n = _n_beyond_ascii(text)
    return (n * plausibility(text, languages) + N_KNOWN * usual) / (n + N_KNOWN)


def _shown(text: str) -> str:
    """The words around the first character beyond ASCII."""
    lines = [line for line in text.split("\n") if not line.isascii()]
    line = lines[0] if lines else text
    first = next((i for i, character in enumerate(line) if character > "\x7f"), 0)
    start = max(0, first - 10)
    return line[start : start + SHOWN_CHARACTERS].strip(" ,;\t\"'")
