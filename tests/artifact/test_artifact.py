"""Saved and loaded: the same logits, in every way of tuning; tampering is caught by name."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from headtune import TextClassifier
from headtune.artifact import load_artifact
from headtune.artifact.manifest import seal_of
from headtune.artifact.weights import write_weights
from headtune.batches import collate
from headtune.errors import (
    ArtifactError,
    ArtifactFormatError,
    ArtifactNotFoundError,
    HeadtuneError,
    ProbeError,
    TamperedArtifactError,
)
from headtune.tokens import encode_texts
from tests_support import TEXTS, TOPICS

FAMILIES = ["gpt2", "llama", "qwen3", "gemma3_text"]


def fitted(folder: Path, tune: str, **options: Any) -> TextClassifier:
    return TextClassifier(
        str(folder), tune, epochs=2, learning_rate=3e-3, batch_size=8, lora_rank=4, **options
    ).fit(TEXTS, TOPICS)


@pytest.fixture(scope="module")
def saved(model_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(family, tune) -> the classifier in memory and its run folder, made once."""
    made: dict[tuple[str, str], tuple[TextClassifier, Path]] = {}

    def make(family: str = "llama", tune: str = "last-1") -> tuple[TextClassifier, Path]:
        if (family, tune) not in made:
            classifier = fitted(model_folder(family), tune)
            path = tmp_path_factory.mktemp("runs") / f"{family}-{tune}"
            made[family, tune] = (classifier, classifier.save(path))
        return made[family, tune]

    return make


@pytest.mark.fresh_process
@pytest.mark.parametrize("tune", ["lora", "full"])
def test_a_save_is_proved_in_a_fresh_process(tiny_llama: Path, tmp_path: Path, tune: str) -> None:
    fitted(tiny_llama, tune).save(tmp_path / "run")
    assert load_artifact(tmp_path / "run").probes.bit_equal


