"""Python code planted in every kind of folder that is read is never run, whatever stands on stdin.

Each folder names a module that writes a marker file when it is imported, in each place where
transformers looks for one. Its hashes and seal are made anew, so that trust is what is tested.
Standard input says yes. Every command ends in a right answer or in one line.
"""

import hashlib
import io
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import headtune
from headtune import TextClassifier
from headtune.artifact.manifest import seal_of
from headtune.cli.app import run as run_command
from headtune.export import export_run
from headtune.model import load_config
from headtune.pretrained import Trust, find_pretrained, weights_sha256
from tests_support import TEXTS, TOPICS, make_gguf

TUNES = ("head", "last-1", "lora", "full")
CLASSES = (
    "AutoConfig", "AutoModel", "AutoModelForCausalLM", "AutoModelForSequenceClassification",
    "AutoProcessor", "AutoImageProcessor", "AutoFeatureExtractor",
)  # fmt: skip
CODE_MAP = dict.fromkeys(CLASSES, "planted.Planted") | {
    "AutoTokenizer": ["planted.Planted", "planted.Planted"]
}
WAYS: dict[str, dict[str, Any]] = {
    "known": {},
    "without a model class": {"model_type": "siglip_text_model", "tokenizer_class": "Planted"},
    "unknown": {"model_type": "planted", "tokenizer_class": "Planted"},
    "by version": {"configuration_files": ["config.4.0.0.json"]},
}
"""How the folder's configurations are changed besides. Only the first can be answered."""


def plant(folder: Path, marker: Path, way: str) -> list[str]:
    """Name code in all configurations of a folder; the names of the files that were written."""
    (folder / "planted.py").write_text(
        f"open({str(marker)!r}, 'w').close()\nclass Planted:\n    pass\n"
    )
    names = {"generation_config.json", "processor_config.json", "preprocessor_config.json"}
    names |= {path.name for path in folder.glob("*config*.json")}
    if way == "by version":
        names.add("config.4.0.0.json")
        WAYS[way].setdefault("model_type", "siglip_text_model")
    for name in names:
        path = folder / name
        values = json.loads(path.read_text()) if path.is_file() else {}
        values |= {"auto_map": CODE_MAP, "custom_generate": "planted"} | WAYS[way]
        if name == "adapter_config.json":
            values |= {"megatron_config": {}, "megatron_core": "planted", "auto_map": CODE_MAP}
        path.write_text(json.dumps(values))
    return [*names, "planted.py"]


def seal(run: Path, *names: str, **base: str) -> None:
    """Make the manifest say of the files what they are now, and ``base`` of the base model."""
    values = json.loads((run / "headtune.json").read_text())
    values["files"] |= {n: hashlib.sha256((run / n).read_bytes()).hexdigest() for n in names}
    values["base_model"] |= base
    values["config"].setdefault("machine", {})["trust_remote_code"] = True
    values["seal"] = seal_of(values)
    (run / "headtune.json").write_text(json.dumps(values))


