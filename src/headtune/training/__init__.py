"""Stage 5, model and batches to a fitted model: transformers' Trainer with packed steps."""

from headtune.training.best import BestInMemory
from headtune.training.fit import FitResult, check_options, count_steps, fit, resolve_learning_rate
from headtune.training.interruption import Interruption
from headtune.training.one_fit import one_fit

__all__ = [
    "BestInMemory",
    "FitResult",
    "Interruption",
    "check_options",
    "count_steps",
    "fit",
    "one_fit",
    "resolve_learning_rate",
]
