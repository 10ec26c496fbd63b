"""Packing loses nothing, doubles nothing, keeps the budget, and is deterministic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtune.batches import StepCollator, StepSampler, collate, pack, share_out
from headtune.types import TokenizedExample

lengths_and_budget = st.tuples(
    st.lists(st.integers(1, 300), max_size=120), st.integers(1, 500), st.integers(1, 8)
)


@given(lengths_and_budget)
def test_every_index_is_in_exactly_one_bin(case: tuple[list[int], int, int]) -> None:
    lengths, budget, min_bins = case
    bins = pack(lengths, budget, min_bins)
    assert sorted(index for indices in bins for index in indices) == list(range(len(lengths)))
    assert bins == pack(lengths, budget, min_bins)


@given(lengths_and_budget)
def test_no_bin_exceeds_the_budget_unless_it_is_one_text(case: tuple[list[int], int, int]) -> None:
    lengths, budget, min_bins = case
    for indices in pack(lengths, budget, min_bins):
        assert sum(lengths[index] for index in indices) <= budget or len(indices) == 1


@given(lengths_and_budget)
def test_min_bins_are_made_where_there_are_texts(case: tuple[list[int], int, int]) -> None:
    lengths, budget, min_bins = case
    assert len(pack(lengths, budget, min_bins)) >= min(min_bins, len(lengths))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200))
def test_short_texts_fill_the_bins(lengths: list[int]) -> None:
    """All bins but the last are fuller than what the next text would have needed."""
    bins = pack(lengths, 1_000)
    for indices in bins[:-1]:
        assert sum(lengths[index] for index in indices) > 1_000 - 60


def test_the_largest_text_comes_first() -> None:
    assert pack([3, 9, 4], 5)[0] == [1]


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 8))
def test_shares_lose_nothing_and_are_of_like_work(lengths: list[int], n_shares: int) -> None:
    shares = share_out(lengths, n_shares)
    assert len(shares) == n_shares
    assert sorted(index for share in shares for index in share) == list(range(len(lengths)))
    work = [sum(lengths[index] for index in share) for share in shares]
    assert max(work) - min(work) <= max(lengths, default=0)


@pytest.mark.parametrize(("lengths", "budget"), [([1, 0], 5), ([1], 0)])
def test_impossible_lengths_and_budgets_are_refused(lengths: list[int], budget: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        pack(lengths, budget)


def make_example(row: int, length: int, label: int | None = 0) -> TokenizedExample:
    return TokenizedExample(np.full(length, row, dtype=np.int32), label, row)


def test_collate_concatenates_and_marks_the_boundaries() -> None:
    batch = collate([make_example(1, 3), make_example(2, 1), make_example(3, 2)])
    assert batch.input_ids.tolist() == [1, 1, 1, 2, 3, 3]
    assert batch.position_ids.tolist() == [0, 1, 2, 0, 0, 1]
    assert batch.cu_seqlens.tolist() == [0, 3, 4, 6]
    assert (batch.n_tokens, batch.n_sequences, batch.max_seqlen) == (6, 3, 3)
    assert batch.rows == (1, 2, 3)


def test_labels_are_there_only_if_all_are_known() -> None:
    known = collate([make_example(1, 2, 1), make_example(2, 2, 0)])
    assert known.labels is not None
    assert known.labels.tolist() == [1, 0]
    assert collate([make_example(1, 2, 1), make_example(2, 2, None)]).labels is None


def test_a_step_is_split_under_the_budget() -> None:
    examples = [make_example(row, length) for row, length in enumerate([5, 4, 3, 2, 1], start=1)]
    batches = StepCollator(max_tokens_per_batch=6)(examples)
    assert [batch.n_tokens for batch in batches] == [5, 4, 6]
    assert sorted(row for batch in batches for row in batch.rows) == [1, 2, 3, 4, 5]


def test_a_step_is_split_for_gradient_accumulation() -> None:
    examples = [make_example(row, 2) for row in range(1, 7)]
    assert len(StepCollator(1_000, min_micro_batches=3)(examples)) == 3


def test_sampler_shuffles_each_epoch_anew_and_repeatably() -> None:
    sampler = StepSampler(10, 4, seed=1)
    first = list(sampler)
    assert [len(step) for step in first] == [4, 4, 2] == [4] * (len(sampler) - 1) + [2]
    assert sorted(index for step in first for index in step) == list(range(10))
    assert first == list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first
    assert list(StepSampler(10, 4, seed=2)) != first