@pytest.fixture(scope="module")
def runs(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One run of each tuning, and "gguf": the head on a GGUF file."""
    folder = tmp_path_factory.mktemp("runs")
    gguf = make_gguf(folder / "tiny.gguf")
    return {
        tune: TextClassifier(str(model), tune.split()[0], max_steps=2, dtype="float32")
        .fit(TEXTS, TOPICS)
        .save(folder / tune)
        for tune, model in (*((tune, tiny_llama) for tune in TUNES), ("head on gguf", gguf))
    }


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that planted code writes. None is there in the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("headtune.cli.app.QUIET", {})
    monkeypatch.setattr("warnings.filterwarnings", lambda *_, **__: None)
    yield tmp_path / "code-was-run"
    assert not (tmp_path / "code-was-run").exists()
    assert "planted" not in sys.modules


Said = Callable[..., str]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Said:
    """What a command says with "yes" on standard input: "" for an answer, else its one line."""

    def call(*arguments: str | Path) -> str:
        stdin = io.TextIOWrapper(io.BytesIO(b"y\n1\nyes\n"))
        monkeypatch.setattr("sys.stdin", stdin)
        code = run_command([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert sys.stdin is stdin
        assert "Do you wish to run the custom code" not in captured.out + captured.err
        errors = [line for line in captured.err.splitlines() if line.startswith("Error")]
        assert "Traceback" not in captured.err
        assert not any(line.startswith("Error: unexpected") for line in errors), captured.err
        assert (code, len(errors)) in ((0, 0), (1, 1)), captured.err
        if code == 0 and arguments[0] == "predict":
            assert len(captured.out.splitlines()) >= 3
        return "".join(errors)

    return call


def table(path: Path) -> Path:
    rows = zip(TEXTS, TOPICS, strict=True)
    path.write_text("text,label\n" + "".join(f"{text},{topic}\n" for text, topic in rows))
    return path


def all_commands(said: Said, run: Path, *, answers: bool) -> list[str]:
    """What commands that load a run say of one; fewer where they answer, which takes longer."""
    first = [said("predict", run, "-"), said("info", run, "--verify")]
    if answers:
        return first
    labelled = table(run.parent / "labelled.csv")
    return [
        *first,
        said("evaluate", run, labelled),
        said("explain", run, TEXTS[0]),
        said("predict", run, "-", "--trust-remote-code"),
        said("export", run, "--to", "onnx", "--out", run.parent / "onnx"),
        said("export", run, "--to", "transformers", "--out", run.parent / "transformers"),
    ]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tune", TUNES)
def test_a_run_folder(
    runs: dict[str, Path], tune: str, way: str, tmp_path: Path, marker: Path, said: Said
) -> None:
    run = Path(shutil.copytree(runs[tune], tmp_path / "run"))
    seal(run, *plant(run, marker, way))
    answers = way == "known" and tune == "full"  # elsewhere no config.json names the architecture
    for line in all_commands(said, run, answers=answers):
        assert ("names Python code of its own" in line) == (not answers)


@pytest.mark.parametrize("way", WAYS)
def test_the_base_model_of_a_run(
    runs: dict[str, Path], way: str, tiny_llama: Path, tmp_path: Path, marker: Path, said: Said
) -> None:
    """What a run names as its base is no word of the user's, with a flag or without."""
    base = Path(shutil.copytree(tiny_llama, tmp_path / "base"))
    run = Path(shutil.copytree(runs["head"], tmp_path / "run"))
    plant(base, marker, way)
    seal(run, name=str(base), sha256=weights_sha256(base))
    lines = all_commands(said, run, answers=way == "known")
    assert {bool(line) for line in lines} == {way != "known"}
    assert all("where you name the model yourself" in line for line in lines if line)


@pytest.mark.parametrize("way", WAYS)
def test_a_model_to_train(
    way: str, tiny_llama: Path, tmp_path: Path, marker: Path, said: Said
) -> None:
    base = Path(shutil.copytree(tiny_llama, tmp_path / "base"))
    plant(base, marker, way)
    labelled = table(tmp_path / "labelled.csv")
    lines = [
        said("train", labelled, "--model", base, "--max-steps", "1", "--out", tmp_path / "run"),
        said("train", labelled, "--model", base, "--tune", "full", "--dry-run"),
        said("inspect", labelled, "--model", base),
    ]
    assert {bool(line) for line in lines} == {way != "known"}
    if way == "known":  # and nothing of it is passed on
        written = [path.read_text() for path in (tmp_path / "run").glob("*.json")]
        assert not [text for text in written if "auto_map" in text and "planted" in text]


@pytest.mark.parametrize("way", ["known", "by version"])
def test_what_lies_beside_a_gguf_file(
    runs: dict[str, Path], way: str, tmp_path: Path, marker: Path, said: Said
) -> None:
    """Nothing beside the file is read, whether the user names it or a run does."""
    gguf = Path(shutil.copy(runs["head"].parent / "tiny.gguf", tmp_path / "tiny.gguf"))
    plant(tmp_path, marker, way)
    run = Path(shutil.copytree(runs["head on gguf"], tmp_path / "run"))
    seal(run, name=str(gguf))
    assert all_commands(said, run, answers=True) == [""] * 2
    assert not said("train", table(tmp_path / "l.csv"), "--model", gguf, "--dry-run")


@pytest.mark.parametrize("way", ["known", "without a model class"])
def test_an_exported_folder(
    runs: dict[str, Path], way: str, tmp_path: Path, marker: Path, said: Said
) -> None:
    """Named as a model to train on, or put in the place of a run."""
    export_run(runs["last-1"], "transformers", tmp_path / "out")
    plant(tmp_path / "out", marker, way)
    labelled = table(tmp_path / "labelled.csv")
    line = said("train", labelled, "--model", tmp_path / "out", "--dry-run")
    assert bool(line) == (way != "known")
    assert "is not a headtune run" in said("predict", tmp_path / "out", "-")


def test_an_adapter_beside_a_model(tiny_llama: Path, tmp_path: Path, said: Said) -> None:
    """transformers would put it over the weights, unseen, and PEFT import what it names."""
    base = Path(shutil.copytree(tiny_llama, tmp_path / "base"))
    (base / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    line = said("train", table(tmp_path / "t.csv"), "--model", base, "--dry-run")
    assert "holds an adapter beside the model" in line


def test_one_place_says_whether_code_runs() -> None:
    """The word stands where it is decided and where the option is; no call goes past it."""
    package = Path(headtune.__file__).parent
    sources = {str(p.relative_to(package)): p.read_text() for p in package.rglob("*.py")}
    assert {name for name, text in sources.items() if "trust_remote_code" in text} == {
        "options/machine.py", "pretrained/trust.py", "cli/common.py",
        "classifier/text_classifier.py",
    }  # fmt: skip
    call = re.compile(r"Auto\w+\.from_(pretrained|config)\(")
    calling = {name for name, text in sources.items() if call.search(text)}
    assert calling == {"export/formats.py"}  # the lines that a model card shows


def test_code_of_a_named_and_trusted_model_runs(tiny_llama: Path, tmp_path: Path) -> None:
    """So that the tests above plant what would run: the same folder, trusted."""
    base = Path(shutil.copytree(tiny_llama, tmp_path / "base"))
    plant(base, tmp_path / "code-was-run", "unknown")
    with pytest.raises(AttributeError, match="register_for_auto_class"):  # it is no real class
        load_config(find_pretrained(str(base), trust=Trust.GIVEN))
    assert (tmp_path / "code-was-run").exists()
