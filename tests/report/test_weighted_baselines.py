"""Baselines and the probe learn from rows by their weights, and are measured by them."""

import numpy as np
import pytest

from headtune.report.baselines import baseline_figures, measure_baselines
from headtune.report.frozen_states import FrozenStates, measure_linear_probe
from headtune.types import Example, LabelSet, PreparedData

LABELS = LabelSet(("ham", "spam"))
RANDOM = np.random.default_rng(0)
IDS = RANDOM.integers(0, 2, 60).tolist()
TEXTS = [f"{('lunch at', 'win prize')[i]} {RANDOM.choice(list('abcdef'))}" for i in IDS]
STATES = (RANDOM.normal(size=(60, 4)) + 3 * np.array(IDS)[:, None]).astype(np.float32)


def rows(weight: float = 1.0, *, turned: bool = False) -> tuple[Example, ...]:
    ids = [1 - i if turned else i for i in IDS]
    return tuple(Example(text, i, 1, weight) for text, i in zip(TEXTS, ids, strict=True))


@pytest.mark.parametrize("held_back", [False, True])
@pytest.mark.parametrize(("right", "wrong"), [(1.9, 0.1), (0.1, 1.9)])
def test_of_two_labels_of_a_text_the_heavier_is_learned(
    right: float, wrong: float, *, held_back: bool
) -> None:
    """Every training text occurs twice, with either label."""
    train = rows(right) + rows(wrong, turned=True)
    validation = train if held_back else ()
    data = PreparedData(LABELS, train, validation, rows())
    states = {"train": np.concatenate([STATES, STATES]), "test": STATES}
    places = {"train": np.arange(120), "test": np.arange(60)}
    if held_back:
        states["validation"], places["validation"] = states["train"], places["train"]
    baselines = measure_baselines(data, seed=0)
    baselines["probe"] = measure_linear_probe(FrozenStates(states, places), data, seed=0)
    figures = baseline_figures(baselines, data)
    for name in ("tfidf", "probe"):
        test = figures[name]["test"]
        assert test is not None
        assert (test["accuracy"] > 0.9) if right > wrong else (test["accuracy"] < 0.1)


def test_the_most_frequent_label_is_that_of_most_weight() -> None:
    light = [Example("a", 0, 1, 0.5), Example("b", 0, 2, 0.5), Example("c", 1, 3, 2.0)]
    data = PreparedData(LABELS, tuple(light), (), tuple(light))
    baselines = measure_baselines(data, seed=0)
    np.testing.assert_allclose(baselines["majority"].probabilities["test"][0], [1 / 3, 2 / 3])
    test = baseline_figures(baselines, data)["majority"]["test"]
    assert test is not None
    assert test["accuracy"] == pytest.approx(2 / 3)
