"""A run in bfloat16 answers as well as one in float32 does, on texts that can be told apart."""

from pathlib import Path

import numpy as np
import pytest
import torch

from headtune import TextClassifier
from headtune.tasks.paired import compare_paired

SUBJECTS = {
    "prize": ("free prize", "cash award", "holiday for two", "winner", "account selected"),
    "dinner": ("dinner tonight", "meeting tomorrow", "the station", "home for tea", "the song"),
}


def made_up(n: int, seed: int) -> tuple[list[str], list[str]]:
    """Texts of random letters around a few words that give the topic away; two topics, in turn."""
    rng = np.random.default_rng(seed)
    texts, topics = [], []
    for i in range(n):
        topic = ("prize", "dinner")[i % 2]
        noise = ["".join(rng.choice(list("aeiounrst"), 4)) for _ in range(2)]
        noise.insert(int(rng.integers(3)), str(rng.choice(SUBJECTS[topic])))
        texts.append(" ".join(noise))
        topics.append(topic)
    return texts, topics


@pytest.mark.parametrize("tune", ["lora", "last-1"])
def test_bfloat16_is_as_accurate_as_float32(tiny_llama: Path, tune: str) -> None:
    """Two seeds; the interval of the paired bootstrap holds no difference."""
    texts, topics = made_up(240, seed=0)
    unseen, expected = made_up(200, seed=1)
    right: dict[str, list[np.ndarray]] = {"float32": [], "bfloat16": []}
    probabilities = {}
    for dtype, answers in right.items():
        for seed in (1, 2):
            classifier = TextClassifier(
                str(tiny_llama), tune, dtype=dtype, device="cpu", seed=seed,
                epochs=4, batch_size=16, learning_rate=1e-2,
            ).fit(texts, topics)  # fmt: skip
            answers.append(classifier.predict(unseen) == np.array(expected))
        probabilities[dtype] = classifier.predict_proba(unseen)
        model = classifier.predictor_.classifier
        assert model.compute_dtype == getattr(torch, dtype)
        assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
    assert np.abs(probabilities["bfloat16"] - probabilities["float32"]).max() > 1e-5
    compared = compare_paired(np.concatenate(right["bfloat16"]), np.concatenate(right["float32"]))
    assert np.mean(right["float32"]) > 0.75
    assert compared.interval[0] <= 0 <= compared.interval[1]
