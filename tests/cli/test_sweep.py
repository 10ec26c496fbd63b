"""headtune sweep: what is said before any work begins."""

import pytest

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
