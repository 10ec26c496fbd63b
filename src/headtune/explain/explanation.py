"""``explain``: a text and a classifier to the effect of each word on one label."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from headtune.errors import PredictionError
from headtune.explain.coloured import explanation_fragment, strongest_words
from headtune.explain.gradients import integrated_gradients
from headtune.explain.occlusion import leave_one_out
from headtune.predict import Predictor
from headtune.predict.fields import Text
from headtune.wording.numbers import percent
from headtune.wording.visible import visible
from headtune.wording.word_spans import word_spans

__all__ = ["Explanation", "Method", "WordEffect", "explain"]

Method: TypeAlias = Literal["occlusion", "gradients"]

METHODS = {"occlusion": leave_one_out, "gradients": integrated_gradients}


@dataclass(frozen=True, slots=True)
class WordEffect:
    """A word, where it is in the text, and how much it adds to the label's log-odds."""

    word: str
    start: int
    end: int
    effect: float


@dataclass(frozen=True)
class Explanation:
    """The answer for a text, the label that is explained, and its words in order.

    In a notebook it shows itself in colour.
    """

    text: str
    answer: str
    label: str
    probability: float
    method: Method
    words: tuple[WordEffect, ...]

    @cached_property
    def strongest(self) -> float:
        """The largest effect, whatever its sign; 0 without words."""
        return max((abs(word.effect) for word in self.words), default=0.0)

    @property
    def ranked(self) -> list[WordEffect]:
        """Words for the label first, those against it last."""
        return sorted(self.words, key=lambda word: -word.effect)

    def __str__(self) -> str:
        """The label, the text, and its strongest words with their effects."""
        words = [f"  {word.effect:+7.2f}  {word.word}" for word in strongest_words(self)]
        return visible("\n".join([f"{self.label}, {percent(self.probability)}", self.text, *words]))

    def _repr_html_(self) -> str:
        return explanation_fragment(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows where there is no HTML."""
        printer.text(str(self))


def explain(
    predictor: Predictor, text: Text, *, method: Method = "occlusion", label: str | None = None
) -> Explanation:
    """Explain the answer for ``text``.

    Args:
        text: As in ``Predictor.predict``; through a template, the words of the whole are explained.
        method: "occlusion" leaves each word out; "gradients" integrates gradients.
        label: The label to explain; by default the most probable one.

    Raises:
        PredictionError: The text is empty or not what the template asks for, or there is no such
            label.
        MissingDependencyError: "gradients" without Captum.
    """
    [whole], task = predictor.whole([text]), predictor.task
    probabilities = predictor.probabilities(predictor.encode([whole]))
    [answer] = task.answers(predictor.rule, probabilities, predictor.labels)
    names = predictor.labels.names
    if label is not None and label not in names:
        raise PredictionError(
            f"There is no label {label!r}; the labels are: {', '.join(names)}.", option="label"
        )
    [likeliest] = task.named(task.decide(probabilities), predictor.labels)
    explained = label or likeliest
    spans = word_spans(whole)
    effects = METHODS[method](predictor, whole, spans, names.index(explained))
    words = tuple(
        WordEffect(whole[start:end], start, end, effect)
        for (start, end), effect in zip(spans, np.asarray(effects).tolist(), strict=True)
    )
    return Explanation(
        whole, answer.label, explained, answer.probabilities[explained], method, words
    )
