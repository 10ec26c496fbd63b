"""Every export, of every architecture and way of tuning, answers in its tool as the run does."""

import ast
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest

from headtune.cli.export import FormatName
from headtune.cli.flags import as_flag
from headtune.errors import (
    ArtifactError,
    ConfigError,
    ExportError,
    MissingDependencyError,
    ProbeError,
)
from headtune.export import FORMATS, export_run
from headtune.export.formats import find_format
from headtune.export.proof import Tolerance, agreement_of, require
from headtune.export.source import Probabilities, open_source
from headtune.files.claims import claimed
from tests_support import TEXTS

from .conftest import FAMILIES, TUNES, RunOf

GRAPHS = ("onnx", "openvino", "gguf")
"""Formats made from one merged model, whatever was tuned; seconds each."""


OPENVINO_PLACE, ONNX_PLACE = 1, 2
"""Of the families; ten seconds each."""


def is_tried(family: str, tune: str, to: str) -> bool:
    """Every family and every tuning in each format; half of their pairs.

    OpenVINO's graphs are made of ONNX's: one family goes through each.
    ``benchmarks/check_exports.py`` tries all there is.
    """
    if to == "peft":
        return tune == "lora"
    place, other = FAMILIES.index(family), TUNES.index(tune)
    if to not in GRAPHS:
        return (place + other) % 2 == 0
    if to in ("onnx", "openvino") and place != (ONNX_PLACE if to == "onnx" else OPENVINO_PLACE):
        return False
    return place == other


MATRIX = [
    pytest.param(family, tune, to, id=f"{family}-{tune}-{to}")
    for family in FAMILIES
    for tune in TUNES
    for to in FORMATS
    if is_tried(family, tune, to)
]


@pytest.mark.parametrize(("family", "tune", "to"), MATRIX)
def test_the_other_tool_gives_the_same_probabilities(
    run_of: RunOf,
    said_of_texts: Callable[[Path], Probabilities],
    tmp_path: Path,
    family: str,
    tune: str,
    to: str,
) -> None:
    """On texts that were not probes, read from the folder as it was published."""
    for module in FORMATS[to].needs:
        pytest.importorskip(module, reason=f"--to {to} needs it")
    run = run_of(family, tune)
    exported = export_run(run, to, tmp_path / "out")
    found = FORMATS[to].answerer()(open_source(run), tmp_path / "out", TEXTS)
    agreement = agreement_of(said_of_texts(run), found)
    assert agreement.max_probability_difference < FORMATS[to].tolerance.probability
    assert agreement.n_changed_labels == exported.agreement.n_changed_labels == 0
    assert exported.bytes == sum(
        p.stat().st_size for p in (tmp_path / "out").rglob("*") if p.is_file()
    )


def test_the_command_line_knows_the_same_formats() -> None:
    assert get_args(FormatName) == tuple(FORMATS)


