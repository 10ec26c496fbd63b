"""What is odd about a labelled table: pure functions, one idea a file.

same_text.py   repeats, different labels for one text, copies across given parts
labels.py      rare labels, one label in several spellings, labels and texts that are none
columns.py     several labels a text, columns like the label, numbers without names
giveaways.py   columns that give the label away, constant columns
mojibake.py    traces of a wrong encoding
oddities.py    control characters, mixed alphabets, texts of no words
lengths.py     lengths by label, and what a maximum length cuts
finding.py     ``Finding``, and what it is looked for in
"""

from headtune.data.findings.columns import column_findings, several_labels, unnamed_labels
from headtune.data.findings.finding import Finding, LabelledTexts, ShownRow
from headtune.data.findings.giveaways import constant_columns, giveaways
from headtune.data.findings.labels import (
    alike_labels,
    label_findings,
    no_labels,
    no_texts,
    rare_labels,
    text_findings,
)
from headtune.data.findings.lengths import Lengths, cut_texts, lengths_by_label
from headtune.data.findings.oddities import nothing_left, odd_characters, other_scripts
from headtune.data.findings.same_text import conflicts, leaks, repeated

__all__ = [
    "Finding",
    "LabelledTexts",
    "Lengths",
    "ShownRow",
    "alike_labels",
    "column_findings",
    "conflicts",
    "constant_columns",
    "cut_texts",
    "giveaways",
    "label_findings",
    "leaks",
    "lengths_by_label",
    "no_labels",
    "no_texts",
    "nothing_left",
    "odd_characters",
    "other_scripts",
    "rare_labels",
    "repeated",
    "several_labels",
    "text_findings",
    "unnamed_labels",
]
