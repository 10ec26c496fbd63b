"""Properties of the split: nothing lost, nothing twice, no text in two parts, fractions met."""

import time

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtune.data import parse_split, split
from headtune.errors import SplitError

Ints = npt.NDArray[np.int64]
FRACTIONS = [(0.7, 0.1, 0.2), (0.8, 0.0, 0.2), (1.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.34, 0.33, 0.33)]


@st.composite
def tables(draw: st.DrawFn) -> tuple[Ints, Ints]:
    """Labels and groups of rows; now and then a group has rows of two labels."""
    n_rows = draw(st.integers(1, 300))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_labels, n_groups = draw(st.integers(1, 6)), draw(st.integers(1, 2 * n_rows))
    groups = generator.integers(n_groups, size=n_rows)
    labels = groups % n_labels
    if draw(st.booleans()):
        labels = np.where(generator.random(n_rows) < 0.1, (labels + 1) % n_labels, labels)
    return labels, groups


@settings(max_examples=80, deadline=None)
@given(tables(), st.sampled_from(FRACTIONS), st.integers(0, 100))
def test_every_row_is_in_one_part_and_every_group_too(
    table: tuple[Ints, Ints], fractions: tuple[float, float, float], seed: int
) -> None:
    labels, groups = table
    parts = split(labels, groups, fractions, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    seen = [set(groups[part].tolist()) for part in parts]
    assert not seen[0] & (seen[1] | seen[2])
    assert not seen[1] & seen[2]
    assert all((np.diff(part) > 0).all() for part in parts)
    for part, fraction in zip(parts, fractions, strict=True):
        assert fraction > 0 or len(part) == 0
    again = split(labels, groups, fractions, seed)
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))


@settings(max_examples=60, deadline=None)
@given(tables(), st.integers(0, 100))
def test_every_label_is_in_training_and_with_two_texts_in_test(
    table: tuple[Ints, Ints], seed: int
) -> None:
    _, groups = table
    labels = groups % 4  # one label a group
    train, _, test = split(labels, groups, (0.7, 0.1, 0.2), seed)
    for label in np.unique(labels):
        assert label in labels[train]
        if len(np.unique(groups[labels == label])) > 1:
            assert label in labels[test]


@settings(max_examples=60, deadline=None)
@given(st.integers(40, 400), st.integers(1, 4), st.sampled_from(FRACTIONS), st.integers(0, 100))
def test_without_repeats_the_parts_are_as_large_as_asked(
    n_rows: int, n_labels: int, fractions: tuple[float, float, float], seed: int
) -> None:
    labels = np.arange(n_rows) % n_labels
    parts = split(labels, np.arange(n_rows), fractions, seed)
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - fraction * n_rows) <= 1.5
        counts = np.bincount(labels[part], minlength=n_labels)
        assert (np.abs(counts - fraction * np.bincount(labels)) <= 2).all()


def test_groups_miss_the_fractions_by_half_a_group_at_most() -> None:
    groups = np.repeat(np.arange(14), 10)
    train, validation, test = split(groups * 0, groups, (0.7, 0.1, 0.2), 1)
    assert (len(train), len(validation), len(test)) == (100, 10, 30)


def test_large_data_with_repeats_meets_the_fractions_within_a_percent_and_quickly() -> None:
    generator = np.random.default_rng(3)
    groups = generator.zipf(1.5, size=100_000) % 60_000  # some texts thousands of times
    labels = (groups * 7 + 3) % 5
    groups = np.where(generator.random(100_000) < 0.7, np.arange(100_000) + 10**6, groups)
    begin = time.process_time()
    parts = split(labels, groups, (0.7, 0.1, 0.2), 42)
    assert time.process_time() - begin < 2
    largest = np.bincount(groups).max()
    for part, fraction in zip(parts, (0.7, 0.1, 0.2), strict=True):
        assert abs(len(part) / 100_000 - fraction) <= max(0.01, 0.6 * largest / 100_000)


def test_seeds_differ() -> None:
    labels, groups = np.arange(100) % 2, np.arange(100)
    first, second = (split(labels, groups, (0.7, 0.1, 0.2), seed)[0].tolist() for seed in (1, 2))
    assert first != second


def test_a_group_of_two_labels_goes_with_the_more_frequent_one() -> None:
    labels = np.array([0, 1, 1, 0, 0, 1, 1])
    groups = np.array([7, 7, 7, 1, 2, 3, 4])
    for seed in range(20):
        for part in split(labels, groups, (0.5, 0.0, 0.5), seed):
            assert set(part.tolist()) & {0, 1, 2} in (set(), {0, 1, 2})


@pytest.mark.parametrize(
    ("text", "fractions"),
    [
        ("70/10/20", (0.7, 0.1, 0.2)),
        ("0.7/0.1/0.2", (0.7, 0.1, 0.2)),
        ("80/20", (0.8, 0.0, 0.2)),
        (" 80 / 0 / 20 ", (0.8, 0.0, 0.2)),
        ("100/0/0", (1.0, 0.0, 0.0)),
        ("1/0/0", (1.0, 0.0, 0.0)),
        ("33.4/33.3/33.3", (0.334, 0.333, 0.333)),
        ("70%/10%/20%", (0.7, 0.1, 0.2)),
    ],
)
def test_splits_that_are_understood(text: str, fractions: tuple[float, float, float]) -> None:
    assert parse_split(text) == pytest.approx(fractions)
    assert sum(parse_split(text)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("70/10/10", "adds up to 90"),
        ("7/1/2", "adds up to 10"),
        ("0/50/50", "leaves nothing to train on"),
        ("70", "such as 70/10/20"),
        ("70/10/10/10", "such as 70/10/20"),
        ("a/b/c", "received 'a/b/c'"),
        ("110/-10/0", "received '110/-10/0'"),
        ("", "received ''"),
        ("nan/0/0", "received"),
    ],
)
def test_splits_that_are_refused(text: str, expected: str) -> None:
    with pytest.raises(SplitError, match=expected):
        parse_split(text)


def test_what_one_label_owes_a_part_the_next_ones_pay() -> None:
    """Sixty labels of seven rows: each alone would give validation nothing, or twice its share."""
    labels = np.repeat(np.arange(60), 7)
    parts = split(labels, np.arange(len(labels)), (0.7, 0.1, 0.2), seed=1)
    assert [len(part) for part in parts] == pytest.approx([294, 42, 84], abs=2)
