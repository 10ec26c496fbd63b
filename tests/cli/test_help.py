"""--help has every option, its text as written in config.py, its default, and examples."""

from dataclasses import fields

import pytest

from headtune.cli.options import STAGE_OF, field_texts
from headtune.options import STAGES

from .conftest import Headtune


def words(text: str) -> str:
    """Without line breaks, and with plain spaces."""
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def test_every_option_has_a_text_and_a_name_of_its_own() -> None:
    n_options = sum(len(fields(cls)) for cls in STAGES.values())
    assert len(STAGE_OF) == n_options
    for name in STAGE_OF:
        assert len(field_texts()[name]) > 10


def test_train_help_has_every_option_with_text_and_default(headtune: Headtune) -> None:
    shown = words(headtune("train", "--help").out)
    for cls in STAGES.values():
        for option in fields(cls):
            if option.name in (
                "compute",
                "exact",
            ):  # how predictions are computed: predict, evaluate
                continue
            entry = f"--{option.name.replace('_', '-')}"
            assert entry in shown
            assert words(field_texts()[option.name]) in shown
            if type(option.default) in (int, float) or isinstance(option.default, str):
                assert f"[default: {option.default}]" in shown


def test_options_are_grouped_by_stage(headtune: Headtune) -> None:
    lines = headtune("train", "--help").out.splitlines()
    titles = [line for line in lines if line in ("Data", "Tokens", "Model", "Tuning", "Training")]
    assert titles == ["Data", "Tokens", "Model", "Tuning", "Training"]
    assert lines.index("Tuning") < lines.index(
        next(line for line in lines if "--lora-rank" in line)
    )


@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "inspect", "bench"])
def test_help_has_examples_and_fits_80_columns(
    headtune: Headtune, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = headtune(command, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: headtune {command} ")
    assert result.out.count(f"  headtune {command} ") >= 3
    assert max(map(len, result.out.splitlines())) <= 80


def test_choices_are_shown(headtune: Headtune) -> None:
    assert "none | undersample | oversample | weights" in words(headtune("train", "--help").out)


def test_predict_takes_only_options_that_concern_it(headtune: Headtune) -> None:
    shown = headtune("predict", "--help").out
    assert "--device STR" in shown
    for name in ("--revision", "--split", "--label", "--epochs", "--pooling"):
        assert name not in shown
    assert "--label STR" in headtune("evaluate", "--help").out
