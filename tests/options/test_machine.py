"""What is the machine's stands apart from what is the model's, wherever it was once written."""

import pytest

from headtune.errors import ConfigError
from headtune.options import MachineConfig, RunConfig


def test_the_machine_may_stand_under_the_model() -> None:
    """As recipes and run folders have it that were written before the two were told apart."""
    before = {"source": "x.csv", "model": {"pooling": "mean", "dtype": "float32", "device": "cpu"}}
    config = RunConfig.from_dict(before)
    assert config.machine == MachineConfig(dtype="float32", device="cpu")
    assert config.model.pooling == "mean"
    assert RunConfig.from_dict(config.to_dict()) == config
    assert "dtype" not in config.to_dict()["model"]


def test_what_stands_under_the_machine_wins() -> None:
    """So a flag wins over a recipe of the old form."""
    both = {"source": "x.csv", "model": {"device": "cuda"}, "machine": {"device": "cpu"}}
    assert RunConfig.from_dict(both).machine.device == "cpu"


@pytest.mark.parametrize("where", ["model", "machine"])
def test_values_are_checked_in_either_place(where: str) -> None:
    with pytest.raises(ConfigError, match="'dtype' under 'machine' takes auto, float32, bfloat16"):
        RunConfig.from_dict({"source": "x.csv", where: {"dtype": "float8"}})
