"""What the benchmarks work on: texts, a headtune classifier, and the same classifier for its peers.

Texts are the disaster tweets (7,613 rows: id, keyword, location, text, target), from ``--data`` or
the environment variable HEADTUNE_TWEETS, else the built-in spam messages. A benchmark takes a
random sample of them, the same for every side.

Peers get the very weights of headtune's side: the backbone from the same folder, and a copy of the
new head. So answers can be compared, and each benchmark of prediction does that first.
"""

import argparse
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from headtune.bench.measure import untrained_predictor
from headtune.data import prepare
from headtune.model import Compute
from headtune.options import DataConfig, ModelConfig
from headtune.predict import Predictor
from headtune.pretrained import PretrainedFolder, find_pretrained
from headtune.quiet import quiet_transformers
from headtune.types import Example, LabelSet

__all__ = ["Workload", "add_options", "load_workload", "peer_classifier"]


@dataclass(frozen=True)
class Workload:
    """Examples, the model folder that all sides start from, and headtune's classifier."""

    source: str
    labels: LabelSet
    examples: list[Example]
    folder: PretrainedFolder
    predictor: Predictor
    compute: Compute

    @property
    def texts(self) -> list[str]:
        return [example.text for example in self.examples]

    def describe(self, n_tokens: int) -> dict[str, Any]:
        """For the JSON line."""
        return {
            "source": os.path.basename(self.source),
            "examples": len(self.examples),
            "tokens": n_tokens,
        }


def add_options(options: argparse.ArgumentParser, examples: int) -> None:
    """Where the texts come from, and how many are taken."""
    options.add_argument(
        "--data",
        default=os.environ.get("HEADTUNE_TWEETS", "sms-spam"),
        help="a labelled table; by default HEADTUNE_TWEETS, else the built-in spam messages",
    )
    options.add_argument("--examples", type=int, default=examples, help="how many of its texts")
    options.add_argument("--seed", type=int, default=0, help="of the sample of texts")


def load_workload(given: argparse.Namespace, n_examples: int) -> Workload:
    """A sample of the data, and headtune's classifier with an untrained head."""
    prepared = prepare(given.data, DataConfig(split="100/0/0"))
    generator = np.random.default_rng(given.seed)
    n_examples = min(n_examples, len(prepared.train))
    chosen = generator.choice(len(prepared.train), n_examples, replace=False)
    predictor, compute = untrained_predictor(
        given.model, ModelConfig(model=given.model), labels=prepared.labels
    )
    return Workload(
        source=given.data,
        labels=prepared.labels,
        examples=[prepared.train[index] for index in chosen],
        folder=find_pretrained(given.model),
        predictor=predictor,
        compute=compute,
    )


def peer_classifier(
    work: Workload, dtype: torch.dtype, attention: str | None = None
) -> PreTrainedModel:
    """transformers' own classifier of the same weights. ``attention`` None is its default."""
    asked = {} if attention is None else {"attn_implementation": attention}
    with quiet_transformers():
        model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
            work.folder.path,
            dtype=dtype,
            num_labels=len(work.labels),
            id2label=work.labels.id2label,
            label2id=work.labels.label2id,
            **asked,
        )
    model.config.pad_token_id = work.predictor.tokenizer.pad_token_id
    with torch.no_grad():
        model.score.weight.copy_(work.predictor.classifier.score.weight)
    return model.eval()
