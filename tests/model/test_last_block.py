"""The last block computes the pooled rows only, and gives the same logits and gradients."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from headtune.batches import PackedBatch, collate
from headtune.model import Compute, SequenceClassifier, load_backbone, make_trainable
from headtune.options import MachineConfig, ModelConfig, TuneConfig
from headtune.pretrained import find_pretrained
from headtune.types import TokenizedExample

FAMILIES = ["gpt2", "llama", "qwen3", "mistral", "gemma3_text"]


def make_classifier(folder: Path, tune: str, **options: object) -> SequenceClassifier:
    config = ModelConfig(model=str(folder), **options)  # type: ignore[arg-type]
    compute = Compute(torch.device("cpu"), torch.float32, "as asked")
    backbone = load_backbone(find_pretrained(str(folder)), config, MachineConfig(), compute)
    classifier = SequenceClassifier(
        backbone, 2, pooling=config.pooling, attention=config.attention, seed=1
    )
    make_trainable(classifier, TuneConfig(tune=tune, lora_rank=4))
    return classifier.eval()


def make_batch() -> PackedBatch:
    rng = np.random.default_rng(0)
    lengths = (5, 17, 1, 9, 30, 2)
    return collate(
        [
            TokenizedExample(rng.integers(2, 300, n).astype(np.int32), row % 2, row)
            for row, n in enumerate(lengths)
        ]
    )


def logits_and_gradients(
    classifier: SequenceClassifier,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    classifier.zero_grad()
    logits = classifier(make_batch())
    torch.autograd.backward((logits * torch.arange(12.0).view(6, 2)).sum())
    gradients = {n: p.grad for n, p in classifier.named_parameters() if p.grad is not None}
    return logits.detach(), {name: gradient.clone() for name, gradient in gradients.items()}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tune", ["last-1", "lora", "full"])
@pytest.mark.parametrize("pooling", ["last", "first"])
@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
def test_pruned_equals_plain(
    family: str, tune: str, pooling: str, attention: str, model_folder: Callable[[str], Path]
) -> None:
    classifier = make_classifier(model_folder(family), tune, pooling=pooling, attention=attention)
    assert len(classifier.pruned_modules) >= 2
    pruned, pruned_gradients = logits_and_gradients(classifier)
    classifier.prunes_last_block = False
    assert classifier.pruned_modules == ()
    plain, gradients = logits_and_gradients(classifier)
    torch.testing.assert_close(pruned, plain, atol=1e-5, rtol=0)
    assert pruned_gradients.keys() == gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(pruned_gradients[name], gradient, atol=1e-4, rtol=1e-4, msg=name)


def test_the_mlp_of_the_last_block_sees_pooled_rows_only(tiny_llama: Path) -> None:
    classifier = make_classifier(tiny_llama, "last-1")
    seen: list[int] = []
    for block in classifier.backbone.layers:
        block.mlp.up_proj.register_forward_pre_hook(
            lambda module, args: seen.append(args[0].shape[1])
        )
    classifier(make_batch())
    assert seen == [64, 6]


def test_mean_pooling_reads_every_row(tiny_llama: Path) -> None:
    assert make_classifier(tiny_llama, "last-1", pooling="mean").pruned_modules == ()
