"""Balance: what each way does to the number of rows of each label."""

import numpy as np
import pytest

from headtune.data import class_weights
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


def test_class_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    assert class_weights(LABELS, 3) == pytest.approx(expected)
    assert class_weights(LABELS, 3)[LABELS].mean() == pytest.approx(1)


def test_a_label_without_rows_weighs_nothing() -> None:
    assert class_weights(np.array([0, 0, 2, 2]), 3).tolist() == pytest.approx([2 / 3, 0, 2 / 3])
