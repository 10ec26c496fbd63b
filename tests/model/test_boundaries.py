"""The trial of packed batches sees every kind of wrong attention, in each direction and window."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import CONFIG_MAPPING, AttentionInterface, AutoModel, PreTrainedModel

from conftest import FAMILIES
from headtune.errors import ModelError
from headtune.export.padded import PaddedClassifier
from headtune.model import Compute, SequenceClassifier, load_backbone, predict_logits
from headtune.model.attention import boundaries
from headtune.model.attention.boundaries import respects_boundaries, sees_ahead
from headtune.model.attention.layout import SequenceLayout
from headtune.model.attention.packed import ATTENTION_NAME, packed_attention
from headtune.options import MachineConfig, ModelConfig
from headtune.pretrained import find_pretrained
from headtune.types import TokenizedExample

CPU = Compute(torch.device("cpu"), torch.float32, "as asked")
LENGTHS = (5, 17, 1, 9, 17, 3, 30, 2)
WINDOWED = ("mistral", "gemma3_text")


def model_of(family: str, **changes: Any) -> PreTrainedModel:
    """Two layers, weights that differ enough for attention to matter."""
    torch.manual_seed(0)
    config = CONFIG_MAPPING[family](**(FAMILIES[family] | changes))
    model: PreTrainedModel = AutoModel.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def without_window(*args: Any, **kwargs: Any) -> Any:
    return packed_attention(*args, **kwargs | {"sliding_window": None})


def one_token_more(*args: Any, **kwargs: Any) -> Any:
    window = kwargs.get("sliding_window")
    return packed_attention(*args, **kwargs | {"sliding_window": window and window + 1})


def with_a_neighbour(*args: Any, layout: SequenceLayout, **kwargs: Any) -> Any:
    first, second, *rest = layout.lengths
    leaking = SequenceLayout.from_lengths([first + second, *rest], layout.device, layout.causal)
    return packed_attention(*args, layout=leaking, **kwargs)


def in_the_other_direction(*args: Any, layout: SequenceLayout, **kwargs: Any) -> Any:
    turned = SequenceLayout.from_lengths(layout.lengths, layout.device, not layout.causal)
    return packed_attention(*args, layout=turned, **kwargs)


@pytest.fixture
def plant() -> Iterator[Callable[[Any], None]]:
    """Puts another function in the place of packed attention."""
    yield lambda kernel: AttentionInterface.register(ATTENTION_NAME, kernel)
    AttentionInterface.register(ATTENTION_NAME, packed_attention)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_packed_path_equals_transformers_own_attention(family: str, causal: bool) -> None:
    model = model_of(family)
    before = model.config.to_dict()
    assert respects_boundaries(model, causal=causal)
    assert model.config.to_dict() == before  # and leaves the model as it was
    assert model.config._attn_implementation != ATTENTION_NAME


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("wrong", [with_a_neighbour, in_the_other_direction])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_leak_and_a_wrong_direction_are_seen(
    family: str, wrong: Any, causal: bool, plant: Callable[[Any], None]
) -> None:
    plant(wrong)
    assert not respects_boundaries(model_of(family), causal=causal)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("window", [6, 4096])
@pytest.mark.parametrize("wrong", [without_window, one_token_more])
@pytest.mark.parametrize("family", WINDOWED)
def test_a_window_that_is_dropped_or_too_wide_is_seen(
    family: str, wrong: Any, window: int, causal: bool, plant: Callable[[Any], None]
) -> None:
    """Whatever its length: it is shortened for the trial, and restored."""
    plant(wrong)
    model = model_of(family, sliding_window=window)
    assert not respects_boundaries(model, causal=causal)
    assert model.config.sliding_window == window


def test_a_window_that_the_trial_cannot_shorten_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boundaries, "WINDOW_NAMES", ())
    assert not respects_boundaries(model_of("mistral", sliding_window=4096))
    assert respects_boundaries(model_of("llama"))


def encoder_of(kind: str, **changes: Any) -> PreTrainedModel:
    shape = {
        "vocab_size": 300,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    torch.manual_seed(0)
    model: PreTrainedModel = AutoModel.from_config(CONFIG_MAPPING[kind](**(shape | changes)))
    return model.eval()


MODERN = {"local_attention": 8, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
MODERN |= {"cls_token_id": 1, "sep_token_id": 2}


def test_the_direction_is_found_by_trying() -> None:
    assert sees_ahead(encoder_of("bert"))
    assert sees_ahead(encoder_of("modernbert", **MODERN))
    assert not sees_ahead(encoder_of("bert", is_decoder=True))
    for family in FAMILIES:
        assert not sees_ahead(model_of(family))


def test_modernbert_does_not_pass_with_a_window_dropped(plant: Callable[[Any], None]) -> None:
    """Trial and kernel both dropped it once, and agreed on states that were wrong."""
    plant(without_window)
    assert not respects_boundaries(encoder_of("modernbert", **MODERN), causal=False)


@pytest.mark.parametrize("family", WINDOWED)
def test_both_directions_within_a_window_pack_as_they_answer_alone(
    family: str, model_folder: Callable[[str], Path]
) -> None:
    """A token sees as many to either side as it sees behind it in a causal layer."""
    folder = model_folder(family)
    options = ModelConfig(model=str(folder), attention="bidirectional")
    backbone = load_backbone(find_pretrained(str(folder)), options, MachineConfig(), CPU)
    classifier = SequenceClassifier(backbone, 3, attention="bidirectional", seed=1).eval()
    classifier.prunes_last_block = False
    rng = np.random.default_rng(0)
    examples = [
        TokenizedExample(rng.integers(0, 300, length).astype(np.int32), None, row)
        for row, length in enumerate(LENGTHS, start=1)
    ]
    together = predict_logits(classifier, examples, 1_000)
    reference = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    reference.config.is_causal = False  # transformers' own masks of both directions ...
    reference.config.sliding_window -= 1  # ... count the distance, not the tokens
    with torch.no_grad():
        for row, example in enumerate(examples):
            ids = torch.from_numpy(example.input_ids).long()[None]
            expected = classifier.score(reference(ids).last_hidden_state[:, -1])
            torch.testing.assert_close(
                torch.from_numpy(together[row : row + 1]), expected, atol=1e-5, rtol=0
            )


@pytest.mark.parametrize("family", WINDOWED)
def test_padded_graphs_have_the_window_on_both_sides_too(
    family: str, model_folder: Callable[[str], Path]
) -> None:
    folder = model_folder(family)
    options = ModelConfig(model=str(folder), attention="bidirectional")
    backbone = load_backbone(find_pretrained(str(folder)), options, MachineConfig(), CPU)
    classifier = SequenceClassifier(backbone, 3, attention="bidirectional", seed=1).eval()
    example = TokenizedExample(np.arange(2, 32, dtype=np.int32), None, 1)
    expected = predict_logits(classifier, [example], 100)
    ids = torch.from_numpy(example.input_ids).long()[None]
    with torch.no_grad():
        padded = PaddedClassifier(classifier)(ids, torch.ones_like(ids))
    np.testing.assert_allclose(padded, expected, atol=1e-5)


def test_a_direction_that_cannot_be_had_is_refused(
    tiny_llama: Path, plant: Callable[[Any], None]
) -> None:
    plant(in_the_other_direction)
    options = ModelConfig(model=str(tiny_llama), attention="bidirectional")
    with pytest.raises(ModelError, match=r'"bidirectional" cannot be used.*attention="causal"'):
        load_backbone(find_pretrained(str(tiny_llama)), options, MachineConfig(), CPU)
