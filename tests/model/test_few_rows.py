"""Packed weights give the same answers to single texts, and are used for nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft.tuners.tuners_utils import BaseTunerLayer

from headtune import Predictor, TextClassifier
from headtune.batches import collate
from headtune.model import SequenceClassifier, load_backbone, make_trainable, predict_logits
from headtune.model.hardware.compute import Compute
from headtune.model.speed import few_rows
from headtune.model.speed.few_rows import MOST_ROWS, PackingOnDemand, pack_for_few_rows, pays
from headtune.options import MachineConfig, ModelConfig, TuneConfig
from headtune.pretrained import PretrainedFolder
from headtune.types import TokenizedExample
from tests_support import TEXTS, TOPICS

CPU = torch.device("cpu")


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of what was multiplied by packed weights."""
    shapes: list[tuple[int, ...]] = []
    multiply = few_rows._multiply

    def note(x: torch.Tensor, *rest: Any) -> torch.Tensor:
        shapes.append(tuple(x.shape))
        return multiply(x, *rest)

    monkeypatch.setattr(few_rows, "_multiply", note)
    return shapes


def classifier_of(folder: Path, tune: str, **options: Any) -> SequenceClassifier:
    """Evaluation mode; adapters add something, as trained ones do."""
    compute = Compute(CPU, torch.float32, "a test")
    backbone = load_backbone(
        PretrainedFolder(str(folder), folder), ModelConfig(), MachineConfig(), compute
    )
    classifier = SequenceClassifier(backbone, 3)
    make_trainable(classifier, TuneConfig(tune=tune, **options))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in classifier.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0.0, 0.3, generator=generator)
    return classifier.requires_grad_(False).eval()


def text(n_tokens: int, row: int = 0) -> TokenizedExample:
    ids = np.random.default_rng(n_tokens).integers(3, 250, n_tokens, dtype=np.int32)
    return TokenizedExample(ids, 0, row)


def logits(classifier: SequenceClassifier, *lengths: int) -> np.ndarray:
    return predict_logits(classifier, [text(n) for n in lengths], 2_048)


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral", "qwen3", "gemma3_text"])
@pytest.mark.parametrize("tune", ["head", "lora"])
def test_single_texts_get_the_same_logits(
    family: str, tune: str, model_folder: Callable[[str], Path], products: list[tuple[int, ...]]
) -> None:
    classifier = classifier_of(model_folder(family), tune)
    before = [logits(classifier, n) for n in (1, 7, MOST_ROWS)]
    names = list(classifier.state_dict())
    assert pack_for_few_rows(classifier) > 0
    after = [logits(classifier, n) for n in (1, 7, MOST_ROWS)]
    assert products
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert list(classifier.state_dict()) == names
    assert pack_for_few_rows(classifier) == 0  # once


def test_longer_batches_and_gradients_take_the_plain_weights(
    tiny_llama: Path, products: list[tuple[int, ...]]
) -> None:
    classifier = classifier_of(tiny_llama, "lora")
    pack_for_few_rows(classifier)
    logits(classifier, MOST_ROWS, 1)
    # In the last block what comes after the keys and values is of the two pooled tokens.
    assert {shape[1] for shape in products} == {2}
    products.clear()
    classifier(collate([text(5)]))
    assert products == []


def test_a_weight_that_changed_is_noticed(tiny_llama: Path) -> None:
    """Of the layer, and of its adapter."""
    classifier = classifier_of(tiny_llama, "lora")
    pack_for_few_rows(classifier)
    packed = logits(classifier, 7)
    state = dict(classifier.named_parameters())
    for ending in ("0.mlp.up_proj.weight", "0.self_attn.q_proj.lora_B.default.weight"):
        name = next(name for name in state if name.endswith(ending))
        with torch.no_grad():
            state[name].mul_(3)
        changed = logits(classifier, 7)
        assert np.abs(changed - packed).max() > 1e-3, name
        packed = changed
    again = classifier_of(tiny_llama, "lora")
    again.load_state_dict(classifier.state_dict())
    np.testing.assert_allclose(packed, logits(again, 7), atol=1e-5)


def test_an_adapter_that_does_not_just_add_is_left_alone(tiny_llama: Path) -> None:
    classifier = classifier_of(tiny_llama, "lora")
    adapted = [m for m in classifier.modules() if isinstance(m, BaseTunerLayer)]
    for layer in adapted:
        layer.enable_adapters(False)
    before = logits(classifier, 7)
    n_packed = pack_for_few_rows(classifier)
    assert n_packed == 2 * 7 - len(adapted)
    np.testing.assert_allclose(logits(classifier, 7), before, atol=1e-5)


def test_without_memory_nothing_is_packed(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = classifier_of(tiny_llama, "head")
    monkeypatch.setattr(few_rows, "SHARE_OF_FREE_MEMORY", 0.0)
    assert pack_for_few_rows(classifier) == 0


@pytest.mark.parametrize("gains", [True, False])
def test_packing_waits_until_single_texts_keep_coming(
    gains: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[object] = []
    monkeypatch.setattr(few_rows, "pack_for_few_rows", packed.append)
    monkeypatch.setattr(few_rows, "pays", lambda dtype, device: gains)

    class Classifier:
        compute_dtype = torch.float32
        device = CPU

    classifier: Any = Classifier()
    demand = PackingOnDemand(classifier)
    for n_rows in (5, MOST_ROWS + 1, MOST_ROWS, 4_000):
        demand.hear(n_rows)
    assert packed == []
    demand.hear(1)
    demand.hear(1)
    assert packed == ([classifier] if gains else [])


def test_on_a_device_without_packed_weights_they_do_not_pay() -> None:
    assert pays(torch.float32, torch.device("meta")) is False


def test_a_predictor_goes_over_to_packed_weights(
    tiny_llama: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    products: list[tuple[int, ...]],
) -> None:
    monkeypatch.setattr(few_rows, "pays", lambda dtype, device: True)
    run = TextClassifier(str(tiny_llama), "last-1", max_steps=2).fit(TEXTS, TOPICS)
    predictor = Predictor.load(run.save(tmp_path / "run"))
    said = [predictor.predict_proba([TEXTS[0]])[0] for _ in range(2)]
    assert products == []
    said += [predictor.predict_proba([TEXTS[0]])[0] for _ in range(2)]
    assert products
    np.testing.assert_allclose(said, [said[0]] * 4, atol=1e-6)
