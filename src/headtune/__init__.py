"""headtune turns any pretrained language model into a text classifier.

From Python, everything begins at ``TextClassifier`` (texts and labels in memory) or ``train_run``
(a table to a run folder, what ``headtune train`` does). Names are loaded when they are first
used, so that ``import headtune`` takes no time and the command line's help neither.

Imported before torch, headtune lets torch's threads wait in a way that leaves other programs their
share of the cores (``processes.wait_without_spinning``).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headtune.processes import wait_without_spinning

if TYPE_CHECKING:
    __version__: str
    from headtune.classifier import TextClassifier
    from headtune.errors import HeadtuneError
    from headtune.options import RunConfig
    from headtune.predict import Predictor, evaluate_file, predict_file
    from headtune.report import Report
    from headtune.run import plan_run, train_run
    from headtune.types import LabelSet, Prediction

__all__ = [
    "HeadtuneError",
    "LabelSet",
    "Prediction",
    "Predictor",
    "Report",
    "RunConfig",
    "TextClassifier",
    "__version__",
    "evaluate_file",
    "plan_run",
    "predict_file",
    "train_run",
]

_HOMES = {
    "HeadtuneError": "errors",
    "LabelSet": "types",
    "Prediction": "types",
    "Predictor": "predict",
    "Report": "report",
    "RunConfig": "options",
    "TextClassifier": "classifier",
    "evaluate_file": "predict",
    "plan_run": "run",
    "predict_file": "predict",
    "train_run": "run",
}
"""Public name -> the module it is defined in."""


wait_without_spinning()


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # takes longer to import than all of the above

        return version("headtune")
    if name not in _HOMES:
        raise AttributeError(f"module 'headtune' has no attribute {name!r}")
    return getattr(import_module(f"headtune.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
