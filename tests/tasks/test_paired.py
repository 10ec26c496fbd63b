"""paired.py: the same verdicts as scipy's and statsmodels' on the same tables."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import bootstrap
from statsmodels.stats.contingency_tables import mcnemar

from headtune.errors import PredictionError
from headtune.tasks.paired import compare_paired, mcnemar_p_value

TABLES = [(0, 0, 5), (3, 1, 0), (16, 40, 944), (120, 68, 1335), (70, 0, 30), (5, 5, 90)]
"""Rows that only the first gets right, only the second, and both or neither: a third neither."""


def answers(
    only_first: int, only_second: int, same: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    counts = [only_first, only_second, same - same // 3, same // 3]
    first = np.repeat([True, False, True, False], counts)
    second = np.repeat([False, True, True, False], counts)
    order = np.random.default_rng(3).permutation(len(first))
    return first[order], second[order]


@pytest.mark.parametrize(("only_first", "only_second", "same"), TABLES)
def test_the_p_value_is_that_of_statsmodels(only_first: int, only_second: int, same: int) -> None:
    table = [[same - same // 3, only_first], [only_second, same // 3]]
    expected = mcnemar(table, exact=True).pvalue
    assert mcnemar_p_value(only_first, only_second) == pytest.approx(expected, rel=1e-12)
    found = compare_paired(*answers(only_first, only_second, same))
    assert found.p_value == pytest.approx(expected, rel=1e-12)
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.n == only_first + only_second + same


@pytest.mark.parametrize(("only_first", "only_second", "same"), TABLES[2:])
def test_the_interval_is_that_of_scipys_paired_bootstrap(
    only_first: int, only_second: int, same: int
) -> None:
    first, second = answers(only_first, only_second, same)
    found = compare_paired(first, second)
    expected = bootstrap(
        (first.astype(float), second.astype(float)),
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=5_000,
        batch=500,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    width = expected.high - expected.low
    assert found.interval == pytest.approx((expected.low, expected.high), abs=0.08 * width)
    assert found.interval[0] <= found.difference <= found.interval[1]


@pytest.mark.parametrize("table", [*TABLES, (30, 17, 456)])
def test_swapped_all_is_negated_and_the_p_value_stays(table: tuple[int, int, int]) -> None:
    first, second = answers(*table)
    forth, back = compare_paired(first, second), compare_paired(second, first)
    assert forth.difference == pytest.approx((table[0] - table[1]) / sum(table))
    assert back.difference == -forth.difference
    assert back.interval == (-forth.interval[1], -forth.interval[0])
    assert "-0.0" not in map(str, (*forth.interval, *back.interval))
    assert back.p_value == forth.p_value
    assert (back.only_second, back.only_first) == (forth.only_first, forth.only_second)


def test_the_same_seed_gives_the_same_interval() -> None:
    pair = answers(40, 16, 100)
    assert compare_paired(*pair, seed=5) == compare_paired(*pair, seed=5)
    assert compare_paired(*pair, seed=5).interval != compare_paired(*pair, seed=6).interval


@pytest.mark.parametrize(("first", "second"), [([], []), ([True], [True, False])])
def test_answers_of_other_rows_are_refused(first: list[bool], second: list[bool]) -> None:
    with pytest.raises(PredictionError, match="same rows"):
        compare_paired(np.array(first, dtype=bool), np.array(second, dtype=bool))
