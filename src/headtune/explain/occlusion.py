"""Leave one word out: how much less the answer holds without it.

The effect of a word is the log-odds of the explained label with it, minus those without it. It is
not a difference of probabilities, since from 99.99 % on these no longer move. A text of n words
makes n + 1 texts, which go through the model in packed batches under the token budget.

A word that occurs twice may show no effect, since the other one remains.
"""

import numpy as np
import numpy.typing as npt

from headtune.model import predict_logits
from headtune.predict import Predictor

__all__ = ["leave_one_out"]


def leave_one_out(
    predictor: Predictor, text: str, spans: list[tuple[int, int]], label: int
) -> npt.NDArray[np.float64]:
    """The effect of each word, shape ``(n_words,)``. ``label`` is an index of the logits."""
    texts = [text, *(text[:start] + text[end:] for start, end in spans)]
    examples = predictor.tokenize(texts)
    logits = predict_logits(predictor.classifier, examples, predictor.budget)
    odds = predictor.task.log_odds(logits / predictor.temperature, label)  # (n_words + 1,)
    effects: npt.NDArray[np.float64] = odds[0] - odds[1:]
    return effects