@pytest.mark.fresh_process
def test_a_save_that_does_not_load_elsewhere_is_not_published(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The probes are recorded of another classifier than the one that is written."""
    from headtune.artifact import save

    def write_wrong_weights(classifier: Any, *rest: Any) -> None:
        with torch.no_grad():
            classifier.score.weight.neg_()
        write_weights(classifier, *rest)

    monkeypatch.setattr(save, "write_weights", write_wrong_weights)
    with pytest.raises(ProbeError, match="fresh process"):
        fitted(tiny_llama, "head").save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tune", ["head", "last-1", "lora", "full"])
def test_loaded_is_equal_bit_for_bit(saved: Any, family: str, tune: str) -> None:
    classifier, path = saved(family, tune)
    loaded = TextClassifier.load(path)
    assert np.array_equal(loaded.predict_proba(TEXTS), classifier.predict_proba(TEXTS))
    assert loaded.predict(TEXTS).tolist() == classifier.predict(TEXTS).tolist()
    assert loaded.classes_.tolist() == ["dinner", "prize"]


def test_another_process_predicts_the_same_bits(saved: Any) -> None:
    classifier, path = saved("llama", "lora")
    code = (
        "import sys, numpy; from headtune import TextClassifier; "
        "p = TextClassifier.load(sys.argv[1]).predict_proba(sys.argv[2:]); "
        "print(p.tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), *TEXTS[:6]],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == classifier.predict_proba(TEXTS[:6]).tobytes().hex()


@pytest.mark.parametrize("family", FAMILIES)
def test_lora_loads_with_plain_peft(
    saved: Any, family: str, model_folder: Callable[[str], Path]
) -> None:
    from peft import PeftModel

    classifier, path = saved(family, "lora")
    base = AutoModelForSequenceClassification.from_pretrained(model_folder(family), num_labels=2)
    model = PeftModel.from_pretrained(base, path).eval()
    _assert_same_logits(classifier, model)


@pytest.mark.parametrize("family", FAMILIES)
def test_lora_in_the_last_block_loads_with_plain_peft(
    family: str, model_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    from peft import PeftModel

    classifier = TextClassifier(
        str(model_folder(family)), "lora", lora_layers="last-1", epochs=1, learning_rate=1e-2
    ).fit(TEXTS, TOPICS)
    path = classifier.save(tmp_path / "run")
    settings = json.loads((path / "adapter_config.json").read_text())
    assert settings["layers_to_transform"] == [1]
    names = [name for name in load_file(path / "adapter_model.safetensors") if "lora" in name]
    assert names
    assert all(f".{settings['layers_pattern']}.1." in name for name in names)
    base = AutoModelForSequenceClassification.from_pretrained(model_folder(family), num_labels=2)
    _assert_same_logits(classifier, PeftModel.from_pretrained(base, path).eval())


@pytest.mark.parametrize("family", FAMILIES)
def test_full_loads_with_plain_transformers(saved: Any, family: str) -> None:
    classifier, path = saved(family, "full")
    model, info = AutoModelForSequenceClassification.from_pretrained(path, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert model.config.id2label == {0: "dinner", 1: "prize"}
    _assert_same_logits(classifier, model.eval())


def _assert_same_logits(classifier: TextClassifier, model: torch.nn.Module) -> None:
    predictor = classifier.predictor_
    examples = encode_texts(TEXTS, predictor.tokenizer, predictor.max_length)
    with torch.no_grad():
        ours = predictor.classifier(collate(examples))
        theirs = [
            model(input_ids=torch.from_numpy(example.input_ids.astype(np.int64))[None]).logits
            for example in examples
        ]
    torch.testing.assert_close(torch.cat(theirs), ours, atol=1e-5, rtol=0)


def test_only_what_was_trained_is_kept(saved: Any) -> None:
    _, head = saved("llama", "head")
    _, last = saved("llama", "last-1")
    from safetensors.torch import load_file

    assert load_file(head / "trained.safetensors").keys() == {"score.weight"}
    names = load_file(last / "trained.safetensors").keys()
    assert all(n.startswith(("score", "backbone.layers.1", "backbone.norm")) for n in names)
    assert not list(last.glob("*.bin"))
    assert not list(last.glob("*.pt"))


def test_random_weights_are_kept_whole(tiny_llama: Path, tmp_path: Path) -> None:
    classifier = fitted(tiny_llama, "last-1", random_weights=True)
    loaded = TextClassifier.load(classifier.save(tmp_path / "run"))
    assert np.array_equal(loaded.predict_proba(TEXTS), classifier.predict_proba(TEXTS))


@pytest.mark.parametrize(("pooling", "attention"), [("mean", "bidirectional"), ("first", "causal")])
def test_pooling_and_attention_are_kept(
    tiny_llama: Path, tmp_path: Path, pooling: Any, attention: Any
) -> None:
    classifier = fitted(tiny_llama, "head", pooling=pooling, attention=attention)
    loaded = TextClassifier.load(classifier.save(tmp_path / "run"))
    assert loaded.predictor_.classifier.pooling == pooling
    assert loaded.predictor_.classifier.attention == attention
    assert np.array_equal(loaded.predict_proba(TEXTS), classifier.predict_proba(TEXTS))


@pytest.fixture
def copy(saved: Any, tmp_path: Path) -> Path:
    """A run of one's own to spoil."""
    import shutil

    return Path(shutil.copytree(saved()[1], tmp_path / "run"))


def edit(folder: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a file as a careful forger would, who seals the manifest again."""
    values = json.loads((folder / name).read_text())
    change(values)
    if name == "headtune.json":
        values["seal"] = seal_of(values)
    (folder / name).write_text(json.dumps(values))


def reseal(folder: Path, name: str) -> None:
    """Write the new hash of a file into the manifest, as a careful forger would."""
    import hashlib

    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    edit(folder, "headtune.json", lambda m: m["files"].update({name: digest}))


@pytest.mark.parametrize("name", ["trained.safetensors", "tokenizer.json", "probes.safetensors"])
def test_a_flipped_byte_is_named(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(TamperedArtifactError, match=name):
        load_artifact(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "trained.safetensors").unlink()
    with pytest.raises(TamperedArtifactError, match=r"trained\.safetensors is missing"):
        load_artifact(copy)


def test_a_truncated_file_is_refused_even_if_resealed(copy: Path) -> None:
    path = copy / "trained.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    reseal(copy, path.name)
    with pytest.raises(ArtifactFormatError, match=r"trained\.safetensors cannot be read"):
        load_artifact(copy)


def test_changed_weights_are_caught_by_the_probes_even_if_resealed(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = copy / "trained.safetensors"
    state = load_file(path)
    state["score.weight"] = state["score.weight"].flip(0).contiguous()
    save_file(state, path)
    reseal(copy, path.name)
    with pytest.raises(ProbeError, match="labels changed"):
        load_artifact(copy)


def test_swapped_labels_are_caught(copy: Path) -> None:
    edit(copy, "headtune.json", lambda m: m["labels"].reverse())
    with pytest.raises(ProbeError, match="16 of 16 labels changed"):
        load_artifact(copy)


def test_another_maximum_length_is_caught(copy: Path) -> None:
    edit(copy, "headtune.json", lambda m: m.update(max_length=5))
    with pytest.raises(ProbeError, match="maximum length"):
        load_artifact(copy)


def test_another_base_model_is_caught(copy: Path, model_folder: Callable[[str], Path]) -> None:
    with pytest.raises(TamperedArtifactError, match="base model"):
        load_artifact(copy, model=str(model_folder("qwen3")))


def test_a_base_model_that_moved_is_asked_for(copy: Path, tiny_llama: Path) -> None:
    edit(copy, "headtune.json", lambda m: m["base_model"].update(name="/nowhere/llama"))
    with pytest.raises(HeadtuneError, match="/nowhere/llama"):
        load_artifact(copy)
    assert load_artifact(copy, model=str(tiny_llama)).labels.names == ("dinner", "prize")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format_version=99), "newer headtune"),
        (lambda m: m.pop("format_version"), "format_version"),
        (lambda m: m.pop("labels"), "labels"),
        (lambda m: m.update(labels=["one"]), "two or more"),
        (lambda m: m.update(pooling="middle"), "received 'middle'"),
        (lambda m: m.update(surprise=1), "surprise"),
        (lambda m: m["tune"].update(tune="everything"), "everything"),
        (lambda m: m["base_model"].pop("name"), "'base_model.name' is missing"),
        (lambda m: m["files"].update({"../../etc/passwd": "0"}), "leaves the folder"),
        (lambda m: m["files"].update({"a/b": "0"}), "leaves the folder"),
    ],
)
def test_a_strange_manifest_is_refused(copy: Path, change: Any, message: str) -> None:
    edit(copy, "headtune.json", change)
    with pytest.raises(ArtifactFormatError, match=message):
        load_artifact(copy)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFoundError, match="no run folder"):
        load_artifact(tmp_path / "nothing")
    with pytest.raises(ArtifactFormatError, match=r"has no headtune\.json"):
        load_artifact(tmp_path)


def test_an_existing_run_is_not_replaced_unasked(saved: Any, tmp_path: Path) -> None:
    classifier, _ = saved()
    path = classifier.save(tmp_path / "run")
    before = (path / "headtune.json").read_text()
    with pytest.raises(ArtifactError, match="overwrite=True"):
        classifier.save(path)
    assert (path / "headtune.json").read_text() == before
    classifier.save(path, overwrite=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtifactError, match="not a headtune run"):
        classifier.save(tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_save_that_fails_leaves_nothing_behind(
    saved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headtune.artifact import save

    def fail(folder: Path, options: Any) -> None:
        raise ProbeError("does not load")

    monkeypatch.setattr(save, "verify_in_fresh_process", fail)
    with pytest.raises(ProbeError):
        saved()[0].save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_others_may_read_what_the_owner_may_share(saved: Any) -> None:
    """safetensors writes files for the owner alone; a run folder is to be shared."""
    _, path = saved()
    assert len({file.stat().st_mode for file in path.iterdir()}) == 1
