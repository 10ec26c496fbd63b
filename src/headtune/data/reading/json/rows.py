"""JSON Lines: a value a line, or why the line is broken.

A bad line is one broken record, and never the end of the file.
"""

import json
from collections.abc import Iterable, Iterator, Mapping

from headtune.data.reading.json.arrays import written
from headtune.data.reading.json.parse import fault_of, parse_line
from headtune.data.reading.opening.decode import unreadable, written_out
from headtune.data.reading.table import Broken

__all__ = ["json_line_values", "objects"]


def json_line_values(lines: Iterable[str]) -> Iterator[object]:
    """The value of each line, or a ``Broken``. Blank lines are skipped."""
    for line in lines:
        if not line.strip():
            continue
        if reason := unreadable([line]):
            yield Broken(reason, written_out(line).strip())
            continue
        try:
            yield parse_line(line.strip())
        except (json.JSONDecodeError, RecursionError):
            yield Broken("not valid JSON", line.strip())
        except ValueError:  # Python reads no number of more than 4,300 digits
            yield Broken("a number of too many digits", line.strip())


def objects(values: Iterable[object]) -> Iterator[Mapping[str, object] | Broken]:
    """The objects among the values; what is none, or has a fault, as ``Broken``."""
    for value in values:
        if isinstance(value, Broken):
            yield value
        elif not isinstance(value, Mapping):
            yield Broken("not a JSON object", written(value))
        elif (fault := fault_of(value)) is not None:
            yield Broken(fault, written(value))
        else:
            yield value
