"""A row of weight 3 counts as the row three times: in losses, figures, calibration, baselines."""

import numpy as np
import pytest
import torch

from headtune.options import RunConfig
from headtune.tasks import SINGLE_LABEL
from headtune.tasks.decision import threshold_for_precision, threshold_for_recall
from headtune.tasks.settle import settle
from headtune.types import LabelSet

LABELS = LabelSet(("ham", "spam", "other"))
RANDOM = np.random.default_rng(3)
LOGITS = RANDOM.normal(scale=2, size=(40, 3))
TARGETS = RANDOM.integers(3, size=40)
WEIGHTS = RANDOM.integers(1, 4, size=40).astype(np.float64)
TIMES = WEIGHTS.astype(int)
PROBABILITIES = SINGLE_LABEL.probabilities(LOGITS)


def repeated(rows: np.ndarray) -> np.ndarray:
    return np.repeat(rows, TIMES, axis=0)


def test_figures() -> None:
    found = SINGLE_LABEL.metrics(PROBABILITIES, TARGETS, LABELS, WEIGHTS)
    expected = SINGLE_LABEL.metrics(repeated(PROBABILITIES), repeated(TARGETS), LABELS)
    plain = SINGLE_LABEL.metrics(PROBABILITIES, TARGETS, LABELS)
    for figure in SINGLE_LABEL.headline:
        assert figure.of(found) == pytest.approx(figure.of(expected))
        assert figure.of(found) != pytest.approx(figure.of(plain), rel=1e-3)
    for name in LABELS.names:
        for key in ("precision", "recall", "f1"):
            ours = dict(found["per_label"][name])[key]
            assert ours == pytest.approx(dict(expected["per_label"][name])[key])
    assert found["n"] == 40
    assert found["confusion"] == plain["confusion"]
    assert sum(label["support"] for label in found["per_label"].values()) == 40


def test_loss_and_gradient() -> None:
    label_weights = torch.tensor([1.0, 2.0, 0.5])
    for weights in (None, label_weights):
        ours, theirs = (torch.tensor(LOGITS, requires_grad=True) for _ in range(2))
        rows, row_weights = torch.tensor(TARGETS), torch.tensor(WEIGHTS)
        of_labels = None if weights is None else weights.double()
        loss = SINGLE_LABEL.loss_sum(ours, rows, of_labels, row_weights)
        weight = SINGLE_LABEL.step_weight(rows, of_labels, row_weights)
        torch.autograd.backward(loss / weight)
        more = torch.repeat_interleave(theirs, torch.tensor(TIMES), dim=0)
        targets = torch.tensor(repeated(TARGETS))
        expected = SINGLE_LABEL.loss_sum(more, targets, of_labels)
        torch.autograd.backward(expected / SINGLE_LABEL.step_weight(targets, of_labels))
        assert loss.item() == pytest.approx(expected.item())
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_weights_of_labels() -> None:
    found = SINGLE_LABEL.loss_weights(TARGETS, LABELS, WEIGHTS)
    np.testing.assert_allclose(found, SINGLE_LABEL.loss_weights(repeated(TARGETS), LABELS))


def test_calibration_and_thresholds() -> None:
    found = SINGLE_LABEL.calibrate(LOGITS, TARGETS, WEIGHTS)
    assert found == pytest.approx(SINGLE_LABEL.calibrate(repeated(LOGITS), repeated(TARGETS)))
    assert found != pytest.approx(SINGLE_LABEL.calibrate(LOGITS, TARGETS), rel=1e-3)
    column, is_spam = PROBABILITIES[:, 1], TARGETS == 1
    for find in (threshold_for_precision, threshold_for_recall):
        for wanted in np.linspace(0.1, 0.95, 12):
            ours = find(column, is_spam, wanted, WEIGHTS)
            assert ours == find(repeated(column), repeated(is_spam), wanted)


def test_all_that_validation_settles() -> None:
    decide = {"target_precision": ("spam=0.6",), "target_recall": ("ham=0.8",)}
    config = RunConfig.from_dict({"source": "x", "decide": decide})
    found = settle(LOGITS, TARGETS, LABELS, config, row_weights=WEIGHTS)
    expected = settle(repeated(LOGITS), repeated(TARGETS), LABELS, config)
    assert found.temperature == pytest.approx(expected.temperature)
    assert found.rule.thresholds == pytest.approx(expected.rule.thresholds)
    assert found.rule.thresholds.keys() == {"spam", "ham"}
    assert found.n_rows == 40


def test_baselines() -> None:
    ours = SINGLE_LABEL.constant(TARGETS, 2, LABELS, WEIGHTS)
    np.testing.assert_allclose(ours, SINGLE_LABEL.constant(repeated(TARGETS), 2, LABELS))
    model = SINGLE_LABEL.fit_linear(LOGITS, TARGETS, 1.0, WEIGHTS)
    other = SINGLE_LABEL.fit_linear(repeated(LOGITS), repeated(TARGETS), 1.0)
    found, expected = (
        SINGLE_LABEL.linear_probabilities(each, LOGITS, LABELS) for each in (model, other)
    )
    np.testing.assert_allclose(found, expected, atol=1e-3)
    loss = SINGLE_LABEL.loss(found, TARGETS, LABELS, WEIGHTS)
    assert loss == pytest.approx(SINGLE_LABEL.loss(repeated(found), repeated(TARGETS), LABELS))
