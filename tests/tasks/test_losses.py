"""Losses of one label a text: against torch, by hand, and what training does with them."""

from typing import Any

import pytest
import torch

from headtune.errors import ConfigError
from headtune.options import TrainConfig
from headtune.tasks import SINGLE_LABEL
from headtune.tasks.losses import focal_sum, weighted_sum


@pytest.fixture
def rows() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, labels, weights of labels, weights of rows."""
    torch.manual_seed(0)
    return torch.randn(7, 4) * 3, torch.randint(4, (7,)), torch.rand(4) + 0.5, torch.rand(7)


def test_a_focal_loss_without_focus_is_cross_entropy(
    rows: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    logits, labels, of_labels, of_rows = rows
    for weights in (None, of_labels):
        for row_weights in (None, of_rows):
            assert torch.allclose(
                focal_sum(logits, labels, weights, row_weights, 0.0),
                weighted_sum(logits, labels, weights, row_weights),
            )


def test_the_focal_loss_is_its_formula(
    rows: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    logits, labels, of_labels, of_rows = rows
    p = logits.softmax(1)[torch.arange(7), labels]
    expected = -((1 - p) ** 2) * p.log() * of_labels[labels] * of_rows
    assert torch.allclose(focal_sum(logits, labels, of_labels, of_rows), expected.sum())


def test_certainty_has_a_finite_gradient() -> None:
    logits = torch.tensor([[90.0, 0.0], [0.0, 90.0]], requires_grad=True)
    for gamma in (0.5, 1.0, 2.0):
        (gradient,) = torch.autograd.grad(
            focal_sum(logits, torch.tensor([0, 0]), None, None, gamma), logits
        )
        assert gradient.isfinite().all()


def test_smoothing_spreads_a_share_over_all_labels(
    rows: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    logits, labels, _, of_rows = rows
    log_p = logits.log_softmax(1)
    of_truth, of_all = log_p[torch.arange(7), labels], log_p.mean(1)
    expected = -(0.8 * of_truth + 0.2 * of_all)
    assert torch.allclose(weighted_sum(logits, labels, None, None, 0.2), expected.sum())
    assert torch.allclose(
        weighted_sum(logits, labels, None, of_rows, 0.2), (expected * of_rows).sum()
    )


def test_the_options_choose_the_loss(
    rows: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    logits, labels, *_ = rows
    chosen = {"focal_gamma": 3.0, "label_smoothing": 0.0}
    focal = SINGLE_LABEL.with_loss("focal", **chosen)
    assert torch.equal(
        focal.loss_sum(logits, labels, None), focal_sum(logits, labels, None, None, 3.0)
    )
    plain = SINGLE_LABEL.with_loss("cross-entropy", **chosen)
    assert plain == SINGLE_LABEL
    smooth = SINGLE_LABEL.with_loss("cross-entropy", focal_gamma=2.0, label_smoothing=0.1)
    assert torch.equal(
        smooth.loss_sum(logits, labels, None), weighted_sum(logits, labels, None, None, 0.1)
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"label_smoothing": 1.0}, "below 1; received 1.0"),
        ({"label_smoothing": -0.1}, "at least 0"),
        ({"label_smoothing": float("nan")}, "below 1"),
        ({"focal_gamma": -1.0}, "at least 0"),
        ({"loss": "focal", "label_smoothing": 0.1}, "opposite ways"),
    ],
)
def test_bad_options_are_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        TrainConfig(**options)
