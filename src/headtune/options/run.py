"""All options of a run, stage by stage: what a recipe holds and the manifest records."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from headtune.errors import ConfigError
from headtune.options.data import DataConfig
from headtune.options.decide import DecideConfig
from headtune.options.machine import MachineConfig
from headtune.options.model import ModelConfig
from headtune.options.report import ReportConfig
from headtune.options.tokens import TokensConfig
from headtune.options.train import TrainConfig
from headtune.options.tune import TuneConfig
from headtune.options.values import stage_from_plain, to_plain, unknown_name

__all__ = ["STAGES", "RunConfig"]


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """All options of a training run; what a recipe holds and the manifest records."""

    source: str
    """A table (CSV, JSON, Parquet, a workbook, …), a folder, a hub data set, - for standard input,
    or the built-in sms-spam."""

    data: DataConfig = field(default_factory=DataConfig)
    tokens: TokensConfig = field(default_factory=TokensConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    machine: MachineConfig = field(default_factory=MachineConfig)
    tune: TuneConfig = field(default_factory=TuneConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    decide: DecideConfig = field(default_factory=DecideConfig)
    report: ReportConfig = field(default_factory=ReportConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, stage by stage."""
        plain: dict[str, Any] = to_plain(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RunConfig":
        """The inverse of ``to_dict``. Raises ``ConfigError`` on an unknown key or a wrong type.

        What is the machine's may stand under ``model``, where it was once written.
        """
        values = _machine_apart(values)
        known = {f.name: f for f in fields(cls)}
        stages: dict[str, Any] = {}
        for key, value in values.items():
            if key not in known:
                raise unknown_name("key", key, known, STAGES)
            stages[key] = value if key == "source" else stage_from_plain(key, value, STAGES)
        if "source" not in stages:
            raise ConfigError(
                "A run needs a source of data; the key 'source' is missing.", option="source"
            )
        return cls(**stages)


def _machine_apart(values: dict[str, Any]) -> dict[str, Any]:
    """With what ``model`` says of the machine under ``machine``; what stands there wins."""
    model, machine = values.get("model"), values.get("machine", {})
    if not isinstance(model, dict) or not isinstance(machine, dict):
        return values
    names = {f.name for f in fields(MachineConfig)} & model.keys()
    if not names:
        return values
    moved = {name: model[name] for name in model if name in names}
    kept = {name: value for name, value in model.items() if name not in names}
    return values | {"model": kept, "machine": moved | machine}


STAGES: dict[str, type[Any]] = {
    "data": DataConfig,
    "tokens": TokensConfig,
    "model": ModelConfig,
    "machine": MachineConfig,
    "tune": TuneConfig,
    "train": TrainConfig,
    "decide": DecideConfig,
    "report": ReportConfig,
}
"""Stage name -> its dataclass, in the order of the pipeline."""
