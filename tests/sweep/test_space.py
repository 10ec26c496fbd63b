"""What a sweep tries, as it is written on the command line."""

import pytest

from headtune.errors import ConfigError
from headtune.sweep.space import Choice, Range, deepest, parse_space, seconds_of


def test_values_lists_and_ranges() -> None:
    space = parse_space(
        {
            "tune": "head,last-2, last-1",
            "learning_rate": "1e-5..1e-3",
            "batch_size": "8..32",
            "epochs": "3",
            "weight_decay": "0..0.1",
        }
    )
    assert space == {
        "tune": Choice(("head", "last-2", "last-1")),
        "learning_rate": Range(1e-5, 1e-3, by_ratio=True),
        "batch_size": Range(8, 32, whole=True, by_ratio=True),
        "epochs": Choice((3.0,)),
        "weight_decay": Range(0.0, 0.1),
    }
    assert [config.tune for config in deepest(space)] == ["last-2", "last-1", "head"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tune", "head,lora", "headtune train"),
        ("tune", "full", "shares frozen layers"),
        ("tune", "first-1", "tune= takes"),
        ("learning_rate", "fast", "learning_rate= takes"),
        ("learning_rate", "1e-3..1e-5", "no range"),
        ("learning_rate", "0..1", "above 0"),
        ("learning_rate", "1..2..3", "learning_rate= takes"),
        ("batch_size", "8.5", "batch_size= takes"),
        ("weight_decay", "", "weight_decay= takes"),
    ],
)
def test_what_cannot_be_searched(name: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_space({name: text})


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400)])
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "-1m", "ten minutes", "nans", "infh"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ConfigError, match="seconds= takes"):
        seconds_of(text)
