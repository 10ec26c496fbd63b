"""Frozen layers run once: the same logits, the same trained weights, and they do not run again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from headtune.batches import KeptExample, collate
from headtune.model import (
    Compute,
    SequenceClassifier,
    StateStore,
    TrunkIdentity,
    attach_trunk,
    load_backbone,
    make_trainable,
    predict_logits,
    text_key,
    trained_state,
)
from headtune.options import MachineConfig, ModelConfig, TrainConfig, TuneConfig
from headtune.pretrained import find_pretrained
from headtune.progress import SilentProgress
from headtune.training import fit
from headtune.types import LabelSet, TokenizedExample
from tests_support import keep_states

IDENTITY = TrunkIdentity(
    model="tiny",
    weights="0",
    depth="last",
    attention="causal",
    pooling="",
    dtype="float32",
    device="cpu",
    libraries="torch",
)
FAMILIES = ["gpt2", "llama", "qwen3", "mistral", "gemma3_text"]


def tune_config(tune: str) -> TuneConfig:
    """``"lora last-1"`` is LoRA in the last block."""
    tune, _, layers = tune.partition(" ")
    return TuneConfig(tune=tune, lora_layers=layers or "all", lora_rank=4)


def make_classifier(
    folder: Path, tune: str, dtype: torch.dtype = torch.float32, **options: object
) -> SequenceClassifier:
    config = ModelConfig(model=str(folder), **options)  # type: ignore[arg-type]
    compute = Compute(torch.device("cpu"), dtype, "as asked")
    backbone = load_backbone(find_pretrained(str(folder)), config, MachineConfig(), compute)
    classifier = SequenceClassifier(
        backbone, 2, pooling=config.pooling, attention=config.attention, compute_dtype=dtype, seed=1
    )
    torch.manual_seed(3)  # of the adapters
    make_trainable(classifier, tune_config(tune))
    return classifier.eval()


def make_examples(n: int = 24) -> list[TokenizedExample]:
    rng = np.random.default_rng(0)
    return [
        TokenizedExample(
            rng.integers(2, 300, int(rng.integers(1, 30))).astype(np.int32), row % 2, row
        )
        for row in range(1, n + 1)
    ]


def keep(classifier: SequenceClassifier, tune: str) -> list[KeptExample]:
    trunk = attach_trunk(classifier, tune_config(tune))
    assert trunk is not None
    return keep_states(trunk, make_examples())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tune", ["head", "last-1"])
def test_logits_are_the_same(family: str, tune: str, model_folder: Callable[[str], Path]) -> None:
    classifier = make_classifier(model_folder(family), tune)
    expected = predict_logits(classifier, make_examples(), 100)
    kept = keep(classifier, tune)
    np.testing.assert_allclose(predict_logits(classifier, kept, 60), expected, atol=1e-5)
    again = predict_logits(classifier, make_examples(), 100)
    np.testing.assert_array_equal(again, expected)


@pytest.mark.parametrize("tune", ["head", "last-1"])
@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_pooling_and_direction_are_honoured(tiny_llama: Path, tune: str, pooling: str) -> None:
    classifier = make_classifier(tiny_llama, tune, pooling=pooling, attention="bidirectional")
    expected = predict_logits(classifier, make_examples(), 100)
    kept = keep(classifier, tune)
    np.testing.assert_allclose(predict_logits(classifier, kept, 60), expected, atol=1e-5)


def test_frozen_blocks_do_not_run_again(tiny_llama: Path) -> None:
    classifier = make_classifier(tiny_llama, "last-1")
    runs = {"mlp": 0}

    def count(module: object, args: object, output: object) -> None:
        runs["mlp"] += 1

    classifier.backbone.layers[0].mlp.register_forward_hook(count)
    kept = keep(classifier, "last-1")
    assert runs["mlp"] > 0
    runs["mlp"] = 0
    predict_logits(classifier, kept, 60)
    assert runs["mlp"] == 0
    classifier(collate(make_examples()))
    assert runs["mlp"] == 1


@pytest.mark.parametrize(
    ("family", "where"), [("gpt2", "disk"), ("llama", "memory"), ("llama", "disk")]
)
@pytest.mark.parametrize("tune", ["head", "last-1", "lora last-1"])
def test_trained_weights_equal_those_of_training_without(
    family: str,
    tune: str,
    where: str,
    model_folder: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "cache"))
    plain, short = (make_classifier(model_folder(family), tune) for _ in range(2))
    kept = keep(short, tune)
    if where == "disk":
        StateStore(IDENTITY, 10**9).write({text_key(e): e.states for e in kept})
        read = StateStore(IDENTITY, 10**9).find(map(text_key, kept))
        assert len(read) == len(kept)
        kept = [KeptExample.of(example, read[text_key(example)]) for example in kept]
    for module in (*plain.modules(), *short.modules()):  # two runs draw different dropout masks
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for classifier, examples in ((plain, make_examples()), (short, kept)):
        fit(
            classifier,
            LabelSet(("a", "b")),
            examples,
            examples[:6],
            TrainConfig(epochs=3, batch_size=8, learning_rate=1e-3),
            tune=tune_config(tune).tune,
            balance="weights",
            max_tokens_per_batch=50,
            folder=tmp_path / str(id(classifier)),
            progress=SilentProgress(),
        )
    expected = trained_state(plain)
    for name, tensor in trained_state(short).items():
        if name.endswith("c_attn.bias"):
            # A bias of the keys moves all scores of a query alike, which softmax does not see: its
            # gradient is rounding, which Adam scales up. Queries and values are compared.
            tensor[32:64] = expected[name][32:64]
        torch.testing.assert_close(tensor, expected[name], atol=1e-6, rtol=0, msg=name)


def test_states_are_kept_in_the_compute_dtype(tiny_llama: Path) -> None:
    classifier = make_classifier(tiny_llama, "last-1", torch.bfloat16)
    expected = predict_logits(classifier, make_examples(), 100)
    trunk = attach_trunk(classifier, TuneConfig(tune="last-1"))
    assert trunk is not None
    kept = keep_states(trunk, make_examples())
    assert {example.states.dtype for example in kept} == {torch.bfloat16}
    assert [trunk.n_bytes(example) for example in kept] == [
        example.states.numel() * example.states.itemsize for example in kept
    ]
    np.testing.assert_allclose(predict_logits(classifier, kept, 60), expected, atol=0.02)


@pytest.mark.parametrize("tune", ["lora", "full", "last-2", "lora last-2"])
def test_there_is_no_trunk_below_what_trains_everywhere(tiny_llama: Path, tune: str) -> None:
    classifier = make_classifier(tiny_llama, tune)
    assert attach_trunk(classifier, tune_config(tune)) is None
