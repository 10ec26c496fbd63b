"""What kind a model is: read off it, kept as plain values; encoders are refused before weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedConfig

from conftest import FAMILIES, SHAPE, make_tokenizer
from headtune import TextClassifier
from headtune.errors import ModelError
from headtune.inspection.lengths import measure_lengths
from headtune.model import Architecture, Compute, load_backbone, load_config
from headtune.model import backbone as backbone_module
from headtune.model.architecture import direction_of
from headtune.options import MachineConfig, ModelConfig
from headtune.pretrained import find_pretrained
from tests_support import TEXTS, TOPICS

CPU = Compute(torch.device("cpu"), torch.float32, "as asked")
SMALL = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "pad_token_id": 0,
}
IDS = {"bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
BOTH_WAYS = {"use_bidirectional_attention": True}
ENCODERS: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("bert", SMALL),
    "roberta": ("roberta", SMALL | {"pad_token_id": 1}),
    "modernbert": ("modernbert", SMALL | IDS),
    "deberta-v2": ("deberta-v2", SMALL),
    "electra": ("electra", SMALL | {"embedding_size": 32}),
    "embedding gemma": ("gemma3_text", FAMILIES["gemma3_text"] | BOTH_WAYS),
    "a llama that says so": ("llama", SHAPE | {"is_causal": False}),
}


def config_of(kind: str, settings: dict[str, Any]) -> PreTrainedConfig:
    config: PreTrainedConfig = CONFIG_MAPPING[kind](**settings)
    return config


def folder_of(kind: str, settings: dict[str, Any], folder: Path, *, weights: bool = True) -> Path:
    config = config_of(kind, settings)
    if weights:
        AutoModel.from_config(config).save_pretrained(folder)
    config.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_are_refused_before_a_weight_is_read(name: str, tmp_path: Path) -> None:
    """By what the configuration says; there are no weights to read."""
    folder = folder_of(*ENCODERS[name], tmp_path, weights=False)
    with pytest.raises(ModelError, match=r"is an encoder \(.*Give a causal.*smollm2") as refused:
        load_config(find_pretrained(str(folder)))
    assert refused.value.option == "model"
    assert "\n" not in str(refused.value)


def test_every_way_in_refuses_an_encoder(tmp_path: Path) -> None:
    folder = folder_of(*ENCODERS["bert"], tmp_path)
    with pytest.raises(ModelError, match="is an encoder"):
        TextClassifier(model=str(folder), max_steps=1).fit(TEXTS, TOPICS)
    with pytest.raises(ModelError, match="is an encoder"):
        measure_lengths(["a text"], str(folder), [1])
    for attention in ("causal", "bidirectional"):
        options = ModelConfig(model=str(folder), attention=attention)
        with pytest.raises(ModelError, match="is an encoder"):
            load_backbone(find_pretrained(str(folder)), options, MachineConfig(), CPU)


def test_an_encoder_that_says_nothing_is_found_out_by_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that comes with its own code."""
    folder = folder_of(*ENCODERS["bert"], tmp_path)
    monkeypatch.setattr(backbone_module, "direction_of", lambda config: "causal")
    with pytest.raises(ModelError, match="is an encoder"):
        load_backbone(
            find_pretrained(str(folder)), ModelConfig(model=str(folder)), MachineConfig(), CPU
        )


@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_the_same_kinds_as_decoders_are_taken(name: str, tmp_path: Path) -> None:
    kind, settings = ENCODERS[name]
    folder = folder_of(kind, settings | {"is_decoder": True}, tmp_path)
    options = ModelConfig(model=str(folder))
    loaded = load_backbone(find_pretrained(str(folder)), options, MachineConfig(), CPU)
    architecture = loaded.architecture
    assert (architecture.direction, architecture.has_token_types) == ("causal", True)
    assert architecture.position_offset == (2 if name == "roberta" else 0)
    assert architecture.head == "classifier"
    assert architecture.packs


DECODERS = [
    *("gpt2", "gpt_neox", "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text"),
    *("phi3", "opt", "bloom", "falcon", "mamba", "modernbert-decoder", "granite", "gpt_neo"),
]


@pytest.mark.parametrize("kind", DECODERS)
def test_decoders_are_causal_by_their_configuration(kind: str) -> None:
    assert direction_of(CONFIG_MAPPING[kind]()) == "causal"


WINDOWS = {
    "gpt2": (None, None),
    "llama": (None, None),
    "qwen3": (None, None),
    "mistral": (6, 6),
    "gemma3_text": (6, None),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_read_off_a_model(family: str, model_folder: Callable[[str], Path]) -> None:
    folder = model_folder(family)
    options = ModelConfig(model=str(folder))
    found = load_backbone(find_pretrained(str(folder)), options, MachineConfig(), CPU).architecture
    assert found == Architecture(
        model_type=family,
        direction="causal",
        windows=WINDOWS[family],
        head="score",
        packs=True,
    )
    assert found.window_sides == "behind"
    both = Architecture.of(AutoModel.from_pretrained(folder), "bidirectional", packs=True)
    assert (both.direction, both.window_sides) == ("bidirectional", "both")


def test_the_tokens_that_a_tokenizer_adds() -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = make_tokenizer()
    bare = Architecture(model_type="mistral", direction="causal", windows=(6, None), packs=True)
    assert bare.with_tokenizer(tokenizer) == bare
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|begin|> $A <|end|>", special_tokens=[("<|begin|>", 1), ("<|end|>", 0)]
    )
    given = bare.with_tokenizer(tokenizer)
    assert (given.tokens_before, given.tokens_after) == ((1,), (0,))
    plain = given.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert (plain["windows"], plain["tokens_before"], plain["head"]) == ([6, None], [1], None)
