"""When each row was written: a column of any common form to numbers that sort.

Numbers, timestamps and dates are taken as they are. Strings are read in the one form that reads
most of them: numbers, ISO 8601 (2024-01-31, 2024-01-31T18:00:00Z), e-mail and Twitter dates,
31.01.2024, and 01/31/2024 or 31/01/2024, whichever all rows allow. A time without a zone is UTC.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headtune.data.reading.arrow.values import python_values
from headtune.errors import SplitError, option

__all__ = ["read_times"]

Floats = npt.NDArray[np.float64]
Reader = Callable[[str], float]

SAMPLE = 1_000
"""Distinct values that decide the form."""

WAY_OUT = (
    f"{option('split_by_time')} takes numbers, timestamps, or dates such as 2024-01-31 and "
    "2024-01-31 18:00."
)

TIMES_OF_DAY = ("", " %H:%M", " %H:%M:%S")


def read_times(column: pa.ChunkedArray, name: str) -> Floats:
    """Seconds, or whatever unit the numbers are in, ``(n_rows,)``; NaN where there is no time.

    Raises ``SplitError`` when no form reads half of the values, when they name no day (times of
    day, durations), or when day and month cannot be told apart.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _moments(column)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _as_floats(column)
    if pa.types.is_temporal(kind):
        raise _no_times(f"Column {name!r} holds {kind} values, which name no day.", name)
    values = ["" if value is None else str(value).strip() for value in python_values(column)]
    distinct = sorted({value for value in values if value})
    reader = _best_reader(distinct, name)
    seconds = {value: _try(reader, value) for value in distinct}
    return np.array([seconds.get(value, np.nan) for value in values])


def _no_times(found: str, name: str) -> SplitError:
    return SplitError(found, option="split_by_time", column=name, way_out=WAY_OUT)


def _moments(column: pa.ChunkedArray) -> Floats:
    """Seconds of dates and timestamps; NaN where microseconds cannot count them."""
    cast = pc.CastOptions(pa.timestamp("us"), allow_time_truncate=True)
    try:
        in_microseconds = pc.cast(column, options=cast)
    except pa.ArrowInvalid:
        if len(column) > 1:  # the moments out of range are found by halving
            half = len(column) // 2
            return np.concatenate([_moments(column[:half]), _moments(column[half:])])
        return np.array([np.nan])
    return _as_floats(in_microseconds.cast(pa.int64())) / 1e6


def _as_floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def _best_reader(distinct: Sequence[str], name: str) -> Reader:
    step = max(1, len(distinct) // SAMPLE)
    sample = distinct[::step]
    n_read = {form: sum(_is_time(reader, v) for v in sample) for form, reader in READERS.items()}
    best = max(n_read, key=n_read.__getitem__)
    if not sample or 2 * n_read[best] < len(sample):
        unread = next((value for value in sample if not _is_time(READERS[best], value)), None)
        example = f", such as {unread!r}" if unread else ""
        raise _no_times(f"Column {name!r} does not hold times{example}.", name)
    if best in DAY_OR_MONTH and len({n_read[form] for form in DAY_OR_MONTH}) == 1:
        raise SplitError(
            f"Column {name!r} holds dates such as {sample[0]!r}, whose day and month cannot be "
            "told apart.",
            option="split_by_time",
            column=name,
            way_out="Write them as 2024-01-31.",
        )
    return READERS[best]


def _is_time(reader: Reader, value: str) -> bool:
    return not np.isnan(_try(reader, value))


def _try(reader: Reader, value: str) -> float:
    try:
        return reader(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return np.nan


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _iso(value: str) -> float:
    return _seconds(datetime.fromisoformat(value))


def _email(value: str) -> float:
    return _seconds(parsedate_to_datetime(value))


def _twitter(value: str) -> float:
    return _seconds(datetime.strptime(value, "%a %b %d %H:%M:%S %z %Y"))


def _date(form: str) -> Reader:
    """A reader of one order of day, month and year, with or without a time of day."""

    def read(value: str) -> float:
        time_of_day = TIMES_OF_DAY[min(value.count(":"), 2)]
        return _seconds(datetime.strptime(value, form + time_of_day))

    return read


DAY_OR_MONTH = ("month first", "day first")

READERS: dict[str, Reader] = {
    "number": float,
    "iso": _iso,
    "e-mail": _email,
    "twitter": _twitter,
    "dotted": _date("%d.%m.%Y"),
    "month first": _date("%m/%d/%Y"),
    "day first": _date("%d/%m/%Y"),
}
"""Form -> its reader; of those that read equally many the first one is taken."""
