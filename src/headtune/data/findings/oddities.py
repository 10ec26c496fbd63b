"""Texts with something odd about their characters, found by one regular expression each; traces of
a wrong encoding are told apart in ``mojibake.py``.

The first 100,000 characters of a text are looked at; the work is Arrow's.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.findings.finding import Finding, LabelledTexts, Severity
from headtune.data.findings.mojibake import mojibake
from headtune.data.repeats.normal_form import fold

__all__ = ["nothing_left", "odd_characters", "other_scripts"]

SCRIPTS = (
    "Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Bengali", "Thai", "Hangul",
    "Han",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression (RE2) that odd texts match, and what is said about them."""

    kind: str
    severity: Severity
    regex: str
    title: str
    advice: str


MOJIBAKE = Pattern(
    "mojibake",
    "medium",
    "",
    "were read in the wrong encoding (such as Ã© for é), now or before the table was written",
    "Read the file as it was written (the option encoding); if it was written so, write it anew "
    "or mend it with ftfy.",
)

PATTERNS = (
    Pattern(
        "replacement_characters",
        "medium",
        r"\x{FFFD}",
        "hold replacement characters (\N{REPLACEMENT CHARACTER})",
        "Letters were lost when the text was decoded. Read the original with its encoding.",
    ),
    Pattern(
        "control_characters",
        "low",
        r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F\x{80}-\x{9F}]",
        "hold control characters",
        "They are no part of the language. Remove them, here and where the classifier is used.",
    ),
    Pattern(
        "invisible_characters",
        "low",
        r"[\x{200B}\x{2060}\x{FEFF}\x{AD}\x{202A}-\x{202E}]",
        "hold invisible characters (zero-width spaces, soft hyphens, direction marks)",
        "Texts that look the same are then different. Remove them on both sides.",
    ),
    Pattern(
        "mixed_scripts",
        "medium",
        r"\p{Latin}[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{Latin}",
        "mix alphabets within a word (such as Cyrillic а in a Latin word)",
        "Look-alike letters hide words from a classifier. Map them to one alphabet.",
    ),
    Pattern(
        "markup",
        "low",
        r"&(amp|lt|gt|quot|nbsp|#[0-9]+);|</?(a|b|br|i|p|div|span|li|ul)\b[^>]*>",
        "hold HTML (entities or tags)",
        "Harmless if the texts to classify have it, too; else decode it (html.unescape).",
    ),
)


def odd_characters(table: LabelledTexts) -> list[Finding]:
    """A finding for texts in a wrong encoding, and for each pattern that any text matches."""
    beginnings = table.beginnings()
    texts = pa.array(beginnings, pa.large_string())
    matched = mojibake(beginnings)
    found = [_finding(table, matched, MOJIBAKE)] if len(matched) else []
    for pattern in PATTERNS:
        matched = np.flatnonzero(pc.match_substring_regex(texts, pattern.regex))
        if len(matched):
            found.append(_finding(table, matched, pattern))
    return found


def nothing_left(table: LabelledTexts) -> list[Finding]:
    """Texts that are a link and nothing else, or have neither letter nor number."""
    bare = pc.invert(pc.match_substring_regex(fold(table.beginnings()), r"[\p{L}\p{N}]"))
    matched = np.flatnonzero(bare)
    pattern = Pattern(
        "nothing_to_read",
        "medium",
        "",
        "hold no word: only a link, signs or pictures",
        "A language model finds nothing to go by. Remove them, or give them more text.",
    )
    return [_finding(table, matched, pattern)] if len(matched) else []


def other_scripts(table: LabelledTexts) -> list[Finding]:
    """Texts without a letter of the alphabet that most texts are in."""
    texts = pa.array(table.beginnings(), pa.large_string())
    present = {
        script: np.asarray(pc.match_substring_regex(texts, rf"\p{{{script}}}"))
        for script in SCRIPTS
    }
    main = max(SCRIPTS, key=lambda script: present[script].sum())
    lettered = np.logical_or.reduce(list(present.values()))
    matched = np.flatnonzero(lettered & ~present[main])
    pattern = Pattern(
        "other_scripts",
        "low",
        "",
        f"are in another script than the others ({main})",
        "Check that the model knows their language, and that each language has all labels.",
    )
    return [_finding(table, matched, pattern)] if len(matched) else []


def _finding(table: LabelledTexts, matched: "np.typing.NDArray[np.int64]", p: Pattern) -> Finding:
    noun = "text" if len(matched) == 1 else "texts"
    return Finding(
        p.kind, p.severity, len(matched), f"{len(matched):,} {noun} {p.title}", p.advice,
        table.shown(matched),
    )  # fmt: skip
