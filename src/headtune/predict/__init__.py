"""Stage 7, artifact and texts to predictions: a few texts in memory, or tables of any size.

The functions for tables are loaded when they are first used: they bring the data stage and
pyarrow along, a second that the answer to one text need not wait for.
"""

from typing import TYPE_CHECKING, Any

from headtune.predict.predictor import Predictor

if TYPE_CHECKING:
    from headtune.predict.bulk import predict_file
    from headtune.predict.evaluate import answer_file, evaluate_file, evaluate_in_int8

__all__ = [
    "Predictor",
    "answer_file",
    "evaluate_file",
    "evaluate_in_int8",
    "predict_file",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'headtune.predict' has no attribute {name!r}")
    from headtune.predict import bulk, evaluate

    return getattr(bulk if name in bulk.__all__ else evaluate, name)
