"""A model that gives no numbers is refused where its logits and states are made."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from headtune.errors import ModelError
from headtune.model import (
    Compute,
    Keeper,
    SequenceClassifier,
    attach_trunk,
    load_backbone,
    make_trainable,
    predict_logits,
    predict_states,
)
from headtune.model.finite import check_finite
from headtune.options import MachineConfig, ModelConfig, TuneConfig
from headtune.pretrained import find_pretrained
from headtune.types import TokenizedExample

CPU = Compute(torch.device("cpu"), torch.float32, "as asked")
EXAMPLES = [
    TokenizedExample(np.array(ids, dtype=np.int32), 0, row)
    for row, ids in ((4, [5, 6, 7]), (8, [9, 6]), (15, [9, 5]))
]


def make_classifier(folder: Path) -> SequenceClassifier:
    """A model in which token 9 is damaged."""
    options = ModelConfig(model=str(folder))
    backbone = load_backbone(find_pretrained(str(folder)), options, MachineConfig(), CPU)
    classifier = SequenceClassifier(backbone, 2, seed=1)
    with torch.no_grad():
        classifier.backbone.get_input_embeddings().weight[9, 3] = float("nan")
    return classifier


@pytest.mark.parametrize("predict", [predict_logits, predict_states])
def test_damaged_weights_are_named_and_not_the_probabilities(
    predict: Callable[..., np.ndarray], tiny_llama: Path
) -> None:
    classifier = make_classifier(tiny_llama)
    assert np.isfinite(predict(classifier, EXAMPLES[:1], 100)).all()
    with pytest.raises(ModelError, match=r"row (8|15) and 1 more.*embed_tokens.*Fetch") as refused:
        predict(classifier, EXAMPLES, 100)
    assert refused.value.row in (8, 15)


@pytest.mark.parametrize("tune", ["head", "last-1"])
def test_states_that_are_no_numbers_are_not_kept(tune: str, tiny_llama: Path) -> None:
    classifier = make_classifier(tiny_llama)
    make_trainable(classifier, TuneConfig(tune=tune))
    trunk = attach_trunk(classifier, TuneConfig(tune=tune))
    assert trunk is not None
    assert Keeper(trunk, 100).keep(EXAMPLES[:1]) is not None
    with pytest.raises(ModelError, match=r"is no number .* and 1 more"):
        Keeper(trunk, 100).keep(EXAMPLES)


@pytest.mark.parametrize(
    ("dtype", "way_out"),
    [(torch.float16, r'in float16.*dtype="float32"'), (torch.float32, r"range of float32")],
)
def test_an_overflow_says_what_format_would_do(dtype: torch.dtype, way_out: str) -> None:
    values = torch.tensor([[1.0, 2.0], [float("inf"), 0.0]])
    with pytest.raises(ModelError, match=rf"row 7.*{way_out}"):
        check_finite(values, [6, 7], torch.nn.Linear(2, 2), dtype)
    check_finite(values[:1], [6], torch.nn.Linear(2, 2), dtype)
