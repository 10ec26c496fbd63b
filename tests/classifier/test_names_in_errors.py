"""What the estimator raises speaks of its own parameters, never of a table's columns or a split."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from headtune import HeadtuneError, TextClassifier
from tests_support import TEXTS, TOPICS

PARAMETERS = set(TextClassifier().get_params())
ARGUMENTS = {
    name
    for method in (TextClassifier.fit, TextClassifier.save, TextClassifier.load)
    for name in inspect.signature(method).parameters
}

BAD: dict[str, tuple[dict[str, Any], list[Any], list[Any]]] = {
    "no texts": ({}, [], []),
    "one label": ({}, TEXTS, ["same"] * len(TEXTS)),
    "lengths": ({}, TEXTS, TOPICS[:-1]),
    "an empty text": ({}, ["", *TEXTS[1:]], TOPICS),
    "no string": ({}, [3, *TEXTS[1:]], TOPICS),
    "half a pair": ({}, ["\ud83d", *TEXTS[1:]], TOPICS),
    "no label": ({}, TEXTS, [None, *TOPICS[1:]]),
    "a table of labels": ({}, TEXTS, [[topic] for topic in TOPICS]),
    "too few to hold back": ({"validation_fraction": 0.1}, ["one", "two"], ["a", "b"]),
    "fraction": ({"validation_fraction": 1.5}, TEXTS, TOPICS),
    "stopping early": ({"early_stopping": 2, "validation_fraction": 0}, TEXTS, TOPICS),
    "threshold of no label": ({"threshold": ("nobody=0.5",)}, TEXTS, TOPICS),
    "threshold": ({"threshold": ("nobody",)}, TEXTS, TOPICS),
    "target": ({"target_recall": ("nobody=0.5",)}, TEXTS, TOPICS),
    "target unmeasured": (
        {"target_recall": (f"{TOPICS[0]}=0.9",), "validation_fraction": 0}, TEXTS, TOPICS,
    ),
    "abstain": ({"abstain_below": 3}, TEXTS, TOPICS),
    "metric": ({"best_metric": "beauty"}, TEXTS, TOPICS),
    "blocks": ({"tune": "last-99"}, TEXTS, TOPICS),
    "tuning": ({"tune": "most"}, TEXTS, TOPICS),
    "targets": ({"tune": "lora", "lora_targets": ("nothing",)}, TEXTS, TOPICS),
    "length": ({"max_length": 100_000}, TEXTS, TOPICS),
    "device": ({"device": "abacus"}, TEXTS, TOPICS),
    "rate": ({"learning_rate": -1}, TEXTS, TOPICS),
    "cache": ({"cache_limit": "much"}, TEXTS, TOPICS),
    "balance": ({"balance": "even"}, TEXTS, TOPICS),
    "two balances": ({"balance": "weights", "class_weight": {TOPICS[0]: 2.0}}, TEXTS, TOPICS),
    "weight of no label": ({"class_weight": {"nobody": 2.0}}, TEXTS, TOPICS),
    "model": ({"model": "not a model"}, TEXTS, TOPICS),
    "pooling": ({"pooling": "most"}, TEXTS, TOPICS),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_its_own_names(case: str, tiny_llama: Path) -> None:
    options, texts, labels = BAD[case]
    given: dict[str, Any] = {
        "model": str(tiny_llama),
        "tune": "head",
        "max_steps": 1,
        "device": "cpu",
    } | options
    with pytest.raises(HeadtuneError) as caught:
        TextClassifier(**given).fit(texts, labels)
    said = str(caught.value)
    assert "--" not in said
    assert set(re.findall(r"\b([a-z_]{2,})=", said)) <= PARAMETERS | ARGUMENTS | {"spam"}, (
        said
    )  # spam=0.9
    assert not re.search(r"\b(column|table|split)s?\b", said), said
    assert caught.value.option is None or caught.value.option in PARAMETERS | ARGUMENTS
