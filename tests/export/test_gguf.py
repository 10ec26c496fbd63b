"""The file for llama.cpp: answered by llama.cpp itself, halved, and refused where it cannot be."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from headtune import TextClassifier
from headtune.errors import ExportError, ProbeError
from headtune.export import export_run, gguf_file
from headtune.export.proof import agreement_of
from headtune.export.source import Probabilities, Source, open_source
from tests_support import TEXTS, TOPICS

from .conftest import RunOf

llama_cpp = pytest.importorskip("llama_cpp", reason="needs headtune[gguf]")


def test_halved_it_is_half_and_answers_alike(
    run_of: RunOf, said_of_texts: Callable[[Path], Probabilities], tmp_path: Path
) -> None:
    run = run_of("llama", "lora")
    exported = export_run(run, "gguf", tmp_path / "out", quantize="f16")
    found = gguf_file.answers_of_llama_cpp(open_source(run), tmp_path / "out", TEXTS)
    agreement = agreement_of(said_of_texts(run), found)
    assert 0 < agreement.max_probability_difference < 0.02
    assert agreement.n_changed_labels == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "README.md", "export.json", "labels.json", "model.gguf",
    ]  # fmt: skip
    whole = export_run(run, "gguf", tmp_path / "whole")
    assert exported.bytes < 0.8 * whole.bytes


def test_completion_gives_the_label_and_its_log_probability(run_of: RunOf, tmp_path: Path) -> None:
    """As a server is asked."""
    run = run_of("llama", "head")
    export_run(run, "gguf", tmp_path / "out")
    words = json.loads((tmp_path / "out" / "labels.json").read_text())["labels"]
    model = llama_cpp.Llama(str(tmp_path / "out" / "model.gguf"), logits_all=True, verbose=False)
    said = model.create_completion(TEXTS[0], max_tokens=1, temperature=0, logprobs=2)
    choice = said["choices"][0]
    assert set(choice["logprobs"]["top_logprobs"][0]) == {word["word"] for word in words}
    assert choice["text"] in {word["word"] for word in words}


def test_a_wrong_tensor_is_noticed(
    run_of: RunOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upside_down(name: str, array: Any, config: Any) -> Any:
        return array[::-1] if name == "lm_head.weight" else array

    monkeypatch.setattr(gguf_file, "_as_llama_cpp_has_it", upside_down)
    with pytest.raises(ProbeError, match="export to gguf does not answer as the run does"):
        export_run(run_of("llama", "head"), "gguf", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("family", ["llama", "qwen3"])
def test_positions_are_where_llama_cpp_looks_for_them(
    family: str,
    leaning_folder: Callable[[str], Path],
    said_of_texts: Callable[[Path], Probabilities],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model of random weights hardly attends to anything, so wrong rotary pairs do not show;
    with queries and keys many times as large they do."""
    base = tmp_path / "base"
    shutil.copytree(leaning_folder(family), base)
    state = load_file(base / "model.safetensors")
    for name in state:
        if name.endswith(("q_proj.weight", "k_proj.weight", "q_norm.weight", "k_norm.weight")):
            state[name] = 8 * state[name]
    save_file(state, base / "model.safetensors", metadata={"format": "pt"})
    run = TextClassifier(str(base), "head", max_steps=4).fit(TEXTS, TOPICS).save(tmp_path / "run")
    expected = said_of_texts(run)

    def difference(folder: Path) -> float:
        folder.mkdir()
        gguf_file.write_gguf(open_source(run), folder)
        found = gguf_file.answers_of_llama_cpp(open_source(run), folder, TEXTS)
        return agreement_of(expected, found).max_probability_difference

    right = difference(tmp_path / "right")
    own = gguf_file._as_llama_cpp_has_it

    def swapped(name: str, array: Any, config: Any) -> Any:
        array = own(name, array, config)
        return (
            array.reshape(-1, 2, array.shape[1])[:, ::-1].reshape(array.shape)
            if (name.endswith("q_proj.weight"))
            else array
        )

    monkeypatch.setattr(gguf_file, "_as_llama_cpp_has_it", swapped)
    assert right < 1e-4
    assert difference(tmp_path / "wrong") > 100 * right


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_type": "mamba"}, "writes llama, gpt2, .* this run's model is a mamba"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "rotary positions of type 'yarn'"),
        ({"attention_bias": True}, "attention_bias = True"),
    ],
)
def test_what_is_not_written_is_refused(
    source_of: Callable[..., Source], tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    source = source_of("llama", "head")
    for name, value in changes.items():
        setattr(source.config, name, value)
    with pytest.raises(ExportError, match=reason):
        gguf_file.write_gguf(source, tmp_path)
    assert list(tmp_path.iterdir()) == []
