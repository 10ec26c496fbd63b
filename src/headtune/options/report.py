"""Options of the report: what the evidence of a run consists of."""

from dataclasses import dataclass

__all__ = ["ReportConfig"]


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """What the evidence of a run consists of."""

    calibrate: bool = True
    """Fit a temperature on the validation part, so that probabilities are as often right as they
    say. Predictions use it; no answer changes by it."""

    baselines: bool = True
    """Measure what has to be beaten: the most frequent label, and TF-IDF with logistic
    regression."""

    linear_probe: bool = True
    """Measure logistic regression on the states of the model before tuning, too. Takes up to a
    twelfth of the training's work where frozen layers are not kept."""

    suspect_labels: bool = True
    """List the rows whose label looks wrong, judged by the states of the model before tuning."""

    page: bool = True
    """Write report.html, the report as a page that needs nothing but a browser."""

    predictions: bool = True
    """Keep the answers to validation and test rows, which headtune compare reads."""