def test_an_export_that_answers_otherwise_is_not_published(
    run_of: RunOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head is turned upside down while it is written."""
    from safetensors.torch import save_file

    from headtune.export import transformers_folder

    def write_wrong(state: dict[str, Any], *rest: Any, **more: Any) -> None:
        state["score.weight"] = state["score.weight"].flip(0).contiguous()
        save_file(state, *rest, **more)

    monkeypatch.setattr(transformers_folder, "save_file", write_wrong)
    with pytest.raises(ProbeError, match=r"differ by up to 0\.\d+, \d+ of \d+ labels changed"):
        export_run(run_of(), "transformers", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_both_numbers_decide() -> None:
    one, other = np.array([[0.6, 0.4]] * 4), np.array([[0.6, 0.4]] * 3 + [[0.49, 0.51]])
    agreement = agreement_of(one, other)
    assert str(agreement) == "probabilities differ by up to 0.1, 1 of 4 labels changed"
    require(agreement, Tolerance(0.2, 0.25), "thing")
    with pytest.raises(ProbeError, match=r"0\.1, 1 of 4"):
        require(agreement, Tolerance(0.2), "thing")
    with pytest.raises(ProbeError, match=r"0\.1, 1 of 4"):
        require(agreement, Tolerance(0.05, 0.25), "thing")
    with pytest.raises(ProbeError, match="nan"):
        require(agreement_of(one, one * np.nan), Tolerance(0.2, 1.0), "thing")


def test_nothing_is_overwritten_unasked_or_that_is_no_export(run_of: RunOf, tmp_path: Path) -> None:
    run, out = run_of("llama", "head"), tmp_path / "out"
    export_run(run, "transformers", out)
    before = (out / "export.json").read_bytes()
    with pytest.raises(ArtifactError, match="overwrite=True"):
        export_run(run, "transformers", out)
    assert (out / "export.json").read_bytes() == before
    (out / "stale.txt").write_text("from before")
    export_run(run, "transformers", out, overwrite=True)
    assert not (out / "stale.txt").exists()
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    with pytest.raises(ArtifactError, match="not an earlier export"):
        export_run(run, "transformers", copy, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "run"]


@pytest.mark.parametrize(
    ("to", "tune", "options", "reason"),
    [
        ("peft", "last-2", {}, "tuned by 'last-2', which changes no adapter"),
        ("transformers", "head", {"pooling": "mean"}, 'pools the mean .* to="onnx"'),
        ("transformers", "head", {"pooling": "first"}, 'pools the first .* to="onnx"'),
        ("peft", "lora", {"attention": "bidirectional"}, "sees? the tokens after it"),
    ],
)
def test_what_a_format_cannot_express_is_refused_with_the_reason(
    run_of: RunOf, tmp_path: Path, to: str, tune: str, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ExportError, match=reason):
        export_run(run_of("llama", tune, **options), to, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_architecture_without_such_a_class_is_refused(
    run_of: RunOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = SimpleNamespace(_model_mapping={})
    monkeypatch.setattr(
        "headtune.export.transformers_folder.AutoModelForSequenceClassification", none
    )
    with pytest.raises(ExportError, match="no sequence classifier for 'llama'"):
        export_run(run_of("llama", "head"), "transformers", tmp_path / "out")


@pytest.mark.parametrize(
    ("asked", "option", "in_python", "on_the_command_line"),
    [
        (
            ("pdf", None),
            "to",
            "to= takes transformers, peft",
            "--to takes transformers, peft",
        ),
        (
            ("transformers", "int8"),
            "quantize",
            'quantize="int8" does not go with to="transformers". It goes as: to=',
            "--quantize int8 does not go with --to transformers. It goes as: --to onnx --quantize",
        ),
        (
            ("onnx", None, ["label_word"]),
            "label_word",
            'label_word= does not go with to="onnx". It goes with: to="causal-lm"',
            "--label-word does not go with --to onnx. It goes with: --to causal-lm",
        ),
    ],
)
def test_what_no_format_has_is_said_in_the_reader_s_words(
    asked: Any, option: str, in_python: str, on_the_command_line: str
) -> None:
    with pytest.raises(ExportError) as caught:
        find_format(*asked)
    assert caught.value.option == option
    assert str(caught.value).startswith(in_python)
    assert caught.value.worded(as_flag).startswith(on_the_command_line)


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headtune.export.formats.find_spec", lambda name: None)
    for name, row in FORMATS.items():
        if row.needs:
            with pytest.raises(MissingDependencyError, match=rf"headtune\[{row.extra}\]"):
                find_format(name, None)


def test_the_pipeline_loads_labels_and_padding(run_of: RunOf, tmp_path: Path) -> None:
    """A text is pooled at its own end, alone and beside a longer one, end-of-text token or not."""
    from transformers import pipeline

    run = run_of("llama", "lora")
    export_run(run, "transformers", tmp_path / "out")
    classify = pipeline("text-classification", str(tmp_path / "out"))
    texts = ["win", "see you at dinner and then at home for tea", "win<|end|>"]
    alone = [classify(text)[0] for text in texts]
    together = classify(texts, batch_size=3)
    assert {answer["label"] for answer in alone} <= {"dinner", "prize"}
    for one, other in zip(alone, together, strict=True):
        assert one["label"] == other["label"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
    from headtune import Predictor

    ours = Predictor.load(run).predict(texts)
    for one, mine in zip(alone, ours, strict=True):
        assert one["score"] == pytest.approx(mine.probabilities[one["label"]], abs=1e-5)


def test_the_adapter_names_its_base_and_its_labels(run_of: RunOf, tmp_path: Path) -> None:
    from transformers import AutoConfig

    run = run_of("llama", "lora")
    export_run(run, "peft", tmp_path / "out")
    adapter = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert adapter["modules_to_save"] == ["score"]
    assert adapter["task_type"] == "SEQ_CLS"
    manifest = json.loads((run / "headtune.json").read_text())
    assert adapter["base_model_name_or_path"] == manifest["base_model"]["name"]
    config = AutoConfig.from_pretrained(tmp_path / "out")
    assert config.num_labels == 2
    assert config.id2label == {0: "dinner", 1: "prize"}
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    assert record["labels"] == ["dinner", "prize"]


def test_the_lines_that_load_it_are_python_whatever_the_folder_is_called(
    run_of: RunOf, tmp_path: Path
) -> None:
    out = tmp_path / """it's "mine" \\ today"""
    export_run(run_of("llama", "head"), "transformers", out)
    code = (out / "README.md").read_text(encoding="utf-8").split("```")[1].removeprefix("python\n")
    names = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    assert str(out) in names


def test_two_exports_into_one_folder_take_turns(run_of: RunOf, tmp_path: Path) -> None:
    with claimed(tmp_path / "out"), pytest.raises(ConfigError, match="Another process is working"):
        export_run(run_of("llama", "head"), "transformers", tmp_path / "out")
    assert not (tmp_path / "out").exists()
