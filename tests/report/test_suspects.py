"""frozen_states.py and suspects.py: states with planted structure, labels turned round."""

import numpy as np
import numpy.typing as npt
import pytest

from headtune.report import suspects
from headtune.report.baselines import baseline_figures
from headtune.report.frozen_states import FrozenStates, measure_linear_probe
from headtune.report.suspects import doubt_order, find_suspects, out_of_fold
from headtune.types import Example, LabelSet, PreparedData

LABELS = LabelSet(("ham", "spam", "never"))
N = 600


def planted(
    n: int = N, n_flipped: int = 30, seed: int = 0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """States around two centres that overlap a little, label ids, and which of these are wrong."""
    generator = np.random.default_rng(seed)
    ids = generator.integers(0, 2, size=n)
    states = generator.normal(size=(n, 16)) + 4.5 * ids[:, None] * np.eye(16)[0]
    flipped = generator.choice(n, size=n_flipped, replace=False)
    said = ids.copy()
    said[flipped] = 1 - said[flipped]
    return states.astype(np.float32), said, np.sort(flipped)


def data_of(ids: npt.NDArray[np.int64], n_train: int) -> PreparedData:
    rows = [Example(f"text {n}", int(label), n + 1) for n, label in enumerate(ids)]
    return PreparedData(LABELS, tuple(rows[:n_train]), (), tuple(rows[n_train:]))


def frozen_of(states: npt.NDArray[np.float32], n_train: int) -> FrozenStates:
    parts = {"test": states[n_train:], "train": states[:n_train]}
    return FrozenStates(parts, {name: np.arange(len(part)) for name, part in parts.items()})


@pytest.mark.parametrize("seed", range(3))
def test_labels_that_were_turned_round_are_the_most_doubtful(seed: int) -> None:
    states, ids, flipped = planted(seed=seed)
    texts = [str(n) for n in range(N)]
    order, _ = doubt_order(out_of_fold(states, ids, texts, LABELS), ids)
    assert np.isin(order[: len(flipped)], flipped).mean() >= 0.6


def test_one_text_alone_is_not_judged() -> None:
    states, ids, _ = planted(40)
    rows = tuple(Example("Text" if n % 2 else "text", int(k), n) for n, k in enumerate(ids))
    found = find_suspects(frozen_of(states, 40), PreparedData(LABELS, rows, (), ()))
    assert found["suspect_labels"] == []
    assert found["suspects_checked"]["rows"] == 40


def test_suspects_are_listed_with_row_part_and_both_labels() -> None:
    states, ids, flipped = planted()
    found = find_suspects(frozen_of(states, 400), data_of(ids, 400))
    listed = found["suspect_labels"]
    assert found["suspects_checked"]["rows"] == found["suspects_checked"]["of"] == N
    assert 15 <= found["suspects_checked"]["suspected"] == len(listed) <= 50
    assert np.mean([entry["row"] - 1 in flipped for entry in listed]) > 0.6
    for entry in listed:
        assert entry["part"] == ("train" if entry["row"] <= 400 else "test")
        assert entry["text"] == f"text {entry['row'] - 1}"
        assert entry["label"] == LABELS.names[ids[entry["row"] - 1]]
        assert {entry["label"], entry["suggested"]} == {"ham", "spam"}
        assert entry["probability"] < 0.5
    probabilities = [entry["probability"] for entry in listed]
    assert probabilities == sorted(probabilities)


def test_right_labels_that_are_easy_are_not_suspected() -> None:
    states, ids, _ = planted(n_flipped=0)
    states[:, 0] *= 10
    found = find_suspects(frozen_of(states, 400), data_of(ids, 400))
    assert found["suspects_checked"]["suspected"] <= 3


def test_a_repeat_does_not_answer_for_its_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise that occurs twice, and a head that learns it by heart: were a row's twin among those
    that it is judged by, each label would seem right."""
    monkeypatch.setattr(suspects, "C", 1.0)
    generator = np.random.default_rng(1)
    states = np.repeat(generator.normal(size=(60, 200)), 2, axis=0).astype(np.float32)
    ids = np.repeat(generator.integers(0, 2, size=60), 2)
    twins = [f"Text {n // 2}".upper() if n % 2 else f"text {n // 2}" for n in range(120)]
    apart = [f"text {n}" for n in range(120)]
    honest = out_of_fold(states, ids, twins, LABELS).argmax(axis=1) == ids
    leaked = out_of_fold(states, ids, apart, LABELS).argmax(axis=1) == ids
    assert leaked.mean() > 0.8
    assert honest.mean() < 0.7


def test_too_few_rows_accuse_nobody() -> None:
    states, ids, _ = planted(n=12, n_flipped=1)
    found = find_suspects(frozen_of(states, 8), data_of(ids, 8))
    assert found["suspect_labels"] == []
    assert found["suspects_checked"] == {"rows": 12, "of": 12, "suspected": 0}


def test_the_linear_probe_reads_the_states_and_only_the_training_rows() -> None:
    states, ids, _ = planted(n_flipped=0)
    data = data_of(ids, 400)
    probe = measure_linear_probe(frozen_of(states, 400), data, seed=0)
    figures = baseline_figures({"linear_probe": probe}, data)["linear_probe"]
    assert figures["validation"] is None
    assert figures["test"] is not None
    assert figures["test"]["n"] == 200
    assert figures["test"]["accuracy"] > 0.95
    assert figures["train_rows"] == 400
    noise = np.random.default_rng(2).normal(size=states.shape).astype(np.float32)
    ignorant = measure_linear_probe(frozen_of(noise, 400), data, seed=0)
    of_noise = baseline_figures({"x": ignorant}, data)["x"]["test"]
    assert of_noise is not None
    assert of_noise["accuracy"] < 0.62
