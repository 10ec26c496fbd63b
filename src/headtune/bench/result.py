"""What a benchmark finds, in JSON values, as ``headtune bench --json`` prints them."""

from typing import TypedDict

__all__ = ["BenchResult", "BenchTexts", "Latency", "PaceFigures", "TrainingFigures"]


class BenchTexts(TypedDict):
    """The texts that were measured with."""

    source: str
    texts: int
    tokens: int
    longest: int


class PaceFigures(TypedDict):
    """Rates a second, and the share of the machine's matrix product that the last one is."""

    examples_per_second: float
    tokens_per_second: float
    useful_flops_per_second: float
    share_of_matrix_rate: float | None


class TrainingFigures(PaceFigures):
    """The pace of training, and what was trained."""

    tune: str
    batch_size: int


class Latency(TypedDict):
    """Seconds for one text alone."""

    texts: int
    median_seconds: float
    slowest_tenth_seconds: float


class BenchResult(TypedDict):
    """A run or a model on this machine; memory is None where it cannot be asked for,
    a matrix product where the machine was too busy to tell."""

    name: str
    is_run: bool
    device: str
    dtype: str
    reason: str
    threads: int
    parameters: int
    texts: BenchTexts
    load_seconds: float
    matrix_flops_per_second: dict[str, float | None]
    prediction: PaceFigures
    latency: Latency
    training: TrainingFigures
    peak_memory_bytes: dict[str, int | None]
