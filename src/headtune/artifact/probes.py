"""Golden probes: a few texts with the token ids and logits that the classifier must give.

Sixteen texts of the data, both short and long, all labels among them, 800 characters in all;
checking them costs one forward pass. A changed tokenizer shows in the ids; a changed weight,
pooling or maximum length in the logits. Changed label names show without any tolerance: the logits
that were recorded must say, by the labels of today, the names that were recorded with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

from headtune.artifact.layout import PROBE_TENSORS, PROBES
from headtune.artifact.tensor_file import read_tensors
from headtune.errors import ArtifactFormatError, ProbeError
from headtune.files.plain_json import to_json
from headtune.files.strict_json import read_strict_json
from headtune.model import SequenceClassifier, predict_logits
from headtune.tasks import SINGLE_LABEL, Task
from headtune.tasks.task import Logits
from headtune.tokens import encode_texts
from headtune.types import Example, LabelSet, TokenizedExample, known_label

__all__ = ["ProbeResult", "check_probes", "choose_probes", "read_probe_texts", "write_probes"]

N_PROBES = 16
MAX_CHARACTERS = 800
"""Length of all probe texts together, some 200 tokens."""

TOLERANCE = {"float32": 1e-3, "bfloat16": 0.05}
"""Largest difference in a probability; a difference of hardware, not of weights, stays below."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How far the reloaded classifier is from the recorded one."""

    n_probes: int
    max_probability_difference: float
    n_changed_labels: int
    bit_equal: bool


def choose_probes(examples: Sequence[Example], n_labels: int, seed: int) -> list[str]:
    """Up to sixteen different texts, labels in turn, in seeded order, shortened to the bound.

    Raises ``LabelError`` on a text without a label.
    """
    order = np.random.default_rng(seed).permutation(len(examples)).tolist()
    by_label: list[list[str]] = [[] for _ in range(n_labels)]
    for index in order:
        by_label[known_label(examples[index])].append(examples[index].text)
    turns = [texts[turn] for turn in range(N_PROBES) for texts in by_label if turn < len(texts)]
    chosen = list(dict.fromkeys(turns))[:N_PROBES]
    longest = _longest_allowed([len(text) for text in chosen])
    return [text[:longest] for text in chosen]


def _longest_allowed(lengths: list[int]) -> int:
    """Where to cut texts of these lengths, so that short ones leave their share to long ones."""
    left = MAX_CHARACTERS
    for n_shorter, length in enumerate(sorted(lengths)):
        share = left // (len(lengths) - n_shorter)
        if length > share:
            return share
        left -= length
    return MAX_CHARACTERS


def write_probes(
    folder: Path,
    texts: list[str],
    classifier: SequenceClassifier,
    tokenizer: Any,
    labels: LabelSet,
    max_length: int,
    task: Task = SINGLE_LABEL,
) -> None:
    """Record what the classifier says of ``texts``."""
    examples = encode_texts(texts, tokenizer, max_length)
    logits = _logits(classifier, examples)
    predicted = _answers(task, logits, labels)
    (folder / PROBES).write_text(
        to_json({"texts": texts, "labels": predicted}, indent=1) + "\n",
        encoding="utf-8",
    )
    tensors = {
        "input_ids": torch.from_numpy(np.concatenate([e.input_ids for e in examples])),
        "lengths": torch.tensor([len(example) for example in examples], dtype=torch.int32),
        "logits": torch.from_numpy(logits),
    }
    save_file(tensors, folder / PROBE_TENSORS)


def check_probes(
    folder: Path,
    classifier: SequenceClassifier,
    tokenizer: Any,
    labels: LabelSet,
    max_length: int,
    dtypes: set[str],
    task: Task = SINGLE_LABEL,
) -> tuple[ProbeResult, npt.NDArray[np.float32]]:
    """Compare a loaded classifier with its probes.

    ``dtypes`` are those of the recorded and of this run; the wider tolerance of the two holds for
    probabilities, and a label may change where two are nearer to each other than twice that.
    Gives also the logits of the probe texts now, shape ``(n_probes, n_labels)``. Raises
    ``ProbeError`` beyond the tolerance, and ``ArtifactFormatError`` on unreadable probes.
    """
    texts, names, tensors = _read(folder)
    examples = encode_texts(texts, tokenizer, max_length)
    ids = [example.input_ids for example in examples]
    lengths = [len(row) for row in ids]
    if lengths != tensors["lengths"].tolist() or not np.array_equal(
        np.concatenate(ids), tensors["input_ids"].numpy()
    ):
        raise ProbeError(
            f"The tokenizer in {folder} turns the probe texts into other tokens than when it was "
            "saved: another tokenizer, or another maximum length."
        )
    logits = _logits(classifier, examples)  # of known ids only: others may be beyond the model
    expected = tensors["logits"].numpy()
    if expected.shape != logits.shape:
        raise ProbeError(f"{folder / PROBE_TENSORS} holds logits of another shape.")
    predicted = _answers(task, logits, labels)
    difference = np.abs(task.probabilities(logits) - task.probabilities(expected))
    result = ProbeResult(
        n_probes=len(texts),
        max_probability_difference=float(difference.max()),
        n_changed_labels=sum(a != b for a, b in zip(predicted, names, strict=True)),
        bit_equal=bool(np.array_equal(logits, expected)),
    )
    tolerance = max(TOLERANCE[dtype] for dtype in dtypes)
    renamed = _answers(task, expected, labels) != names  # exact, in whatever number format
    if renamed or not result.max_probability_difference <= tolerance:
        raise ProbeError(
            f"The classifier in {folder} does not answer as it did when it was saved: "
            f"probabilities differ by up to {result.max_probability_difference:.2g} (at most "
            f"{tolerance:g}), {result.n_changed_labels} of {result.n_probes} labels changed."
        )
    return result, logits


def _answers(task: Task, logits: Logits, labels: LabelSet) -> list[str]:
    return task.named(task.decide(task.probabilities(logits)), labels)


def _logits(
    classifier: SequenceClassifier, examples: list[TokenizedExample]
) -> npt.NDArray[np.float32]:
    return predict_logits(classifier, examples, max_tokens_per_batch=2_048)


def read_probe_texts(folder: Path) -> list[str]:
    """The probe texts of a run. Raises ``ArtifactFormatError``."""
    return _read(folder)[0]


def _read(folder: Path) -> tuple[list[str], list[str], dict[str, torch.Tensor]]:
    tensors = read_tensors(folder / PROBE_TENSORS)
    try:
        record = read_strict_json(folder / PROBES)
        texts, names = record["texts"], record["labels"]
        whole = {"lengths", "input_ids", "logits"} <= tensors.keys() and len(texts) == len(names)
        strings = all(isinstance(text, str) for text in (*texts, *names))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArtifactFormatError(f"The probes of {folder} cannot be read: {error}") from error
    if not whole or not texts or not strings:
        raise ArtifactFormatError(f"The probes of {folder} are incomplete.")
    return texts, names, tensors
