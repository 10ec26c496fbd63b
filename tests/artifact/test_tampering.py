"""Whatever is changed in a run folder is noticed at the next load, and the file is named.

Two kinds of change: a plain one (a bad copy, an editor), which hashes and seal show; and a careful
one, with hashes and seal made again, which the base model's hash and the probes show.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from conftest import make_model_folder, make_tokenizer
from headtune import TextClassifier
from headtune.artifact import load_artifact
from headtune.artifact.manifest import seal_of
from headtune.errors import (
    ArtifactError,
    ArtifactFormatError,
    HeadtuneError,
    ModelError,
    ProbeError,
    TamperedArtifactError,
)
from headtune.options import MachineConfig
from tests_support import TEXTS, TOPICS

FIT: dict[str, Any] = {"max_steps": 8, "learning_rate": 3e-3}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose base model lies beside it, so that tests can spoil both."""
    folder = tmp_path_factory.mktemp("original")
    base = make_model_folder("llama", folder / "base")
    classifier = TextClassifier(str(base), "last-1", dtype="float32", **FIT)
    return classifier.fit(TEXTS, TOPICS).save(folder / "run")


@pytest.fixture(scope="module")
def in_bfloat16(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, computed in another number format."""
    classifier = TextClassifier(str(original.parent / "base"), "last-1", dtype="bfloat16", **FIT)
    return classifier.fit(TEXTS, TOPICS).save(tmp_path_factory.mktemp("bfloat16") / "run")


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "run"))


def edit(run: Path, change: Callable[[dict[str, Any]], Any], *, seal: bool = False) -> None:
    values = json.loads((run / "headtune.json").read_text())
    change(values)
    if seal:
        values["seal"] = seal_of(values)
    (run / "headtune.json").write_text(json.dumps(values))


def reseal(run: Path, *names: str) -> None:
    digests = {n: hashlib.sha256((run / n).read_bytes()).hexdigest() for n in names}
    edit(run, lambda m: m["files"].update(digests), seal=True)


def test_every_file_is_watched(run: Path) -> None:
    """A flipped bit anywhere in any file, and a file cut short by a byte."""
    for path in sorted(run.iterdir()):
        content = path.read_bytes()
        for place in (0, len(content) // 2, len(content) - 1):
            changed = bytearray(content)
            changed[place] ^= 1
            path.write_bytes(changed)
            with pytest.raises(ArtifactError, match=path.name.replace(".", r"\.")):
                load_artifact(run)
        path.write_bytes(content[:-1])
        if path.name != "headtune.json":  # whose last byte is a line break
            with pytest.raises(TamperedArtifactError, match=path.name.replace(".", r"\.")):
                load_artifact(run)
        path.write_bytes(content)
    assert load_artifact(run).probes.bit_equal


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["labels"].reverse(),
        lambda m: m.update(max_length=7),
        lambda m: m.update(pooling="mean"),
        lambda m: m["base_model"].update(name="another"),
        lambda m: m["metrics"].update(after={"test": {"accuracy": 1.0}}),
        lambda m: m.update(created="1999-12-31"),
        lambda m: m.pop("seal"),
    ],
)
def test_a_changed_manifest_is_named(run: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    edit(run, change)
    with pytest.raises(TamperedArtifactError, match=r"headtune\.json was changed after"):
        load_artifact(run)


def test_order_and_white_space_of_a_manifest_are_no_change(run: Path) -> None:
    values = json.loads((run / "headtune.json").read_text())
    text = json.dumps(dict(reversed(values.items())), indent=7)
    (run / "headtune.json").write_text(text)
    assert load_artifact(run).probes.bit_equal


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["labels"].reverse(), "16 of 16 labels changed"),
        (lambda m: m.update(max_length=5), "another maximum length"),
        (lambda m: m.update(pooling="first"), "does not answer"),
        (lambda m: m["tune"].update(tune="head"), "names are on one side only|do not belong"),
        (lambda m: m["files"].pop("trained.safetensors"), "does not list trained"),
    ],
)
def test_a_sealed_change_is_caught_by_what_it_does(
    run: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    edit(run, change, seal=True)
    with pytest.raises(HeadtuneError, match=message):
        load_artifact(run)


@pytest.mark.parametrize("trained_in", ["float32", "bfloat16"])
@pytest.mark.parametrize("loaded_in", ["float32", "bfloat16"])
def test_swapped_labels_are_caught_in_every_number_format(
    original: Path,
    in_bfloat16: Path,
    tmp_path: Path,
    trained_in: str,
    loaded_in: Literal["float32", "bfloat16"],
) -> None:
    """Probabilities are what they were; only their names are not."""
    trained = original if trained_in == "float32" else in_bfloat16
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    options = MachineConfig(dtype=loaded_in)
    assert load_artifact(run, options=options).probes.n_probes == 16
    edit(run, lambda m: m["labels"].reverse(), seal=True)
    with pytest.raises(ProbeError, match="labels changed"):
        load_artifact(run, options=options)


def test_another_tokenizer(run: Path) -> None:
    """Put in place of the tokenizer, hashes made again."""
    other = make_tokenizer()
    other.add_tokens(["prize", "dinner"])
    other.save_pretrained(run)
    with pytest.raises(TamperedArtifactError, match=r"tokenizer"):
        load_artifact(run)
    reseal(run, "tokenizer.json", "tokenizer_config.json")
    with pytest.raises(ProbeError, match="another tokenizer"):
        load_artifact(run)


def test_a_file_that_a_tokenizer_would_read_besides(run: Path) -> None:
    (run / "added_tokens.json").write_text('{"prize": 5}')
    with pytest.raises(TamperedArtifactError, match=r"added_tokens\.json is no part of this run"):
        load_artifact(run)
    (run / "added_tokens.json").rename(run / "notes.txt")
    assert load_artifact(run).probes.bit_equal


def test_a_missing_head(run: Path) -> None:
    """Left out of the weight file, hashes made again."""
    from safetensors.torch import load_file, save_file

    state = load_file(run / "trained.safetensors")
    del state["score.weight"]
    save_file(state, run / "trained.safetensors")
    with pytest.raises(TamperedArtifactError, match=r"trained\.safetensors"):
        load_artifact(run)
    reseal(run, "trained.safetensors")
    with pytest.raises(Exception, match=r"do not belong to this model: score\.weight"):
        load_artifact(run)


def test_an_older_base_model(run: Path, tmp_path: Path) -> None:
    """The same name, one weight otherwise: the folder of the base is named."""
    from safetensors.torch import load_file, save_file

    base = make_model_folder("llama", tmp_path / "base")
    path = base / "model.safetensors"
    state = load_file(path)
    name = next(iter(state))
    state[name].view(-1)[0] += 1e-3
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(TamperedArtifactError, match=str(base)):
        load_artifact(run, model=str(base))


def test_a_newer_format_is_refused_kindly(run: Path) -> None:
    """Whatever else it holds, sealed in whatever way."""
    edit(run, lambda m: m.update(format_version=3, labels={"new": "kind"}, more=[1]))
    with pytest.raises(ArtifactFormatError, match=r"newer headtune .* pip install -U headtune"):
        load_artifact(run)


@pytest.mark.parametrize("name", ["../base/config.json", "/etc/passwd", "a/b", "..", "a\\b", ""])
def test_paths_stay_in_the_folder(run: Path, name: str) -> None:
    edit(run, lambda m: m["files"].update({name: "0" * 64}), seal=True)
    with pytest.raises(ArtifactFormatError, match="leaves the folder"):
        load_artifact(run)


def test_trust_in_remote_code_is_never_taken_from_a_run(run: Path) -> None:
    """Neither the recorded options nor the tokenizer's configuration can make code run."""
    marker = run.parent / "code-was-run"
    (run / "tiny.py").write_text(f"open({str(marker)!r}, 'w')")
    config = json.loads((run / "tokenizer_config.json").read_text())
    config["auto_map"] = {"AutoTokenizer": ["tiny.Tiny", "tiny.Tiny"]}
    config["tokenizer_class"] = "Tiny"
    (run / "tokenizer_config.json").write_text(json.dumps(config))
    edit(run, lambda m: m["config"]["machine"].update(trust_remote_code=True))
    reseal(run, "tokenizer_config.json")
    with pytest.raises(ModelError, match=r"names Python code of its own .* tokenizer_config\.json"):
        load_artifact(run)
    assert not marker.exists()


def test_a_pickle_is_never_read(run: Path) -> None:
    """In place of the safetensors, sealed: no safetensors, no load."""
    import pickle

    class Bomb:
        def __reduce__(self) -> Any:
            return (open, (str(run.parent / "code-was-run"), "w"))

    (run / "trained.safetensors").write_bytes(pickle.dumps(Bomb()))
    reseal(run, "trained.safetensors")
    with pytest.raises(ArtifactFormatError, match=r"trained\.safetensors cannot be read"):
        load_artifact(run)
    assert not (run.parent / "code-was-run").exists()
