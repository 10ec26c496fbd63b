"""What stays together in the split, how the user's groups join in, and the split by time."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from made_texts import made_texts
from tweets import TWEETS, needs_tweets

from headtune.data import find_repeats, prepare, split_by_time
from headtune.data.parts.parts import largest_group
from headtune.data.parts.times import read_times
from headtune.data.repeats.groups import groups_together, merged
from headtune.errors import ColumnError, SplitError
from headtune.options import DataConfig
from headtune.types import PreparedData


def parts_of_rows(prepared: PreparedData) -> dict[int, str]:
    return {example.row: part for part, rows in prepared.parts.items() for example in rows}


def frame_with_copies(n: int = 200) -> pd.DataFrame:
    """n unlike texts, then a near copy of each: another link, digits, capitals or last word."""
    texts = made_texts(n, np.random.default_rng(5))
    changes = ("{} http://a.example/{}", "{} {}", "{}!! {}")
    copies = [changes[i % 3].format(text.upper(), i) for i, text in enumerate(texts)]
    copies[:20] = [text.rsplit(" ", 1)[0] + " end" for text in texts[:20]]
    return pd.DataFrame(
        {"text": texts + copies, "label": ["a", "b", "b", "b"] * (n // 2), "who": range(2 * n)}
    )


def test_near_repeats_stay_in_one_part() -> None:
    prepared = prepare(frame_with_copies(), DataConfig())
    part = parts_of_rows(prepared)
    assert all(part[row] == part[row + 200] for row in range(1, 201))
    assert [len(rows) for rows in prepared.parts.values()] == pytest.approx([280, 40, 80], abs=2)
    assert prepared.summary["near_repeats"] == 200
    leaks: Any = prepared.summary["leaks"]
    assert leaks["test"]["exact"] == leaks["test"]["near"] == 0
    shares = [np.mean([e.label for e in rows]) for rows in prepared.parts.values()]
    assert shares == pytest.approx([0.75, 0.75, 0.75], abs=0.03)
    assert prepare(frame_with_copies(), DataConfig()) == prepared


def test_how_many_near_repeats_stay_together() -> None:
    """At most half of what the smallest part has of a label, on average: (10 of 100) / 2 / 2."""
    part_of_row = ["train"] * 100
    assert largest_group(part_of_row, DataConfig(), 2) == 2.5
    assert largest_group(part_of_row, DataConfig(split="80/0/20"), 2) == 5.0
    assert largest_group(part_of_row, DataConfig(), 5) == 1.0


@needs_tweets
def test_tweets_keep_their_sizes_and_leak_nothing() -> None:
    prepared = prepare(TWEETS, DataConfig(split="80/0/20"))
    assert len(prepared.test) == pytest.approx(1_523, abs=15)
    leaks: Any = prepared.summary["leaks"]
    assert leaks["test"] == {"rows": len(prepared.test), "exact": 0, "near": 0}


def test_a_way_of_writing_is_not_kept_together() -> None:
    frame = pd.DataFrame(
        {
            "text": [f"Order {i} has been shipped to you today" for i in range(100)],
            "label": ["a", "b"] * 50,
        }
    )
    prepared = prepare(frame, DataConfig())
    assert [len(rows) for rows in prepared.parts.values()] == [70, 10, 20]
    assert prepared.summary["near_repeats"] == 99
    leaks: Any = prepared.summary["leaks"]
    assert leaks["test"] == {"rows": 20, "exact": 0, "near": 20}


def test_groups_fall_apart_step_by_step() -> None:
    texts = ["Go to 1 http://a", "go to 1 http://b", "go to 2", "go to 2 ", "go to 3", "else"]
    repeats = find_repeats(texts)
    assert repeats.near.tolist() == [0, 0, 0, 0, 0, 1]

    def groups(most_rows: float) -> Any:
        return np.unique(groups_together(texts, repeats, None, most_rows), return_inverse=True)[
            1
        ].tolist()

    assert groups(5) == [0, 0, 0, 0, 0, 1]
    assert len(set(groups(4))) == 4
    together = groups(1)
    assert len(set(together)) == 5
    assert together[2] == together[3]


def test_own_groups_stay_together_whatever_their_size() -> None:
    texts = [f"a text that says {i}" for i in range(10)]
    own = np.repeat([0, 1], 5)
    groups = groups_together(texts, find_repeats(texts), own, 2)
    assert len(np.unique(groups)) == 2
    assert merged(own, np.array([0, 1, 2, 3, 4, 4, 5, 6, 7, 8])).tolist() == [0] * 10


def test_group_by_keeps_users_together_and_parts_close_to_their_sizes() -> None:
    frame = frame_with_copies()
    frame["who"] = [f"user {i % 40}" for i in range(len(frame))]
    frame.loc[:4, "who"] = None
    prepared = prepare(frame, DataConfig(group_by="who"))
    part = parts_of_rows(prepared)
    found = frame.assign(part=[part[row] for row in range(1, 401)])
    assert found.dropna().groupby("who")["part"].nunique().max() == 1
    assert [len(rows) for rows in prepared.parts.values()] == pytest.approx([280, 40, 80], abs=12)
    assert prepare(frame, DataConfig(group_by="who")) == prepared


def test_group_by_that_cannot_be_met() -> None:
    frame = frame_with_copies().assign(who="everybody")
    with pytest.raises(SplitError, match="With rows of one 'who' together, the validation part"):
        prepare(frame, DataConfig(group_by="who"))
    with pytest.raises(ColumnError, match=r"Column 'whom' is not in the data.*group_by="):
        prepare(frame, DataConfig(group_by="whom"))
    with pytest.raises(SplitError, match="Keep one of them"):
        prepare(frame, DataConfig(group_by="who", split_by_time="who"))


def test_split_by_time_trains_on_the_past() -> None:
    times = np.random.default_rng(0).permutation(1_000) / 7
    train, validation, test = split_by_time(times, (0.7, 0.1, 0.2))
    assert (len(train), len(validation), len(test)) == (700, 100, 200)
    assert times[train].max() < times[validation].min()
    assert times[validation].max() < times[test].min()


def test_rows_of_one_moment_stay_together() -> None:
    times = np.repeat([1.0, 2.0, 3.0, 4.0], [40, 35, 15, 10])
    parts = split_by_time(times, (0.7, 0.1, 0.2))
    assert [np.unique(times[part]).tolist() for part in parts] == [[1, 2], [], [3, 4]]


def test_dates_of_a_table_split_it_and_unreadable_ones_are_set_aside(tmp_path: Path) -> None:
    frame = frame_with_copies()
    frame["date"] = [f"2024-{1 + i // 40:02}-{1 + i % 28:02}" for i in range(400)]
    frame.loc[[3, 9], "date"] = ["yesterday", None]
    path = tmp_path / "dated.csv"
    frame.to_csv(path, index=False)
    prepared = prepare(path, DataConfig(split_by_time="date"))
    assert [len(rows) for rows in prepared.parts.values()] == pytest.approx([279, 40, 80], abs=3)
    assert [(row.row, row.reason, row.content) for row in prepared.set_aside] == [
        (4, "column 'date' has no time that can be read", "'yesterday'"),
        (10, "column 'date' has no time that can be read", "''"),
    ]
    part = parts_of_rows(prepared)
    dates = dict(zip(range(1, 401), frame["date"], strict=True))
    latest = max(dates[row] for row in part if part[row] == "train")
    assert all(dates[row] > latest for row in part if part[row] == "test")


def test_too_few_moments() -> None:
    with pytest.raises(SplitError, match="With rows of one 'who' together, the validation part"):
        prepare(frame_with_copies().assign(who=1), DataConfig(split_by_time="who"))


@pytest.mark.parametrize(
    ("value", "kind"),
    [(time(12, 30), "time64"), (timedelta(hours=2), "duration")],
    ids=["time of day", "duration"],
)
def test_times_that_name_no_day_are_refused(value: object, kind: str) -> None:
    with pytest.raises(SplitError, match=rf"'when' holds {kind}\[us\] values, which name no day"):
        read_times(pa.chunked_array([pa.array([value])]), "when")


def read(values: list[Any]) -> Any:
    return read_times(pa.chunked_array([pa.array(values)]), "when").tolist()


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3],
        [0.5, 1.5, 2.5],
        ["9", "10", "11.5"],
        ["2024-01-31", "2024-02-01T00:00:00+00:00", "2024-02-01 18:30"],
        ["2024-01-31T23:00:00Z", "2024-02-01T01:00:00+01:30", "2024-02-01"],
        ["31.01.2024", "01.02.2024", "02.02.2024"],
        ["01/31/2024 10:00", "02/01/2024 9:00", "02/02/2024 8:00"],
        ["31/01/2024", "01/02/2024", "02/02/2024"],
        ["Wed Aug 27 13:08:45 +0000 2008", "Thu Aug 28 13:08:45 +0000 2008"],
        ["Wed, 27 Aug 2008 13:08:45 -0700", "Thu, 28 Aug 2008 01:08:45 +0000"],
        [date(2024, 1, 31), date(2024, 2, 1)],
        [datetime(2024, 1, 31, 1), datetime(2024, 1, 31, 2)],
    ],
    ids=str,
)
def test_times_of_common_forms_sort(values: list[Any]) -> None:
    times = read(values)
    if values[1:2] == ["2024-02-01T01:00:00+01:30"]:  # 30 minutes after the first one
        assert times[1] - times[0] == 1_800
    assert times == sorted(times)
    assert not np.isnan(times).any()


def test_times_that_cannot_be_read() -> None:
    assert np.isnan(read(["2024-01-31", "soon", "", None, "2024-02-30", "2024-02-01"])[1:5]).all()
    with pytest.raises(SplitError, match="Column 'when' does not hold times, such as 'a'"):
        read(["b", "a", "2024-01-31"])
    with pytest.raises(SplitError, match="does not hold times"):
        read(["", None])
    with pytest.raises(SplitError, match="day and month cannot be told apart"):
        read(["01/02/2024", "03/04/2024"])


def test_leaks_of_given_parts_are_counted_and_shown() -> None:
    frame = frame_with_copies().drop(columns="who")
    frame["part"] = ["train"] * 200 + ["test"] * 120 + ["dev"] * 80
    frame.loc[200:209, "text"] = frame["text"][:10].to_numpy()  # exact copies
    prepared = prepare(frame, DataConfig(split_column="part"))
    leaks: Any = prepared.summary["leaks"]
    assert leaks["test"] == {"rows": 120, "exact": 10, "near": 110}
    assert leaks["validation"] == {"rows": 80, "exact": 0, "near": 80}
    kinds = [(e["part"], e["kind"]) for e in leaks["examples"]]
    assert (
        kinds == [("validation", "near")] * 10 + [("test", "exact")] * 10 + [("test", "near")] * 10
    )
    first = leaks["examples"][10]
    assert (first["row"], first["train_row"], first["text"]) == (201, 1, frame["text"][0])
