"""Runs of tiny models to export, made once a session, and what they say of the shared texts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import make_model_folder
from headtune import Predictor, TextClassifier
from headtune.export.source import Probabilities, Source, open_source
from tests_support import TEXTS, TOPICS

FAMILIES = ("gpt2", "llama", "qwen3", "gemma3_text")
TUNES = ("head", "last-2", "lora", "full")

RunOf: TypeAlias = Callable[..., Path]


@pytest.fixture(scope="session")
def leaning_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Family name -> folder of a tiny model whose states have a direction in common.

    As those of trained language models do, and those of random ones do not: one vector is added to
    the embedding of every token.
    """
    made: dict[str, Path] = {}

    def folder_of(family: str) -> Path:
        if family not in made:
            made[family] = lean(make_model_folder(family, tmp_path_factory.mktemp(family)))
        return made[family]

    return folder_of


def lean(folder: Path) -> Path:
    """Add the vector to what is in the folder."""
    state = load_file(folder / "model.safetensors")
    name = next(name for name in state if "embed_tokens" in name or "wte" in name)
    vector = torch.randn(state[name].shape[1], generator=torch.Generator().manual_seed(1))
    state[name] = state[name] + 0.5 * vector
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="session")
def run_of(
    leaning_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> RunOf:
    """(family, tune) -> a run folder; further options of ``TextClassifier`` by name."""
    made: dict[Any, Path] = {}

    def make(family: str = "llama", tune: str = "lora", **options: Any) -> Path:
        key = (family, tune, *sorted(options.items()))
        if key not in made:
            classifier = TextClassifier(
                str(leaning_folder(family)),
                tune,
                max_steps=8,
                learning_rate=3e-3,
                batch_size=8,
                lora_rank=4,
                **options,
            ).fit(TEXTS, TOPICS)
            made[key] = classifier.save(tmp_path_factory.mktemp("runs") / f"{family}-{tune}")
        return made[key]

    return make


@pytest.fixture(scope="session")
def said_of_texts() -> Callable[[Path], Probabilities]:
    """What a run itself says of the shared texts, in float32."""

    def say(run: Path) -> Probabilities:
        return Predictor.load(run, dtype="float32", device="cpu").predict_proba(TEXTS)

    return say


@pytest.fixture(scope="session")
def source_of(run_of: RunOf) -> Callable[..., Source]:
    """A run opened for export; each call opens it anew, since exporters may change it."""
    return lambda *arguments, **options: open_source(run_of(*arguments, **options))
