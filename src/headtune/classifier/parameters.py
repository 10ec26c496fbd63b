"""The estimator's parameters as options of the stages, back, and in what errors say of them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np

from headtune.artifact import Manifest
from headtune.classifier.weights import label_weighing
from headtune.errors import HeadtuneError
from headtune.options import STAGES, MachineConfig, RunConfig
from headtune.options.written import parse_weights

__all__ = ["in_own_names", "parameters_of", "run_config"]


def run_config(parameters: Mapping[str, Any]) -> RunConfig:
    """The parameters, stage by stage, checked. Raises ``ConfigError``."""
    given = {
        name: value.item() if isinstance(value, np.generic) else value  # as of a grid
        for name, value in parameters.items()
    }
    given |= label_weighing(given.get("class_weight"), given.get("balance"))
    stages = {
        stage: {f.name: given[f.name] for f in fields(cls) if f.name in given}
        for stage, cls in STAGES.items()
    }
    return RunConfig.from_dict({"source": "python", **stages})


def parameters_of(
    manifest: Manifest, names: Iterable[str], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Those among ``names`` that such a run would have to be given again, and those ``given``."""
    known = set(names)
    of_the_machine = {f.name for f in fields(MachineConfig)}  # format 1 has them under "model"
    trained = {
        name: tuple(value) if isinstance(value, list) else value
        for stage, options in manifest.config.items()
        if stage in STAGES and stage != "machine"
        for name, value in options.items()
        if name in known and name not in of_the_machine
    }
    trained["split_special_tokens"] = manifest.split_special_tokens  # which older runs do not say
    if label_weight := manifest.config.get("data", {}).get("label_weight"):
        trained["class_weight"] = parse_weights("label_weight", tuple(label_weight))
    return trained | {name: value for name, value in given.items() if name in known}


@contextmanager
def in_own_names(**names: str) -> Iterator[None]:
    """Errors that pass call options as the estimator does: ``split="validation_fraction"``."""
    try:
        yield
    except HeadtuneError as error:
        if error.option == "label":
            error.way_out = ""  # which is to name another column, and there are none here
        error.rename(names)
        raise
