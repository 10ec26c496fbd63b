"""Two trainings on the same cores: how much longer they take than one alone.

In each round one training runs alone, then two side by side, each in a process of its own that has
loaded its model before the clock starts; sides take turns. ``headtune`` waits for its threads as it
sets it itself, ``spinning`` as GNU's OpenMP comes (GOMP_SPINCOUNT=300000). Two that share the cores
evenly take twice as long as one; what is above that is lost.

The last line is one object of JSON. Figures of a machine on which something else runs are worth
nothing: its load before and after is among them.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from statistics import median
from typing import Any

from harness import add_rounds, finish, machine, parser, print_table, say

SETTINGS = {"headtune": {}, "spinning": {"GOMP_SPINCOUNT": "300000"}}
WAITING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
MOST_TIMES = 2.5
"""What two side by side may take, in times of one alone."""


def train(model: str, n_steps: int) -> None:
    """In a process of its own: says "ready", waits for a line, trains, says the seconds."""
    import time

    from headtune.bench.bench import train_steps, untrained_predictor
    from headtune.data.samples import sms_spam
    from headtune.model import make_trainable
    from headtune.options import ModelConfig, TuneConfig
    from headtune.tokens import encode_texts
    from headtune.types import TokenizedExample

    predictor, _ = untrained_predictor(model, ModelConfig())
    make_trainable(predictor.classifier, TuneConfig(tune="lora"))
    texts = [row["text"] for row in islice(sms_spam(), 200)]
    examples = [
        TokenizedExample(each.input_ids, row % 2, row)
        for row, each in enumerate(encode_texts(texts, predictor.tokenizer, 256))
    ]

    def steps(number: int) -> None:
        train_steps(
            predictor.classifier, examples, batch_size=16, n_steps=number, max_tokens_per_batch=2048
        )

    steps(1)
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    steps(n_steps)
    print(f"seconds {time.perf_counter() - start}", flush=True)


