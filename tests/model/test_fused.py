"""Every faster ``forward`` equals the original, with its gradients; the rest is left alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModel

from headtune.model import SequenceClassifier, make_trainable
from headtune.model.architecture import Architecture
from headtune.model.attention.layout import SequenceLayout
from headtune.model.attention.packed import ATTENTION_NAME
from headtune.model.backbone import Backbone
from headtune.model.speed.fused import FORWARDS, IN_FULL, fuse
from headtune.options import TuneConfig

FUSED_FAMILIES = {
    "gpt2": {"NewGELUActivation", "Embedding", "LayerNorm"},
    "llama": {"Embedding", "LlamaRMSNorm", "LlamaAttention", "LlamaMLP"},
    "qwen3": {"Embedding", "Qwen3RMSNorm", "Qwen3Attention", "Qwen3MLP"},
    "mistral": {"Embedding", "MistralRMSNorm", "MistralAttention", "MistralMLP"},
    "gemma3_text": {"Gemma3RMSNorm", "Gemma3Attention", "Gemma3MLP"},
}
"""Family -> the classes of its modules that get a faster ``forward``, besides adapters."""

LENGTHS = [5, 17, 1, 9]


def make_model(folder: Path, *, fused: bool, lora: bool = False) -> nn.Module:
    model = AutoModel.from_pretrained(folder, attn_implementation=ATTENTION_NAME).eval()
    if lora:
        torch.manual_seed(0)
        make_trainable(
            SequenceClassifier(Backbone(model, Architecture.of(model, "causal", packs=False)), 2),
            TuneConfig(tune="lora", lora_rank=4),
        )
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                nn.init.normal_(parameter, std=0.1)
    for module in model.modules():
        vars(module).pop("forward", None)
    if fused:
        fuse(model)
    return model  # type: ignore[no-any-return]


def states_of(model: Any, embeddings: torch.Tensor) -> torch.Tensor:
    layout = SequenceLayout.from_lengths(LENGTHS, torch.device("cpu"))
    positions = torch.cat([torch.arange(length) for length in LENGTHS])
    states: torch.Tensor = model(
        inputs_embeds=embeddings, position_ids=positions[None], use_cache=False, layout=layout
    ).last_hidden_state
    return states


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("family", FUSED_FAMILIES)
def test_fused_equals_plain_forward_and_backward(
    family: str, lora: bool, model_folder: Callable[[str], Path]
) -> None:
    plain, fused = (
        make_model(model_folder(family), fused=fused, lora=lora) for fused in (False, True)
    )
    embeddings = torch.randn(1, sum(LENGTHS), 32, generator=torch.Generator().manual_seed(0))
    found = []
    for model in (plain, fused):
        inputs = embeddings.clone().requires_grad_()
        states = states_of(model, inputs)
        torch.autograd.backward(states.square().sum())
        grads: dict[str, torch.Tensor | None] = {"inputs": inputs.grad}
        grads |= {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        with torch.inference_mode():
            again = states_of(model, embeddings)
        found.append((states.detach(), again, grads))
    (expected, _, expected_gradients), (ours, in_inference, gradients) = found
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(in_inference, expected, atol=1e-5, rtol=1e-5)
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(
            gradient, expected_gradients[name], atol=1e-4, rtol=1e-4, msg=name
        )


def test_every_kind_of_module_is_met_by_a_family(model_folder: Callable[[str], Path]) -> None:
    """A class that transformers renames would be left alone without a word."""
    for family, expected in FUSED_FAMILIES.items():
        model = make_model(model_folder(family), fused=True, lora=True)
        fused = {type(m).__name__ for m in model.modules() if "forward" in vars(m)}
        assert fused == {"Linear"} | expected
        assert {name for _, name in FORWARDS | IN_FULL} >= fused


def test_unknown_classes_are_left_alone() -> None:
    class LlamaMLP(nn.Module):
        """A stranger of the same name."""

    class Strangers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mlp = LlamaMLP()
            self.linear = nn.Linear(2, 2)

    assert fuse(Strangers()) == 0


@pytest.mark.parametrize("kind", ["dropout", "disabled", "merged"])
def test_adapters_in_another_state_answer_as_peft_does(tiny_llama: Path, kind: str) -> None:
    plain, fused = (make_model(tiny_llama, fused=fused, lora=True) for fused in (False, True))
    x = torch.randn(1, 6, 32, generator=torch.Generator().manual_seed(0))
    answers = []
    for model in (plain, fused):
        layer: Any = model.get_submodule("layers.0.self_attn.q_proj")
        if kind == "dropout":
            layer.lora_dropout["default"] = nn.Dropout(0.5)
        elif kind == "disabled":
            layer.enable_adapters(False)
        else:
            layer.merge()
        torch.manual_seed(1)
        answers.append(layer(x))
    torch.testing.assert_close(answers[1], answers[0], atol=1e-6, rtol=1e-5)
