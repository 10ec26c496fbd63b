"""Pooling, what is trained, frozen layers, random weights, and the padded path."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import CONFIG_MAPPING, AutoModel, AutoModelForCausalLM

from headtune.batches import collate
from headtune.errors import ModelError, ModelFileError
from headtune.model import (
    Compute,
    SequenceClassifier,
    attach_trunk,
    choose_compute,
    inference,
    load_backbone,
    load_trained_state,
    make_trainable,
    predict_logits,
    trained_state,
    useful_flops_per_token,
)
from headtune.model.attention.layout import SequenceLayout
from headtune.model.pooling import pool
from headtune.options import MachineConfig, ModelConfig, Pooling, TuneConfig
from headtune.pretrained import find_pretrained
from headtune.types import TokenizedExample
from tests_support import Heard, keep_states

CPU = Compute(torch.device("cpu"), torch.float32, "as asked")


def make_classifier(folder: Path, tune: str = "head", **options: object) -> SequenceClassifier:
    of_the_machine = {f.name for f in fields(MachineConfig)}
    machine: dict[str, Any] = {k: v for k, v in options.items() if k in of_the_machine}
    model: dict[str, Any] = {k: v for k, v in options.items() if k not in of_the_machine}
    config = ModelConfig(model=str(folder), **model)
    backbone = load_backbone(find_pretrained(str(folder)), config, MachineConfig(**machine), CPU)
    classifier = SequenceClassifier(
        backbone, 2, pooling=config.pooling, attention=config.attention, seed=1
    )
    make_trainable(classifier, TuneConfig(tune=tune))
    return classifier.eval()


def make_examples(*lengths: int) -> list[TokenizedExample]:
    rng = np.random.default_rng(0)
    return [
        TokenizedExample(rng.integers(2, 300, n).astype(np.int32), 0, row)
        for row, n in enumerate(lengths, start=1)
    ]


def test_pooling_takes_the_positions_it_says() -> None:
    states = torch.arange(12.0).view(6, 2)
    bounds = torch.tensor([0, 1, 4, 6], dtype=torch.int32)
    assert pool(states, bounds, "last").tolist() == [[0, 1], [6, 7], [10, 11]]
    assert pool(states, bounds, "first").tolist() == [[0, 1], [2, 3], [8, 9]]
    assert pool(states, bounds, "mean").tolist() == [[0, 1], [4, 5], [9, 10]]


@pytest.mark.parametrize("pooling", ["last", "first", "mean"])
@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
def test_options_change_the_logits_but_company_does_not(
    tiny_llama: Path, pooling: Pooling, attention: str
) -> None:
    classifier = make_classifier(tiny_llama, pooling=pooling, attention=attention)
    examples = make_examples(5, 21, 8)
    with torch.no_grad():
        together = classifier(collate(examples))
        alone = torch.cat([classifier(collate([example])) for example in examples])
        plain = make_classifier(tiny_llama)(collate(examples))
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    same_as_default = (pooling, attention) == ("last", "causal")
    assert torch.allclose(together, plain, atol=1e-4) == same_as_default


@pytest.mark.parametrize(
    ("tune", "trained"),
    [
        ("head", {"score"}),
        ("last-1", {"score", "backbone.layers.1", "backbone.norm"}),
        ("last-2", {"score", "backbone.layers.0", "backbone.layers.1", "backbone.norm"}),
        ("lora", {"score", "lora_A", "lora_B"}),
        ("full", {"score", "backbone"}),
    ],
)
def test_exactly_what_was_asked_is_trained(tiny_llama: Path, tune: str, trained: set[str]) -> None:
    names = trained_state(make_classifier(tiny_llama, tune)).keys()
    assert all(any(part in name for part in trained) for name in names)
    assert all(any(part in name for name in names) for part in trained)


def test_last_block_of_gpt2_includes_the_final_norm(model_folder: Callable[[str], Path]) -> None:
    names = trained_state(make_classifier(model_folder("gpt2"), "last-1")).keys()
    assert {name.split(".")[1] for name in names} == {"h", "ln_f", "weight"}
    assert not any(".h.0." in name for name in names)


def test_frozen_layers_run_without_dropout(model_folder: Callable[[str], Path]) -> None:
    classifier = make_classifier(model_folder("gpt2"), "last-1").train()
    modules = dict(classifier.backbone.named_modules())
    assert not modules["drop"].training
    assert not modules["h.0.mlp.dropout"].training
    assert modules["h.1.mlp.dropout"].training


def test_trained_state_round_trip_and_mismatch(tiny_llama: Path) -> None:
    one, other = (make_classifier(tiny_llama, "last-1") for _ in range(2))
    with torch.no_grad():
        one.score.weight.add_(1.0)
    load_trained_state(other, trained_state(one))
    assert torch.equal(one.score.weight, other.score.weight)
    with pytest.raises(ModelError, match="do not belong"):
        load_trained_state(make_classifier(tiny_llama, "head"), trained_state(one))


def test_useful_flops_count_what_is_reached(tiny_llama: Path) -> None:
    head = make_classifier(tiny_llama, "head")
    size = sum(p.numel() for n, p in head.named_parameters() if "embed" not in n)
    forward, training = useful_flops_per_token(head)
    assert forward == 2 * size
    assert training == forward + 2 * head.score.weight.numel()
    full = make_classifier(tiny_llama, "full")
    forward, training = useful_flops_per_token(full)
    assert training == pytest.approx(3 * forward, rel=0.01)


def test_random_weights_come_from_the_seed(tiny_llama: Path) -> None:
    options = ModelConfig(model=str(tiny_llama), random_weights=True)
    folder = find_pretrained(str(tiny_llama))
    first, same, other = (
        load_backbone(folder, options, MachineConfig(), CPU, seed)
        .model.get_input_embeddings()
        .weight
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_layers_that_mix_neighbours_take_the_padded_path(tmp_path: Path) -> None:
    """A state-space model carries its state over a boundary: it must be found out."""
    torch.manual_seed(0)
    config = CONFIG_MAPPING["mamba"](
        vocab_size=300, hidden_size=32, state_size=8, num_hidden_layers=2, expand=2
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    classifier = make_classifier(tmp_path)
    assert not classifier.packs
    examples = make_examples(5, 21, 8)
    together = predict_logits(classifier, examples, 1_000)
    alone = predict_logits(classifier, examples, 1)
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "packs"), [("qwen2_moe", False), ("mistral", True), ("qwen2", True)]
)
def test_a_long_window_that_attention_is_not_told_of_is_found_out(
    tmp_path: Path, family: str, packs: bool
) -> None:
    """Qwen2-MoE puts its window into the mask alone, and packed batches have no mask."""
    torch.manual_seed(0)
    mixed = {"layer_types": ["full_attention", "sliding_attention"]}
    config = CONFIG_MAPPING[family](
        vocab_size=300,
        hidden_size=32,
        intermediate_size=48,
        moe_intermediate_size=16,
        shared_expert_intermediate_size=16,
        num_experts=2,
        num_experts_per_tok=1,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        use_sliding_window=True,
        sliding_window=40,
        **(mixed if family != "mistral" else {}),
    )
    model = AutoModel.from_config(config).eval()
    model.save_pretrained(tmp_path)
    classifier = make_classifier(tmp_path)
    assert classifier.packs == packs
    assert classifier.backbone.config.sliding_window == 40
    windows = {getattr(m, "sliding_window", None) for m in classifier.backbone.modules()}
    assert windows <= {None, 40}
    (example,) = make_examples(150)
    with torch.no_grad():
        ids = torch.from_numpy(example.input_ids.astype(np.int64))[None]
        expected = classifier.score(model(ids).last_hidden_state[:, -1])
    np.testing.assert_allclose(predict_logits(classifier, [example], 1_000), expected, atol=1e-5)


OFFLOADED = {"embed_tokens": "cpu", "layers.0": "disk", "layers.1": "cpu", "norm": "cpu"}


@pytest.mark.parametrize("device_map", ["auto", OFFLOADED | {"rotary_emb": "cpu"}])
def test_a_spread_model_gives_the_same_logits(
    tiny_llama: Path, tmp_path: Path, device_map: object
) -> None:
    """ "auto" places everything here on the CPU; the second keeps a block on the disk."""
    spread = make_classifier(
        tiny_llama, "last-1", device_map=device_map, offload_folder=tmp_path / "offload"
    )
    if device_map != "auto":
        assert spread.hf_device_map["layers.0"] == "disk"
        assert spread.backbone.layers[0].mlp.up_proj.weight.device.type == "meta"
    examples = make_examples(5, 21, 8)
    expected = predict_logits(make_classifier(tiny_llama, "last-1"), examples, 100)
    np.testing.assert_allclose(predict_logits(spread, examples, 100), expected, atol=1e-5)
    trunk = attach_trunk(spread, TuneConfig(tune="last-1"))
    assert trunk is not None
    kept = keep_states(trunk, examples)
    np.testing.assert_allclose(predict_logits(spread, kept, 100), expected, atol=1e-5)
    np.testing.assert_allclose(predict_logits(spread, examples, 100), expected, atol=1e-5)


def test_an_attention_that_ignores_boundaries_is_found_out(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = SequenceLayout.from_lengths

    def one_sequence(lengths: list[int], device: torch.device, causal: bool = True) -> object:
        return whole([sum(lengths)], device, causal)

    monkeypatch.setattr(SequenceLayout, "from_lengths", one_sequence)
    assert not make_classifier(tiny_llama).packs


def test_weights_cut_short_are_refused(tiny_llama: Path, tmp_path: Path) -> None:
    for file in tiny_llama.iterdir():
        content = file.read_bytes()
        short = content[: len(content) // 2] if file.suffix == ".safetensors" else content
        (tmp_path / file.name).write_bytes(short)
    with pytest.raises(ModelFileError, match="cut"):
        make_classifier(tmp_path)


def test_memory_that_runs_out_halves_the_budget(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = make_classifier(tiny_llama)
    examples = make_examples(*[10] * 9)
    expected = predict_logits(classifier, examples, 1_000)

    def too_much(chosen: list[TokenizedExample]) -> object:
        batch = collate(chosen)
        if batch.n_tokens > 30:
            monkeypatch.setattr(classifier, "forward", _out_of_memory)
        else:
            monkeypatch.setattr(classifier, "forward", type(classifier).forward.__get__(classifier))
        return batch

    monkeypatch.setattr(inference, "collate", too_much)
    heard = Heard()
    logits = predict_logits(classifier, examples, 100, heard)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert [line[:33] for line in heard.lines] == [
        "Memory ran out: at most 50 tokens",
        "Memory ran out: at most 25 tokens",
    ]
    again = Heard()
    np.testing.assert_allclose(
        predict_logits(classifier, examples, 100, again), expected, atol=1e-5
    )
    assert not again.lines  # the smaller budget is kept


def _out_of_memory(batch: object) -> torch.Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_a_single_text_that_is_too_large_is_named(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = make_classifier(tiny_llama)
    monkeypatch.setattr(classifier, "forward", _out_of_memory)
    with pytest.raises(ModelError, match="row 1"):
        predict_logits(classifier, make_examples(10), 100)


def test_dtype_is_measured_and_the_reason_is_said() -> None:
    compute = choose_compute(MachineConfig(device="cpu"))
    assert compute.dtype_name in compute.reason
    assert "times" in compute.reason or "too busy" in compute.reason or "hardly" in compute.reason
    asked = choose_compute(MachineConfig(device="cpu", dtype="bfloat16"))
    assert (asked.dtype, asked.reason) == (torch.bfloat16, "bfloat16, as asked")


def test_bfloat16_agrees_with_float32_to_its_precision(tiny_llama: Path) -> None:
    half = Compute(torch.device("cpu"), torch.bfloat16, "as asked")
    options = ModelConfig(model=str(tiny_llama))
    backbone = load_backbone(find_pretrained(str(tiny_llama)), options, MachineConfig(), half)
    classifier = SequenceClassifier(backbone, 2, compute_dtype=torch.bfloat16, seed=1)
    make_trainable(classifier, TuneConfig(tune="last-1"))
    assert backbone.packs
    dtypes = {name: p.dtype for name, p in classifier.named_parameters()}
    assert dtypes["score.weight"] == dtypes["backbone.layers.1.mlp.up_proj.weight"] == torch.float32
    assert dtypes["backbone.layers.0.mlp.up_proj.weight"] == torch.bfloat16
    examples = make_examples(5, 21, 8)
    expected = predict_logits(make_classifier(tiny_llama), examples, 100)
    np.testing.assert_allclose(predict_logits(classifier, examples, 100), expected, atol=0.05)
