"""The states of the model before tuning: what its untrained head, a linear probe and the search for
suspect labels are made of.

One forward pass serves all three. Validation and test are scored before training in any case, so
their states cost nothing; those of the training part are extra. Where frozen layers are kept
(``head``, ``last-N``) that is a thirtieth of a pass. Else as many rows are drawn at random, by the
seed, as cost ``SHARE`` of the training's floating-point operations, at least ``LEAST_ROWS``, and at
most ``MOST_ROWS`` in any case; the report says how many.

For the tweets and LoRA over three epochs: 2,900 of 6,090 rows, 8 % of the training.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from headtune.model import (
    SequenceClassifier,
    predict_states,
    predict_together,
    useful_flops_per_token,
)
from headtune.progress import Progress
from headtune.report.frozen_states import FrozenStates
from headtune.run.fitted import Encoded, Logits
from headtune.run.loading import Loaded
from headtune.run.scoring import figures
from headtune.tasks.figures import PartMetrics
from headtune.training import count_steps
from headtune.types import PreparedData

__all__ = ["Untrained", "head_logits", "look_before", "observe_states"]

SHARE = 0.08
LEAST_ROWS, MOST_ROWS = 500, 10_000


@dataclass(frozen=True, slots=True)
class Untrained:
    """The model before tuning: its states, and how the head answers from them."""

    states: FrozenStates | None = None
    logits: dict[str, Logits] = field(default_factory=dict)
    metrics: PartMetrics = field(default_factory=dict)


def look_before(
    loaded: Loaded, encoded: Encoded, prepared: PreparedData, progress: Progress, *, is_kept: bool
) -> Untrained:
    """The model before tuning: one pass over what can be afforded, of ``encoded``.

    ``is_kept`` says that the frozen layers of all rows have been run.
    """
    config = loaded.config
    states = observe_states(
        loaded.classifier,
        encoded,
        progress,
        budget=config.machine.max_tokens_per_batch or 1,
        n_trained=count_steps(config.train, len(prepared.train)) * config.train.batch_size,
        is_kept=is_kept,
        with_train=config.report.linear_probe or config.report.suspect_labels,
        seed=config.train.seed,
    )
    logits = head_logits(loaded.classifier, states)
    return Untrained(states, logits, figures(logits, prepared, task=loaded.task))


def observe_states(
    classifier: SequenceClassifier,
    encoded: Encoded,
    progress: Progress,
    *,
    budget: int,
    n_trained: int,
    is_kept: bool,
    with_train: bool,
    seed: int,
) -> FrozenStates:
    """Pooled states of validation and test, and of training rows if ``with_train``.

    ``n_trained`` counts the examples that training will go through, repeats included; ``is_kept``
    says that the frozen layers of all rows have been run.
    """
    rows = {
        name: np.arange(len(encoded.parts[name]))
        for name in ("validation", "test")
        if encoded.parts[name]
    }
    if with_train:
        affordable = MOST_ROWS if is_kept else _affordable(classifier, n_trained)
        rows["train"] = _draw(len(encoded.parts["train"]), affordable, seed)
    chosen = {name: [encoded.parts[name][i] for i in places] for name, places in rows.items()}
    n_tokens = sum(len(example) for part in chosen.values() for example in part)
    progress.start(sum(map(len, chosen.values())), "examples", n_tokens)
    states = {
        name: predict_together(predict_states, classifier, part, budget, progress)
        for name, part in chosen.items()
    }
    progress.finish()
    return FrozenStates(states, rows)


def head_logits(classifier: SequenceClassifier, frozen: FrozenStates) -> dict[str, Logits]:
    """Logits of the head on validation and test, part -> ``(n, n_labels)``."""
    weight: npt.NDArray[np.float32] = classifier.score.weight.detach().float().cpu().numpy()
    return {name: frozen.states[name] @ weight.T for name in frozen.states if name != "train"}


def _affordable(classifier: SequenceClassifier, n_trained: int) -> int:
    forward, step = useful_flops_per_token(classifier)
    return min(MOST_ROWS, max(LEAST_ROWS, int(SHARE * n_trained * step / forward)))


def _draw(n: int, most: int, seed: int) -> npt.NDArray[np.int64]:
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size=most, replace=False))
