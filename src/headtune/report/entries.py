"""What ``report.json`` and a comparison hold, entry by entry, as types.

Each is a dictionary with known keys, written as it is, in this order; what the keys mean is told
where they are measured: comparison.py, mistakes.py, confidence.py, suspects.py, compare.py. Where
``total`` is false an entry is empty when nothing was held back, or was written by an older headtune
that did not know all keys yet.

Imports nothing that takes time, so a page or a table can be typed without scikit-learn.
"""

from typing import NotRequired, TypedDict

from headtune.files.plain_json import JsonObject
from headtune.tasks.figures import (
    BaselineFigures,
    Metrics,
    PartMetrics,
    Reliability,
    SetFigures,
)
from headtune.types import DataAccount, HistoryRow

__all__ = [
    "Abstention",
    "Calibration",
    "ComparedRuns",
    "Comparison",
    "Confusion",
    "Costs",
    "Disagreement",
    "Evidence",
    "LengthRange",
    "Level",
    "Mistake",
    "ModelFacts",
    "Opponent",
    "Pair",
    "ReportValues",
    "RunAnswer",
    "RunFigures",
    "Sets",
    "Speed",
    "Suspect",
    "Suspects",
    "SuspectsChecked",
]


class ModelFacts(TypedDict):
    """The model that was tuned, and where and how it ran."""

    id: str
    total_parameters: int
    trainable_parameters: int
    dtype: str
    device: str
    reasons: list[str]
    best_step: NotRequired[int]


class Speed(TypedDict):
    """Training's pace; None or 0 where nothing was timed."""

    examples_per_second: float
    tokens_per_second: float
    useful_flops_per_second: float
    matrix_flops_per_second: NotRequired[float | None]
    share_of_matrix_rate: NotRequired[float | None]
    frozen_texts_run: NotRequired[int | None]
    frozen_texts_reused: NotRequired[int | None]
    peak_memory_bytes: NotRequired[int | None]
    wall_seconds: dict[str, float]


class Opponent(TypedDict):
    """The tuned model against one baseline, or against itself before tuning."""

    baseline: str
    part: str
    n: int
    difference: float
    interval: list[float]
    p_value: float
    only_model_right: int
    only_baseline_right: int


class Confusion(TypedDict, total=False):
    """Rows of ``counts``: true label; columns: predicted label."""

    part: str
    labels: list[str]
    counts: list[list[int]]


class Mistake(TypedDict):
    """A wrongly answered row; ``probability`` is that of the predicted label."""

    row: int
    text: str
    label: str
    predicted: str
    probability: float


class LengthRange(TypedDict):
    """Rows of ``low`` to ``high`` tokens, and how many of them are answered wrongly."""

    low: int
    high: int
    n: int
    errors: int


class Calibration(TypedDict, total=False):
    """How far probabilities can be trusted, before and after the temperature."""

    temperature: float
    fitted_on: str | None
    n: int
    measured_on: str
    before: Reliability
    after: Reliability


class Level(TypedDict, total=False):
    """What is answered, and how much of it is right, with "unsure" below a probability."""

    below: float | None
    coverage: float
    accuracy: float | None


class Abstention(Level, total=False):
    """The answers as they are given, and at other levels."""

    curve: list[Level]


class Sets(TypedDict, total=False):
    """Sets of labels: where their bound was found, on how many rows, and how they do on a part."""

    fitted_on: str
    rows: int
    part: str
    figures: SetFigures


class Suspect(TypedDict):
    """A row whose label looks wrong; ``probability`` is that of its label."""

    row: int
    part: str
    text: str
    label: str
    suggested: str
    probability: float


class SuspectsChecked(TypedDict, total=False):
    """How many rows were judged, of how many, and how many are suspected."""

    rows: int
    of: int
    suspected: int


class Suspects(TypedDict, total=False):
    """What ``find_suspects`` adds to a report; empty where nobody looked."""

    suspect_labels: list[Suspect]
    suspects_checked: SuspectsChecked


class Evidence(Suspects, total=False):
    """The fields that a report may lack."""

    comparison: list[Opponent]
    confusion: Confusion
    mistakes: list[Mistake]
    calibration: Calibration
    abstain: Abstention
    sets: Sets
    thresholds: dict[str, float]
    lengths: list[LengthRange]


class ReportValues(Evidence, total=False):
    """``report.json`` as it is read; ``config`` has the options of the version that wrote it."""

    created_at: str
    labels: list[str]
    data: DataAccount
    model: ModelFacts
    before: PartMetrics
    after: PartMetrics
    baselines: dict[str, BaselineFigures]
    truncated: dict[str, int]
    speed: Speed
    warnings: list[str]
    config: JsonObject
    history: list[HistoryRow]
    sentence: str


class RunFigures(Metrics):
    """One run of a comparison; ``interval`` is that of its accuracy."""

    name: str
    interval: list[float]


class Pair(TypedDict):
    """The first run against the second, row by row."""

    first: str
    second: str
    difference: float
    interval: list[float]
    p_value: float
    only_first_right: int
    only_second_right: int
    adjusted_p_value: float


class RunAnswer(TypedDict):
    """What one run says of a text."""

    run: str
    predicted: str
    probability: float


class Disagreement(TypedDict):
    """A text on which the runs differ."""

    row: int
    text: str
    label: str
    answers: list[RunAnswer]


class Costs(TypedDict):
    """What a run is and what it took; None where unknown."""

    model: str
    tune: str
    total_parameters: int | None
    trainable_parameters: int | None
    folder_bytes: int
    run_seconds: float | None
    train_examples_per_second: float | None
    predict_examples_per_second: NotRequired[float]


class Comparison(TypedDict):
    """Several runs on the same texts, as ``compare_answers`` finds them."""

    n: int
    left_out: dict[str, int]
    labels: list[str]
    sentence: str
    runs: list[RunFigures]
    pairs: list[Pair]
    n_disagreements: int
    disagreements: list[Disagreement]


class ComparedRuns(Comparison):
    """What ``headtune compare --json`` prints: where the texts come from, and costs by run, too."""

    source: str
    costs: dict[str, Costs]
