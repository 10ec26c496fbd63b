"""What the model stage refuses is said in the reader's words, with the option and the row."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from headtune.cli.flags import as_flag
from headtune.errors import ModelError
from headtune.model import (
    Compute,
    SequenceClassifier,
    choose_compute,
    load_backbone,
    make_trainable,
    predict_logits,
)
from headtune.options import MachineConfig, ModelConfig, TuneConfig
from headtune.pretrained import find_pretrained
from headtune.types import TokenizedExample

CPU = Compute(torch.device("cpu"), torch.float32, "as asked")


@pytest.fixture
def classifier(tiny_llama: Path) -> SequenceClassifier:
    options = ModelConfig(model=str(tiny_llama))
    backbone = load_backbone(find_pretrained(str(tiny_llama)), options, MachineConfig(), CPU)
    return SequenceClassifier(backbone, 2, seed=1)


@pytest.mark.parametrize(
    ("tune", "option", "in_python", "on_the_command_line"),
    [
        (
            TuneConfig(tune="last-9"),
            "tune",
            'tune="last-9" asks for more blocks than this model has: 2.',
            "--tune last-9 asks for more blocks than this model has: 2.",
        ),
        (
            TuneConfig(tune="lora", lora_layers="last-9"),
            "lora_layers",
            'lora_layers="last-9" asks for more blocks',
            "--lora-layers last-9 asks for more blocks",
        ),
        (
            TuneConfig(tune="lora", lora_targets=("q_prog",)),
            "lora_targets",
            'lora_targets="q_prog": no such linear layers in this model. It has: down_proj',
            "--lora-targets q_prog: no such linear layers in this model. It has: down_proj",
        ),
    ],
)
def test_a_way_of_tuning_that_the_model_has_not(
    classifier: SequenceClassifier,
    tune: TuneConfig,
    option: str,
    in_python: str,
    on_the_command_line: str,
) -> None:
    with pytest.raises(ModelError) as caught:
        make_trainable(classifier, tune)
    assert caught.value.option == option
    assert str(caught.value).startswith(in_python)
    assert caught.value.worded(as_flag).startswith(on_the_command_line)


def test_a_text_that_is_too_much_for_the_memory(
    classifier: SequenceClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def runs_out(*_: object) -> None:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(SequenceClassifier, "forward", runs_out)
    example = TokenizedExample(np.array([5, 6, 7], dtype=np.int32), 0, 12)
    with pytest.raises(ModelError, match=r"row 12 alone, 3 tokens\. Lower max_length=\.") as caught:
        predict_logits(classifier, [example], 100)
    assert (caught.value.option, caught.value.row) == ("max_length", 12)


def test_a_device_that_is_not_here() -> None:
    with pytest.raises(ModelError, match='device="nowhere" cannot be used here') as caught:
        choose_compute(MachineConfig(device="nowhere"))
    assert caught.value.option == "device"


def test_weights_that_are_no_numbers_are_named_and_nothing_else_is_blamed(
    tiny_llama: Path, tmp_path: Path
) -> None:
    """No trial passes with them: it would be an encoder, or its packed attention wrong."""
    folder = Path(shutil.copytree(tiny_llama, tmp_path / "model"))
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("0.mlp.down_proj.weight"))
    weights[name][0, 0] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    for attention in ("causal", "bidirectional"):
        options = ModelConfig(model=str(folder), attention=attention)
        with pytest.raises(ModelError, match=r"hold values that are no numbers .*down_proj"):
            load_backbone(find_pretrained(str(folder)), options, MachineConfig(), CPU)
