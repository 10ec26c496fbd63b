"""A text's answer and the texts that are asked beside it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headtune.batches import collate
from headtune.model import Compute, SequenceClassifier, load_backbone
from headtune.model.attention import packed
from headtune.model.speed import fused
from headtune.options import MachineConfig, ModelConfig
from headtune.predict import Predictor
from headtune.pretrained import find_pretrained
from headtune.tokens import encode_texts, load_tokenizer
from headtune.types import LabelSet
from tests_support import TEXTS

CPU = torch.device("cpu")


def classifier_in(dtype: torch.dtype, folder: Path) -> SequenceClassifier:
    machine = MachineConfig(dtype="bfloat16" if dtype == torch.bfloat16 else "float32")
    compute = Compute(CPU, dtype, "as asked")
    options = ModelConfig(model=str(folder))
    backbone = load_backbone(find_pretrained(str(folder)), options, machine, compute)
    return SequenceClassifier(backbone, 3, compute_dtype=dtype, seed=1).eval()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_exact_answers_are_the_same_bits_in_any_company(
    tiny_llama: Path, dtype: torch.dtype
) -> None:
    """After many short texts alone too, for which weights are packed otherwise."""
    plain = Predictor(
        classifier=classifier_in(dtype, tiny_llama),
        tokenizer=load_tokenizer(find_pretrained(str(tiny_llama))),
        labels=LabelSet(("a", "b", "c")),
        max_length=256,
        max_tokens_per_batch=2_048,
    )
    exact = replace(plain, exact=True)
    texts = [text * (1 + n % 5) for n, text in enumerate(TEXTS)]
    together = exact.predict_proba(texts)
    alone = np.concatenate([exact.predict_proba([text]) for text in texts])
    some = [7, 3, 30, 11]
    few = exact.predict_proba([texts[index] for index in some])
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_array_equal(few, together[some])
    np.testing.assert_allclose(plain.predict_proba(texts), together, atol=0.05)
    assert exact.packing._n_short == 0


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2"])
def test_between_products_predictions_are_computed_in_float32(
    family: str, model_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """States in bfloat16 are nearer to those in float32 than where every step is rounded."""
    folder = model_folder(family)
    examples = encode_texts(TEXTS, load_tokenizer(find_pretrained(str(folder))), 256)

    def states(dtype: torch.dtype) -> torch.Tensor:
        with torch.inference_mode():
            return classifier_in(dtype, folder).pooled_states(collate(examples))

    expected = states(torch.float32)
    in_full = states(torch.bfloat16)
    assert in_full.dtype == torch.float32
    for module in (packed, fused):
        monkeypatch.setattr(module, "computes_in_full", lambda x: False)
    rounded = states(torch.bfloat16)
    assert rounded.dtype == torch.bfloat16
    errors = [(found.float() - expected).square().mean() for found in (in_full, rounded)]
    assert errors[0] < 0.8 * errors[1]
