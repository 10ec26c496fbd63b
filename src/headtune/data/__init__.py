"""Stage 1: tables -> examples.

Whatever a labelled table is (a file, a hub data set, a DataFrame), this stage turns it into three
disjoint parts of examples, and accounts for every row. In the order of work:

    opening/                                a name to bytes, bytes to lines
    delimited/ json/ arrow/ hub.py          bytes to records
    table.py readers.py                     any source to a ``Table``
    columns.py label_columns.py nested/     which column, or field, is the text, which the label
    several_labels.py                       tables of several labels a text are told
    labels.py checks.py                     label names; what cannot be used is set aside
    normal_form.py shingles.py repeats.py   which rows are the same, and nearly the same
    groups.py times.py                      what stays together; what comes first
    balance.py split.py parts.py leaks.py   training, validation and test
    findings/                               what is odd about a table
    summary.py prepare.py                   all of it, and the account of it

No torch and no transformers: importing it takes 0.3 s.
"""

from headtune.data.checks import (
    UsableRows,
    set_aside_sentence,
    usable_rows,
    write_set_aside,
)
from headtune.data.columns import Columns, find_columns, find_text_column
from headtune.data.labels import label_name, label_set
from headtune.data.parts.split import parse_split, split, split_by_time
from headtune.data.prepare import labelled_examples, prepare, prepare_texts, write_parts
from headtune.data.reading.readers import iter_tables, read_table
from headtune.data.reading.table import Table
from headtune.data.repeats.repeats import Repeats, find_repeats

__all__ = [
    "Columns",
    "Repeats",
    "Table",
    "UsableRows",
    "find_columns",
    "find_repeats",
    "find_text_column",
    "iter_tables",
    "label_name",
    "label_set",
    "labelled_examples",
    "parse_split",
    "prepare",
    "prepare_texts",
    "read_table",
    "set_aside_sentence",
    "split",
    "split_by_time",
    "usable_rows",
    "write_parts",
    "write_set_aside",
]
