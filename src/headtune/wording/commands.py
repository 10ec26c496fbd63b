"""Ways to use a run folder, each with the command or code as it is to be typed."""

import shlex
from typing import NamedTuple

from headtune.wording.templates import Template

__all__ = ["Way", "predict_command", "ways"]


class Way(NamedTuple):
    """A heading, and what to type below it."""

    name: str
    code: str


def predict_command(run: str, template: str | None) -> str:
    """``headtune predict RUN "Your text"``, with what else the run's template asks for."""
    *others, _ = _fields(template) or ["text"]
    given = "".join(f" --field {shlex.quote(f'{name}=…')}" for name in others)
    return f'headtune predict {shlex.quote(run)}{given} "Your text"'


def _fields(template: str | None) -> list[str]:
    return [] if template is None else Template.parse(template).fields


def ways(run: str, label: str, template: str | None) -> list[Way]:
    """For the run folder at ``run``; ``label`` is one of its labels, ``template`` what it joins."""
    folder = shlex.quote(run)
    *others, last = _fields(template) or ["text"]
    fields = {**dict.fromkeys(others, "…"), last: "Your text"}
    text = repr(fields) if others else '"Your text"'
    return [
        Way("One text, in a terminal", predict_command(run, template)),
        Way(
            "A table (CSV, JSON, Parquet, a workbook, …) of any size",
            f"headtune predict {folder} new.csv --out labelled.csv",
        ),
        Way(
            "From Python",
            "from headtune import Predictor\n\n"
            f"predictor = Predictor.load({run!r})\n"
            f"prediction, = predictor.predict([{text}])\n"
            f"prediction.label, prediction.probabilities[{label!r}]",
        ),
        Way(
            "As a scikit-learn estimator",
            "from headtune import TextClassifier\n\n"
            f"classifier = TextClassifier.load({run!r})\n"
            f"classifier.predict_proba([{text}])  # columns as in classifier.classes_",
        ),
    ]
