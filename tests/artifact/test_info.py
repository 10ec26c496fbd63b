"""What a run says of itself, without loading it; and what --verify rechecks."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from headtune import RunConfig, TextClassifier, train_run
from headtune.artifact import Manifest, describe_run
from headtune.artifact.manifest import seal_of
from headtune.cli.app import run as headtune
from headtune.errors import ArtifactNotFoundError, TamperedArtifactError
from headtune.pretrained import locate_pretrained
from headtune.tasks.metrics import accuracy_interval
from tests_support import TEXTS, TOPICS


@pytest.fixture(scope="module")
def made(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a table, with a test part."""

    folder = tmp_path_factory.mktemp("info")
    rows = [f"{text},{topic}" for text, topic in zip(TEXTS, TOPICS, strict=True)]
    (folder / "messages.csv").write_text("\n".join(["text,topic", *rows]) + "\n")
    values = {
        "source": str(folder / "messages.csv"),
        "data": {"label": "topic"},
        "model": {"model": str(tiny_llama)},
        "tune": {"tune": "last-1"},
        "train": {"max_steps": 2},
    }
    train_run(RunConfig.from_dict(values), out=folder / "run")
    return folder / "run"


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    import shutil

    return Path(shutil.copytree(made, tmp_path / "run"))


def forge(run: Path, **changes: Any) -> None:
    """Change the manifest, and seal it again."""
    values = json.loads((run / "headtune.json").read_text()) | changes
    values["seal"] = seal_of(values)
    (run / "headtune.json").write_text(json.dumps(values))


def test_it_says_what_the_manifest_the_report_and_the_disk_say(run: Path, tiny_llama: Path) -> None:
    info, manifest = describe_run(run), Manifest.load(run)
    assert (info.labels, info.tune["tune"]) == (("dinner", "prize"), "last-1")
    assert (info.base_model, info.model_type) == (str(tiny_llama), "llama")
    assert info.columns == {"text": "text", "label": "topic", "template": None}
    assert info.source is not None
    assert info.source.endswith("messages.csv")
    assert info.data_fingerprint == manifest.data_fingerprint != ""
    files = list(run.iterdir())
    assert info.n_files == len(files)
    assert info.bytes == sum(path.stat().st_size for path in files)
    assert info.needs is not None
    assert info.needs.path == tiny_llama
    assert info.needs.bytes == sum(path.stat().st_size for path in tiny_llama.iterdir())
    report = json.loads((run / "report.json").read_text())
    measured, figures = report["after"]["test"], info.after["test"]
    assert (figures.n, figures.accuracy) == (measured["n"], measured["accuracy"])
    assert figures.interval == accuracy_interval(
        sum(row[i] for i, row in enumerate(measured["confusion"])), measured["n"]
    )
    assert info.before["test"].accuracy == report["before"]["test"]["accuracy"]


def test_versions_stand_beside_those_of_here(run: Path) -> None:
    forge(run, libraries={"transformers": "4.0.0", "no-such-library": "1.0", "": "1"})
    libraries = describe_run(run).libraries
    import transformers

    assert (libraries["transformers"].made_with, libraries["transformers"].here) == (
        "4.0.0",
        transformers.__version__,
    )
    assert libraries["no-such-library"].here is None
    assert libraries["headtune"].made_with == libraries["headtune"].here


def test_a_base_model_that_is_not_here_is_said_and_not_fetched(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = Manifest.load(run).base_model
    forge(run, base_model=asdict(base) | {"name": "owner/not-here"})
    needs = describe_run(run).needs
    assert needs is not None
    assert (needs.path, needs.bytes) == (None, None)
    assert headtune(["info", str(run)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "not on this machine; if it is elsewhere: --model FOLDER" in shown
    moved = describe_run(run, model=str(tmp_path)).needs
    assert moved is not None
    assert moved.path == tmp_path


def test_a_look_for_a_model_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GGUF file is named as it is, and by its folder once it was converted."""
    from headtune.pretrained.gguf import _folder_of_gguf

    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "cache"))
    gguf = tmp_path / "tiny.gguf"
    gguf.write_bytes(b"GGUF and more")
    assert locate_pretrained(str(gguf)) == gguf
    assert not (tmp_path / "cache").exists()
    _folder_of_gguf(gguf).mkdir(parents=True)
    assert locate_pretrained(str(gguf)) == _folder_of_gguf(gguf)
    for missing in ("owner/not-here", "not a name", str(tmp_path / "nothing")):
        assert locate_pretrained(missing) is None


def test_a_run_of_all_weights_needs_no_base_and_one_of_python_has_no_figures(
    tiny_llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier = TextClassifier(str(tiny_llama), "full", max_steps=1).fit(TEXTS, TOPICS)
    info = describe_run(classifier.save(tmp_path / "run"))
    assert info.needs is None
    assert (info.source, info.after) == (None, {})
    assert headtune(["info", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr().out
    assert "no base model: all weights are here" in shown
    assert "none: it was not given a test" in shown


def test_the_page_and_the_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    info = describe_run(run)
    assert headtune(["info", str(run)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    figures = info.after["test"]
    assert f"on {figures.n} texts; before tuning" in shown
    assert f"fingerprint {info.data_fingerprint[:16]}" in shown
    assert "verified not now" in shown
    assert headtune(["info", str(run), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["verified"] is None
    assert values["needs"]["sha256"] == Manifest.load(run).base_model.sha256


def test_verify_rechecks_hashes_and_probes(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert headtune(["info", str(run), "--verify", "--json"]) == 0
    proof = json.loads(capsys.readouterr().out)["verified"]
    probes = json.loads((run / "probes.json").read_text())
    assert proof["probes"]["n_probes"] == len(probes["texts"])
    assert (proof["probes"]["n_changed_labels"], proof["base_model"]) == (0, True)
    weights = run / describe_run(run).weights
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert headtune(["info", str(run)]) == 0  # says what the manifest says
    capsys.readouterr()
    assert headtune(["info", str(run), "--verify"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{weights} is not the file that was written" in captured.err


def test_what_is_no_run_or_was_changed_is_an_error(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFoundError, match="no run folder"):
        describe_run(tmp_path / "nothing")
    (run / "probes.json").unlink()
    with pytest.raises(TamperedArtifactError, match=r"probes\.json is missing"):
        describe_run(run)
    manifest = json.loads((run / "headtune.json").read_text())
    (run / "headtune.json").write_text(json.dumps(manifest | {"max_length": 7}))
    with pytest.raises(TamperedArtifactError, match="seal"):
        describe_run(run)


def test_figures_of_an_unknown_shape_are_left_out(run: Path) -> None:
    forge(run, metrics={"before": [1], "after": {"test": {"n": 0, "accuracy": 1.0}, "x": 3}})
    assert describe_run(run).after == describe_run(run).before == {}


def test_it_answers_without_importing_torch(run: Path) -> None:
    code = (
        "import sys; from headtune.cli.app import run; "
        f"assert run(['info', {str(run)!r}]) == 0; "
        "assert not {'torch', 'transformers', 'sklearn', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
