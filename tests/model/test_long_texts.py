"""A text of 8,000 tokens among 1,000 short ones: the answers of alone, in memory bounded by it.

The memory is that of a process of its own, as the system counts it. All scores of one head would be
a square of 256 MB, and these models have four heads.
"""

import json
import subprocess
import sys

import pytest

from conftest import make_model_folder

FAMILIES = ["gpt2", "gemma3_text"]

N_LONG = 8_000

PROGRAM = """
import json
import resource
import sys

import numpy as np
import torch

from headtune.options import MachineConfig, ModelConfig
from headtune.model import Compute, SequenceClassifier, load_backbone, predict_logits
from headtune.pretrained import find_pretrained
from headtune.types import TokenizedExample

n_long, *folders = sys.argv[1:]
cpu = Compute(torch.device("cpu"), torch.float32, "as asked")
rng = np.random.default_rng(0)
lengths = rng.integers(5, 40, 1_000).tolist()
lengths.insert(500, int(n_long))
examples = [
    TokenizedExample(rng.integers(0, 300, n).astype(np.int32), None, row)
    for row, n in enumerate(lengths, start=1)
]

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

for folder in folders:
    options = ModelConfig(model=folder)
    backbone = load_backbone(find_pretrained(folder), options, MachineConfig(), cpu)
    assert backbone.packs
    classifier = SequenceClassifier(backbone, n_labels=2)
    short = [example for example in examples if len(example) < 100]
    short_alone = predict_logits(classifier, short, 2_048)
    before = peak()
    together = predict_logits(classifier, examples, 2_048)
    grown = peak() - before
    alone = predict_logits(classifier, [examples[500]], 2_048)
    far = np.abs(np.delete(together, 500, 0) - short_alone).max()
    print(json.dumps({
        "grown": grown,
        "spread": float(together.std()),
        "far": float(max(far, np.abs(together[500] - alone[0]).max())),
    }))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """Per family: MB that the process grew by, and the largest difference of a logit."""
    root = tmp_path_factory.mktemp("long")
    size = {"gpt2": "n_positions"}
    folders = [
        make_model_folder(
            family, root / family, **{size.get(family, "max_position_embeddings"): 8_192}
        )
        for family in FAMILIES
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(N_LONG), *map(str, folders)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(FAMILIES, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_memory_is_bounded_by_the_long_text(
    found: dict[str, dict[str, float]], family: str
) -> None:
    assert found[family]["grown"] < 128


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_are_those_of_each_text_alone(
    found: dict[str, dict[str, float]], family: str
) -> None:
    assert found[family]["spread"] > 0.01
    assert found[family]["far"] < 1e-5
