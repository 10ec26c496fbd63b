"""Balance: what each way does to the number of rows of each label."""

import numpy as np

from headtune.data.parts.balance import oversample, undersample

LABELS = np.array([0] * 50 + [1] * 7 + [2] * 20)


def test_undersample_keeps_as_many_of_each_in_their_order() -> None:
    kept = undersample(LABELS, seed=1)
    assert np.bincount(LABELS[kept]).tolist() == [7, 7, 7]
    assert (np.diff(kept) > 0).all()
    assert kept.tolist() == undersample(LABELS, seed=1).tolist()
    assert kept.tolist() != undersample(LABELS, seed=2).tolist()


def test_oversample_repeats_evenly_and_loses_nothing() -> None:
    chosen = oversample(LABELS, seed=1)
    assert np.bincount(LABELS[chosen]).tolist() == [50, 50, 50]
    times = np.bincount(chosen)
    assert (times[:50] == 1).all()
    assert set(times[50:57]) == {7, 8}
    assert set(times[57:]) == {2, 3}
    assert chosen.tolist() == oversample(LABELS, seed=1).tolist()
    assert chosen.tolist() != oversample(LABELS, seed=2).tolist()
