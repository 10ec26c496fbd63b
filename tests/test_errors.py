"""Errors carry what they are about, and each reader is told of options in his own words."""

import pickle

import pytest

from headtune import errors
from headtune.cli.flags import as_flag
from headtune.errors import ColumnError, HeadtuneError, option

TREE = [
    getattr(errors, name)
    for name in errors.__all__
    if isinstance(getattr(errors, name), type) and issubclass(getattr(errors, name), HeadtuneError)
]


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_every_error_carries_what_it_is_about(kind: type[HeadtuneError]) -> None:
    error = kind("No such column.", option="label", row=3, column="kind", way_out="Look again.")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own, a moment ago
    for one in (error, again):
        assert (one.option, one.row, one.column) == ("label", 3, "kind")
        assert str(one) == "No such column. Look again."


@pytest.mark.parametrize(
    ("proposed", "python", "flag"),
    [
        (option("label"), "label=", "--label"),
        (
            option("split_by_time", "sent at"),
            'split_by_time="sent at"',
            "--split-by-time 'sent at'",
        ),
        (option("max_length", 512), "max_length=512", "--max-length 512"),
        (option("resume", True), "resume=True", "--resume"),
        (option("keep_best", False), "keep_best=False", "--no-keep-best"),
    ],
)
def test_an_option_has_the_reader_s_own_name(proposed: str, python: str, flag: str) -> None:
    error = ColumnError("Not found.", way_out=f"Give {proposed}.")
    assert str(error) == f"Not found. Give {python}."
    assert error.worded(as_flag) == f"Not found. Give {flag}."


def test_a_message_around_another_keeps_its_options_open() -> None:
    inner = ColumnError("Not found.", way_out=f"Give {option('label')}.")
    outer = ColumnError(f"In part 2: {inner.text}")
    assert outer.worded(as_flag) == "In part 2: Not found. Give --label."


def test_a_server_gets_plain_values() -> None:
    error = ColumnError("No.", option="label", row=2, way_out=f"Give {option('label', 'kind')}.")
    assert error.to_dict() == {
        "type": "ColumnError",
        "message": "No.",
        "way_out": 'Give label="kind".',
        "option": "label",
        "row": 2,
        "column": None,
    }
