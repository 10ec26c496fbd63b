"""What can be asked for: every option of headtune, once.

One frozen dataclass a stage, one file each, the text under its field. The command line (flags and
``--help``), recipes (YAML), the docs and the manifest of an artifact are all made from these
classes, so an option is named, typed and explained in one place. A field ``learning_rate`` is
``--learning-rate`` on the command line and ``learning_rate:`` in a recipe, below the key of its
stage. Where a default is ``"auto"`` or None, the field's text says what it resolves to; the
resolved value is recorded in the manifest.

No torch, no transformers: ``--help`` imports this folder.
"""

from headtune.options.data import Balance, DataConfig
from headtune.options.decide import DecideConfig
from headtune.options.machine import ComputeDtype, MachineConfig
from headtune.options.model import AttentionDirection, ModelConfig, Pooling
from headtune.options.report import ReportConfig
from headtune.options.run import STAGES, RunConfig
from headtune.options.tokens import TokensConfig
from headtune.options.train import TrainConfig
from headtune.options.tune import LoraBias, TuneConfig

__all__ = [
    "STAGES",
    "AttentionDirection",
    "Balance",
    "ComputeDtype",
    "DataConfig",
    "DecideConfig",
    "LoraBias",
    "MachineConfig",
    "ModelConfig",
    "Pooling",
    "ReportConfig",
    "RunConfig",
    "TokensConfig",
    "TrainConfig",
    "TuneConfig",
]
