"""8-bit prediction: right to its precision with every product, and honest about what it is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from headtune.errors import ModelError
from headtune.model import (
    Compute,
    SequenceClassifier,
    load_backbone,
    make_trainable,
    predict_logits,
    quantize,
)
from headtune.model.speed import int8
from headtune.model.speed.int8 import PRODUCTS, Int8Linear, Int8Product, quantized_weight
from headtune.options import MachineConfig, ModelConfig, TuneConfig
from headtune.pretrained import find_pretrained
from headtune.tasks.metrics import softmax
from headtune.types import TokenizedExample

CPU = torch.device("cpu")


def make_classifier(folder: Path, tune: str = "last-1", **options: Any) -> SequenceClassifier:
    backbone = load_backbone(
        find_pretrained(str(folder)),
        ModelConfig(model=str(folder)),
        MachineConfig(**options),
        Compute(CPU, torch.float32, "as asked"),
    )
    torch.manual_seed(5)
    classifier = SequenceClassifier(backbone, 2, seed=1)
    make_trainable(classifier, TuneConfig(tune=tune, lora_rank=4))
    for name, parameter in classifier.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.1)
    return classifier.requires_grad_(False).eval()


def make_examples() -> list[TokenizedExample]:
    rng = np.random.default_rng(0)
    return [
        TokenizedExample(rng.integers(2, 300, int(n)).astype(np.int32), None, row)
        for row, n in enumerate(rng.integers(1, 40, 100), start=1)
    ]


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma3_text"])
@pytest.mark.parametrize("tune", ["last-1", "lora"])
def test_labels_hardly_change(family: str, tune: str, model_folder: Callable[[str], Path]) -> None:
    classifier = make_classifier(model_folder(family), tune)
    plain = predict_logits(classifier, make_examples(), 500)
    quantize(classifier)
    layers = [m for m in classifier.backbone.modules() if isinstance(m, Int8Linear)]
    assert len(layers) == (8 if family == "gpt2" else 14)
    assert not any(type(m) is nn.Linear for m in classifier.backbone.modules())
    quantized = predict_logits(classifier, make_examples(), 500)
    assert 0 < np.abs(quantized - plain).mean() < 0.05 * np.abs(plain).mean()
    assert (quantized.argmax(1) == plain.argmax(1)).mean() >= 0.95
    assert np.abs(softmax(quantized) - softmax(plain)).max() < 0.05


def test_company_does_not_change_an_answer(tiny_llama: Path) -> None:
    """Scales are of each token, so neighbours in a batch do not matter."""
    classifier = make_classifier(tiny_llama)
    quantize(classifier)
    together = predict_logits(classifier, make_examples(), 4_000)
    np.testing.assert_allclose(predict_logits(classifier, make_examples(), 1), together, atol=1e-5)


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda p: f"{p.name}-{p.weight_bits}")
def test_a_product_that_is_taken_for_right_is_right(product: Int8Product) -> None:
    if not int8._is_right(product, CPU):
        pytest.skip("this machine's integers overflow, or this build of torch has no such product")
    generator = torch.Generator().manual_seed(0)
    x, weight, bias = (
        torch.randn(*shape, generator=generator) for shape in ((7, 3, 64), (48, 64), (48,))
    )
    layer = Int8Linear(weight, bias, product)
    integers, scale = quantized_weight(weight, product.weight_bits)
    token_scale = x.abs().amax(-1, keepdim=True) / 127
    expected = (x / token_scale).round() * token_scale @ (integers * scale[:, None]).t() + bias
    torch.testing.assert_close(layer(x), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(layer(torch.zeros(2, 64)), bias.expand(2, -1))


def test_a_product_that_overflows_is_found_out() -> None:
    def in_16_bits(x: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        pairs = x[:, None, ::2].int() * weight[:, ::2] + x[:, None, 1::2].int() * weight[:, 1::2]
        return pairs.clamp(-(2**15), 2**15 - 1).sum(-1) * scale

    overflows = Int8Product("16 bits", 8, lambda weight: weight, in_16_bits)
    assert int8._is_right(replace(overflows, weight_bits=7), CPU)
    assert not int8._is_right(replace(PRODUCTS[-1], multiply=lambda x, w, s: x[:, :32] * s), CPU)
    unsigned = Int8Product("pairs of u8", 8, lambda w: w, lambda x, w, s: in_16_bits(x, w * 2, s))
    assert not int8._is_right(unsigned, CPU)


def test_what_is_chosen_says_whether_it_pays() -> None:
    product = replace(PRODUCTS[1], speed_up=0.5)
    assert "weights of 7 bits: 2.0 times slower than float32" in product.sentence(torch.float32)
    product = replace(PRODUCTS[0], speed_up=2.5)
    assert "oneDNN: 2.5 times as fast as bfloat16 here" in product.sentence(torch.bfloat16)


def test_a_spread_model_is_refused(tiny_llama: Path, tmp_path: Path) -> None:
    places = {"embed_tokens": "cpu", "layers.0": "disk", "layers.1": "cpu", "norm": "cpu"}
    spread = make_classifier(
        tiny_llama, device_map=places | {"rotary_emb": "cpu"}, offload_folder=tmp_path
    )
    with pytest.raises(ModelError, match="Leave out device_map="):
        quantize(spread)
