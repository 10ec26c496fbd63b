"""What ``plan_run`` tells of a run that has not begun, in JSON values."""

from typing import TypedDict

from headtune.tokens import TokenFigures
from headtune.types import DataAccount

__all__ = ["Plan", "PlannedModel", "PlannedTraining"]


class PlannedModel(TypedDict):
    """The model, and how much of it would be trained."""

    id: str
    total_parameters: int
    trainable_parameters: int
    tune: str


class PlannedTraining(TypedDict):
    """Optimizer steps, and examples in each."""

    steps: int
    batch_size: int


class Plan(TypedDict):
    """Rows, tokens by part, parameters and steps."""

    data: DataAccount
    model: PlannedModel
    tokens: dict[str, TokenFigures]
    max_length: int
    training: PlannedTraining
