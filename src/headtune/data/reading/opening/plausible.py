"""How much a decoded text looks like one that people wrote: a figure that a wrong encoding lowers.

Every character beyond ASCII gets points, and the text has their mean:

    a letter of the language      more, the more frequent it is in the language
    a letter of none of its       fewer than none
    a sign                        few by itself, fewer than none within a word (Gr³n)
    what no text holds            much fewer than none: control characters, private use, U+FFFD
    a letter beside a wrong one   fewer than none: a capital after a small letter, a word of Latin
                                  and Cyrillic letters, several accented letters in a row (ïëîõî)

The language that gives the most points is taken to be the text's. Texts that people wrote have 0.5
to 1.2 in the right encoding and language; in a wrong one they rarely have more than 0.5.

Costs: some milliseconds for 2,000 characters and all languages.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from functools import cache, lru_cache

from headtune.data.reading.opening.languages import LANGUAGES, Language

__all__ = ["BROKEN", "plausibility"]

BROKEN = -4.0
"""Points of a character that no text holds."""

SIGNS = "“”‘’„‚–—…«»¿¡€£°§©®™\xa0№"
"""Those that texts have in and around their words, whatever the language."""

WIDE = {"CJK": {"CJK"}, "Kana": {"CJK", "HIRAGANA", "KATAKANA"}, "Hangul": {"HANGUL", "CJK"}}
NEIGHBOURS = re.compile(r"(?s)(?<=(.))?([^\x00-\x7f])(?=(.))?")


def plausibility(text: str, languages: Collection[Language] = LANGUAGES) -> float:
    """The points of a text in the language that gives it the most; 0 where all of it is ASCII."""
    found = [(m[1] or " ", m[2], m[3] or " ") for m in NEIGHBOURS.finditer(text)]
    if not found:
        return 0.0
    counts = Counter(character for _, character, _ in found)
    lost = {
        script: sum(_beside(*each, script) for each in found)
        for script in {language.script for language in languages}
    }
    return max(_of_letters(counts, each) - lost[each.script] for each in languages) / len(found)


def _of_letters(counts: Counter[str], language: Language) -> float:
    points = _points(language)
    return sum(
        n * (points[character] if character in points else _other_points(character, language))
        for character, n in counts.items()
    )


@cache
def _points(language: Language) -> dict[str, float]:
    """The letters that a language lists, small and capital, and their points."""
    n = len(language.letters)
    points: dict[str, float] = {}
    for rank, letter in enumerate(language.letters):
        value = 1.3 - rank / n if language.script not in WIDE else 1.5 - 0.4 * rank / n
        points.setdefault(letter, value)
        if len(letter.upper()) == 1:
            points.setdefault(letter.upper(), value)
    return points


@lru_cache(maxsize=50_000)
def _other_points(character: str, language: Language) -> float:
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Co", "Cn") or character == "\ufffd":
        return BROKEN
    if category[0] in "LM":
        return _letter_points(character, language)
    return _sign_points(character, category, language)


def _letter_points(character: str, language: Language) -> float:
    """Of a letter that the language does not list."""
    block = unicodedata.name(character, "").split(" ")[0]
    if language.script not in WIDE:
        return -1.5 if block == language.script else -2.0
    if block not in WIDE[language.script]:
        return -1.5
    if language.script == "Hangul":
        return 0.4 if block == "HANGUL" else -1.0
    if block != "CJK":
        return 0.5
    return 0.4 if _is_common(character, language) else -0.8


def _is_common(character: str, language: Language) -> bool:
    encoding, first, last = language.level or ("", 0, 0)
    data = character.encode(encoding, "ignore")
    return bool(data) and first <= data[0] <= last


def _sign_points(character: str, category: str, language: Language) -> float:
    if character in SIGNS:
        return 0.3
    if language.script in WIDE and "\u3000" <= character <= "\u303f":
        return 0.8
    if language.script in WIDE and "\uff01" <= character <= "\uff5e":
        return 0.8
    return -0.5 if category[0] in "PNZ" else -1.0


@lru_cache(maxsize=50_000)
def _beside(before: str, character: str, after: str, script: str) -> float:
    """What neighbours take from a character's points."""
    if script in WIDE:
        return 0.0
    if not character.isalpha():
        if unicodedata.category(character)[0] == "M":
            return 2.0 if before.isascii() and script != "LATIN" else 0.0
        return _around_sign(before, character, after)
    lost = 0.5 if before.isdigit() or after.isdigit() else 0.0
    if character.isupper() and before.islower():
        lost += 1.0
    if script == "LATIN":
        if not before.isascii() and before.isalpha():
            lost += 0.4 if after.isascii() or not after.isalpha() else 1.0
    elif (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha()):
        lost += 1.5
    elif character.isupper() and before.isupper():
        lost += 0.3
    return lost


def _around_sign(before: str, sign: str, after: str) -> float:
    """What a sign loses within or beside a word, or gains (less than none) where it belongs."""
    n_letters = before.isalpha() + after.isalpha()
    if sign == "\u00ad" or (sign in "–—" and n_letters != 1):
        return -0.4
    if sign == "’" and n_letters == 2:
        return -0.7
    begins = sign in "“‘„«»¿¡" and after.isalnum() and not before.isalnum()
    ends = sign in "”’“‘«»…" and not after.isalnum() and not before.isspace()
    if begins or ends:
        return -0.6
    if sign in "€£" and (before.isdigit() or after.isdigit()):
        return -0.8
    return 0.0 if n_letters < 2 and sign in SIGNS else float(n_letters)
