"""Ways to use a run folder, each with the command or code as it is to be typed."""

import shlex
from typing import NamedTuple

__all__ = ["Way", "ways"]


class Way(NamedTuple):
    """A heading, and what to type below it."""

    name: str
    code: str


def ways(run: str, label: str) -> list[Way]:
    """For the run folder at ``run``; ``label`` is one of its labels."""
    folder = shlex.quote(run)
    return [
        Way("One text, in a terminal", f'headtune predict {folder} "Your text"'),
        Way(
            "A table (CSV, TSV, JSON, Parquet) of any size",
            f"headtune predict {folder} new.csv --out labelled.csv",
        ),
        Way(
            "From Python",
            "from headtune import Predictor\n\n"
            f"predictor = Predictor.load({run!r})\n"
            'prediction, = predictor.predict(["Your text"])\n'
            f"prediction.label, prediction.probabilities[{label!r}]",
        ),
        Way(
            "As a scikit-learn estimator",
            "from headtune import TextClassifier\n\n"
            f"classifier = TextClassifier.load({run!r})\n"
            'classifier.predict_proba(["Your text"])  # columns as in classifier.classes_',
        ),
    ]
