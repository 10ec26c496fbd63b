"""Texts and labels in memory to parts: what ``fit`` trains on, and what it picks weights by.

A text and its near repeats end in one part, as in the command line's splits.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from headtune.classifier.labels import names_of
from headtune.classifier.weights import checked_weights, weighted
from headtune.data import prepare_texts
from headtune.data.parts.parts import PARTS, assign_parts, largest_group
from headtune.data.repeats.groups import groups_together
from headtune.data.repeats.repeats import find_repeats
from headtune.errors import ConfigError, SplitError, option
from headtune.options import Balance, DataConfig
from headtune.tasks.task import RowWeights
from headtune.types import Example, LabelSet, PreparedData, label_ids_of
from headtune.wording.text_lists import check_same_length, label_list, text_list

__all__ = ["divided", "examples_of", "measured"]


def examples_of(
    texts: Iterable[Any],
    labels: Iterable[Any],
    weights: Any = None,
    *,
    known: LabelSet | None = None,
) -> tuple[LabelSet, list[Example]]:
    """Texts, labels and weights as ``fit`` gets them; those of weight 0 are left out.

    ``known`` are the labels there may be. Raises ``DataError``.
    """
    names, examples = prepare_texts(texts, label_list(labels), known)
    return names, weighted(examples, checked_weights(weights, len(examples)), names)


def measured(
    texts: Iterable[Any], labels: Iterable[Any], weights: Any
) -> tuple[list[Any], list[str], RowWeights]:
    """Texts, names of labels and weights that a classifier is judged by, without weights of 0.

    Raises ``DataError`` where lengths differ, or weights are none.
    """
    texts, names = text_list(texts), names_of(label_list(labels))
    check_same_length(texts, names)
    checked = checked_weights(weights, len(texts))
    if checked is None:
        return texts, names, None
    kept = np.flatnonzero(checked)
    return [texts[i] for i in kept], [names[i] for i in kept], checked[kept]


def divided(
    labels: LabelSet,
    examples: Sequence[Example],
    held_back: Sequence[Example],
    share: Any,
    balance: Balance,
    seed: int,
) -> PreparedData:
    """Training and validation parts, balanced as asked; all is trained on where some are held back.

    Args:
        labels: What the examples' numbers stand for.
        examples: Texts with labels.
        held_back: Validation examples of the caller's own; none where ``share`` is taken.
        share: Of the examples for validation; checked here.
        balance: As in ``DataConfig``.
        seed: Of the split.

    Raises:
        ConfigError: ``share`` is no number from 0 up to 1.
        SplitError: One of the two parts would be empty.
    """
    config = _config(0.0 if held_back else share, balance, seed)
    part_of_row = ["train"] * len(examples)
    texts = [example.text for example in examples]
    try:
        most_rows = largest_group(part_of_row, config, len(labels))
        groups = groups_together(texts, find_repeats(texts), None, most_rows)
        parts = assign_parts(label_ids_of(examples), groups, part_of_row, config)
    except SplitError as error:
        raise _no_part(len(texts), float(share)) from error
    train, validation = ([examples[i] for i in parts[part]] for part in PARTS[:2])
    return PreparedData(labels, tuple(train), tuple(held_back or validation), ())


def _config(share: Any, balance: Balance, seed: int) -> DataConfig:
    if not isinstance(share, int | float | np.number) or not 0 <= share < 1:
        raise ConfigError(
            f"validation_fraction must be at least 0 and below 1, not {share}.",
            option="validation_fraction",
        )
    split = f"{100 * (1 - share):g}/{100 * share:g}/0"
    return DataConfig(split=split, balance=balance, split_seed=seed)


def _no_part(n_texts: int, share: float) -> SplitError:
    return SplitError(
        f"{n_texts:,} texts cannot be divided by {option('validation_fraction', share)}: one of "
        "the two parts would be empty.",
        option="validation_fraction",
        way_out=f"Give more texts, or keep none back: {option('validation_fraction', 0)}.",
    )
