"""headtune sweep: what is said before any work begins."""

from pathlib import Path

import pytest

from headtune.cli.app import run

from .conftest import Headtune


def test_optuna_is_named_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, headtune: Headtune
) -> None:
    monkeypatch.setattr("headtune.cli.sweep.find_spec", lambda name: None)
    done = headtune("sweep", "messages.csv")
    assert done.code == 1
    assert "pip install 'headtune[sweep]'" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "needs DATA"),
        (("x.csv", "--tune", "lora"), 1, "headtune train"),
        (("x.csv", "--learning-rate", "fast"), 1, "--learning-rate takes"),
        (("x.csv", "--time", "soon"), 1, "--time takes"),
        (("x.csv", "--trials", "0"), 1, "--trials must be"),
    ],
)
def test_mistakes_end_in_one_line(
    headtune: Headtune, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = headtune("sweep", *arguments)
    assert done.code == code
    assert said in done.err
    assert done.out == ""


@pytest.mark.parametrize("has_begun", [True, False])
def test_ctrl_c_says_how_to_go_on_where_there_is_something(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    has_begun: bool,
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("headtune.sweep.run._sweep", stop)
    if has_begun:
        (tmp_path / "options.json").write_text("{}")
    assert run(["sweep", "x.csv", "--out", str(tmp_path)]) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    go_on = f"headtune sweep x.csv --out {tmp_path} --resume"
    assert last.endswith(go_on if has_begun else "nothing is left to go on from.")
