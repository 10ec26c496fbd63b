"""Integrated gradients (Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks",
2017) of the explained label's log-odds on the input embeddings, through Captum.

The path leads from a text whose tokens are all the mean of the vocabulary, which says nothing, to
the text, in ``STEPS`` steps. (From padding tokens, unlike all others, the first words
got too much: a planted word was the strongest in 1 of 10 texts, from the mean in 10 of 10.)
Captum asks for the answer at many points of the path at once; these are packed one after the other
like any batch, with their embeddings in the place of those of the tokens, so the model's own code
and packed attention do the rest. Effects of tokens add up to those of words.

Guarantees: effects add up to the log-odds of the text minus those of the mean one, to the error
of ``STEPS`` steps; other threads may use the predictor meanwhile, and wait for a step at most.
Costs: forward and backward through the whole model for each step.
"""

from bisect import bisect_left, bisect_right
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from headtune.batches import collate
from headtune.errors import MissingDependencyError, PredictionError, option
from headtune.model.one_pass import one_pass
from headtune.predict import Predictor
from headtune.tokens import token_places
from headtune.types import TokenizedExample

__all__ = ["integrated_gradients"]

STEPS = 64
CHUNK = 8_192  # rows of the vocabulary at once


def integrated_gradients(
    predictor: Predictor, text: str, spans: list[tuple[int, int]], label: int
) -> npt.NDArray[np.float64]:
    """The effect of each word, shape ``(n_words,)``; words that were cut off have none.

    Raises ``MissingDependencyError`` without Captum, and ``PredictionError`` for a tokenizer that
    does not say where its tokens are in the text.
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise MissingDependencyError(
            f"{option('method', 'gradients')} needs Captum: pip install 'headtune[explain]'.",
            option="method",
            way_out=f"Or leave words out one by one: {option('method', 'occlusion')}.",
        ) from error
    [example] = predictor.tokenize([text])
    places = _places(predictor, text, len(example))
    backbone = predictor.classifier.backbone
    with one_pass(backbone), torch.no_grad():  # no other thread's embeddings are in their place
        embeddings = backbone.get_input_embeddings()
        ids = collate([example]).input_ids.to(predictor.classifier.device)
        end = embeddings(ids)[None]  # (1, n_tokens, hidden)
        start = _mean_embedding(embeddings).expand_as(end)
    answer = _AnswerFromEmbeddings(predictor, example, label)
    method = IntegratedGradients(answer, multiply_by_inputs=True)
    at_once = max(1, predictor.max_tokens_per_batch // len(example))
    found = method.attribute(end, start, n_steps=STEPS, internal_batch_size=at_once)
    by_token = found[0].double().sum(dim=-1).cpu().numpy()  # (n_tokens,)
    return _by_word(by_token, places, spans)


def _mean_embedding(embeddings: nn.Module) -> torch.Tensor:
    """Of all tokens, shape ``(hidden,)``, as the module gives them out: some scale them."""
    weight: Any = embeddings.weight
    chunks = torch.split(torch.arange(len(weight), device=weight.device), CHUNK)
    total = torch.stack([embeddings(ids).double().sum(dim=0) for ids in chunks]).sum(dim=0)
    mean: torch.Tensor = (total / len(weight)).to(weight.dtype)
    return mean


class _AnswerFromEmbeddings:
    """Log-odds of a label, shape ``(n,)``, from embeddings of shape ``(n, n_tokens, hidden)``."""

    def __init__(self, predictor: Predictor, example: TokenizedExample, label: int) -> None:
        self.predictor = predictor
        self.example = example
        self.label = label

    def __call__(self, embeddings: torch.Tensor) -> torch.Tensor:
        classifier = self.predictor.classifier
        batch = collate([self.example] * len(embeddings))

        def put(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
            return embeddings.reshape(output.shape).to(output)

        # Held already where the pass takes it again: the hook is for this thread alone.
        with one_pass(classifier.backbone):
            hook = classifier.backbone.get_input_embeddings().register_forward_hook(put)
            try:
                with torch.enable_grad():
                    logits = classifier(batch) / self.predictor.temperature  # (n, n_labels)
            finally:
                hook.remove()
        return self.predictor.task.log_odds_of_tensor(logits, self.label)


def _places(predictor: Predictor, text: str, n_tokens: int) -> list[tuple[int, int]]:
    """Where each token is in the text; ``(0, 0)`` for one that the tokenizer added."""
    found = token_places(text, predictor.tokenizer, predictor.max_length)
    if found is None:
        raise PredictionError(
            "This model's tokenizer does not say where its tokens are in the text.",
            option="method",
            way_out=f"Use {option('method', 'occlusion')}.",
        )
    return found if len(found) == n_tokens else [(0, 0)] * n_tokens


def _by_word(
    by_token: npt.NDArray[np.float64],
    places: list[tuple[int, int]],
    spans: list[tuple[int, int]],
) -> npt.NDArray[np.float64]:
    """Tokens belong to the word that they overlap most; spaces between words to the next one."""
    effects = np.zeros(len(spans))
    begins, stops = zip(*spans, strict=True)
    for effect, (start, end) in zip(by_token.tolist(), places, strict=True):
        if end <= start:
            continue
        touched = range(bisect_right(stops, start), bisect_left(begins, end))
        overlaps = [min(end, stops[word]) - max(start, begins[word]) for word in touched]
        if touched:
            effects[touched[int(np.argmax(overlaps))]] += effect
        else:
            effects[min(touched.stop, len(spans) - 1)] += effect
    return effects
