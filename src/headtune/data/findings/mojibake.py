"""Texts that were decoded in a wrong encoding, by the traces that this leaves in any language.

    UTF-8 read as a Western encoding       Ã©, â€™, ï»¿
    UTF-8 read as Cyrillic                 РїСЂРёРІРµС‚
    UTF-8 with bytes lost, read as GBK     锟斤拷
    a Mac's quotes read as Western         Û_, ÛÏ
    Cyrillic, Greek, Chinese and others    ïðèâåò, Ì«²îÁË: four or more letters and signs of Latin-1
      read as a Western encoding           in a row, three of them different
    KOI8-R read as cp1251                  оПХБЕР
    Central European read as Western       Zamówi³am

Costs: one regular expression of Arrow's for all texts, one of Python's for those that it matches.
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["mojibake"]

OF_CP1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
"""What cp1252 has for the bytes 0x80 to 0x9f."""

OF_CP1251 = bytes({*range(0x80, 0xC0)} - {0x98}).decode("cp1251")
"""What cp1251 has for the bytes that continue a character of UTF-8."""

SURE = (
    r"[ÂÃ][\x{80}-\x{BF}]|â€|ï»¿|Û[_ÏªÒÓ÷Ïò]|å[Ê£è¬Ç]|锟斤拷|[а-яё][А-ЯЁ]{3,}"
    rf"|(?:[РС][{OF_CP1251}]){{3,}}|\p{{Ll}}[¹³¿]\p{{Ll}}"
)
"""Of RE2."""

RUN = rf"[\x80-\xff{OF_CP1252}]{{4,}}"
"""Of Python; RE2 writes the numbers in braces."""

LETTER = re.compile("[À-ÖØ-öø-ÿ]")
LEAST_LETTERS = 2
LEAST_DIFFERENT = 3


def mojibake(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """The positions of such texts."""
    array = pa.array(texts, pa.large_string())
    is_sure = np.asarray(pc.match_substring_regex(array, SURE))
    run = re.sub(r"\\x([0-9a-f]{2})", r"\\x{\1}", RUN)
    for position in np.flatnonzero(pc.match_substring_regex(array, run)).tolist():
        is_sure[position] |= any(map(_is_no_word, re.findall(RUN, texts[position])))
    return np.flatnonzero(is_sure)


def _is_no_word(run: str) -> bool:
    """Whether characters in a row are more than signs, or one letter that is drawn out."""
    letters = LETTER.findall(run)
    return len(letters) >= LEAST_LETTERS and len(set(run)) >= LEAST_DIFFERENT
