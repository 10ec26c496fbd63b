"""Which layers get adapters, in one architecture and another."""

from typing import Any

import pytest
import torch
from torch import nn
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedModel

from conftest import FAMILIES
from headtune.errors import ConfigError, ModelError
from headtune.model import lora_targets, make_trainable
from headtune.model.adapters import inject_lora
from headtune.model.architecture import Architecture
from headtune.model.backbone import Backbone
from headtune.model.linear_layers import linear_layers
from headtune.model.sequence_classifier import SequenceClassifier
from headtune.options import TuneConfig

SEPARATE = ("q_proj", "k_proj", "v_proj", "o_proj")
GATED = ("gate_proj", "up_proj", "down_proj")
FALCON = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
BERT = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
MAMBA = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}


def backbone_of(family: str, settings: dict[str, Any] | None = None) -> PreTrainedModel:
    config = CONFIG_MAPPING[family](**(settings or FAMILIES[family]))
    with torch.device("meta"):
        model: PreTrainedModel = AutoModel.from_config(config)
    return model


def targets_of(backbone: PreTrainedModel, *given: str) -> tuple[str, ...]:
    tune = TuneConfig(tune="lora", lora_targets=given) if given else TuneConfig(tune="lora")
    return lora_targets(backbone, tune)


@pytest.mark.parametrize(
    ("family", "attention", "others"),
    [
        ("llama", SEPARATE, GATED),
        ("qwen3", SEPARATE, GATED),
        ("mistral", SEPARATE, GATED),
        ("gemma3_text", SEPARATE, GATED),
        ("gpt2", ("c_attn", "attn.c_proj"), ("c_proj", "c_fc")),  # the MLP has a c_proj, too
    ],
)
def test_attention_is_the_default_and_all_linear_has_the_mlp(
    family: str, attention: tuple[str, ...], others: tuple[str, ...]
) -> None:
    backbone = backbone_of(family)
    assert targets_of(backbone) == attention
    assert targets_of(backbone, "attention") == attention
    ends = {name.rpartition(".")[2] for name in (*attention, *others)}
    assert set(targets_of(backbone, "all-linear")) == ends
    assert targets_of(backbone, "a", "attention", "a") == ("a", *attention)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize("word", ["attention", "all-linear"])
def test_exactly_these_layers_get_adapters_and_are_found_again(family: str, word: str) -> None:
    backbone = backbone_of(family)
    tune = TuneConfig(tune="lora", lora_targets=(word,))
    before = lora_targets(backbone, tune)
    linear = {
        name
        for name, module in backbone.named_modules()
        if isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"
    }
    inject_lora(backbone, tune)
    adapted = {
        name.partition(".lora_A")[0]
        for name, _ in backbone.named_parameters()
        if "lora_A.default" in name
    }
    assert adapted == {name for name in linear if word == "all-linear" or "attn" in name}
    assert lora_targets(backbone, tune) == before


def test_a_subclass_of_linear_gets_adapters_but_is_not_rewritten() -> None:
    backbone = backbone_of("falcon", FALCON)
    assert targets_of(backbone) == ("query_key_value", "dense")
    assert [name for _, name, _ in linear_layers(backbone)] == []  # FalconLinear is its own class


def test_the_end_of_a_path_is_as_long_as_it_must_be() -> None:
    """In BERT, attention has an ``output.dense``, and so has the MLP beside it."""
    backbone = backbone_of("bert", BERT)
    names = targets_of(backbone)
    assert names == ("query", "key", "value", "attention.output.dense")
    inject_lora(backbone, TuneConfig(tune="lora", lora_targets=("attention",)))
    adapted = {n for n, _ in backbone.named_parameters() if "lora_A" in n}
    assert len(adapted) == 2 * 4
    assert all(".attention." in name for name in adapted)


def test_what_a_model_cannot_have_is_refused_with_the_way_out() -> None:
    backbone = backbone_of("mamba", MAMBA)
    with pytest.raises(ModelError, match=r"'mamba'\. .* It has: dt_proj, in_proj, out_proj"):
        targets_of(backbone)
    assert targets_of(backbone, "all-linear") == ("in_proj", "x_proj", "dt_proj", "out_proj")
    assert targets_of(backbone, "in_proj") == ("in_proj",)
    with pytest.raises(ModelError, match=r"PEFT cannot put adapters there: .*'out_proj'"):
        inject_lora(backbone, TuneConfig(tune="lora", lora_targets=("all-linear",)))


def test_blocks_that_cannot_be_told_apart_do_not_hide_the_layers() -> None:
    backbone = backbone_of("llama")
    backbone.config.num_hidden_layers = 7
    assert set(targets_of(backbone)) == set(SEPARATE)
    assert len(list(linear_layers(backbone))) == 2 * (len(SEPARATE) + len(GATED))


def test_no_targets_at_all_are_refused() -> None:
    with pytest.raises(ConfigError, match="lora_targets= names no layers"):
        TuneConfig(tune="lora", lora_targets=())
    assert TuneConfig(tune="last-1", lora_targets=()).lora_targets == ()


def test_lora_layers_and_targets_together() -> None:
    llama = backbone_of("llama")
    classifier = SequenceClassifier(
        Backbone(llama, Architecture.of(llama, "causal", packs=True)), 2
    )
    make_trainable(classifier, TuneConfig(tune="lora", lora_layers="last-1"))
    trained = {name for name, p in classifier.named_parameters() if p.requires_grad}
    assert {name.split(".")[2] for name in trained - {"score.weight"}} == {"1"}
    assert len(trained) == 1 + 2 * len(SEPARATE)
