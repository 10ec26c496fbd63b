"""Logits for many texts: packed longest first, given back in the caller's order.

If memory runs out, the token budget is halved, for this classifier from then on, and the work goes
on from where it was; that is said. Costs: one forward pass a micro-batch, no gradients kept.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from headtune.batches import PackedBatch, collate, pack, share_out
from headtune.errors import ModelError, option
from headtune.model.finite import check_finite
from headtune.model.sequence_classifier import SequenceClassifier
from headtune.processes import all_gather, n_processes, rank
from headtune.progress import OnlySays, Progress, SilentProgress
from headtune.types import TokenizedExample

__all__ = ["is_out_of_memory", "predict_logits", "predict_states", "predict_together"]

SILENCE = SilentProgress()


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of torch means that memory ran out, on an accelerator or the CPU."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def predict_logits(
    classifier: SequenceClassifier,
    examples: Sequence[TokenizedExample],
    max_tokens_per_batch: int,
    progress: Progress = SILENCE,
) -> npt.NDArray[np.float32]:
    """Logits of each example, shape ``(n_examples, n_labels)``, float32.

    ``progress`` advances by the examples and tokens of each finished micro-batch. Raises
    ``ModelError`` when a single text is too much for the memory, and where the model gives what is
    no number.
    """
    n_labels = classifier.score.out_features
    return _run(classifier, classifier, n_labels, examples, max_tokens_per_batch, progress)


def predict_states(
    classifier: SequenceClassifier,
    examples: Sequence[TokenizedExample],
    max_tokens_per_batch: int,
    progress: Progress = SILENCE,
) -> npt.NDArray[np.float32]:
    """What the head classifies: pooled states, shape ``(n_examples, hidden_size)``, float32.

    Raises as ``predict_logits`` does.
    """

    def answer(batch: PackedBatch) -> torch.Tensor:
        return classifier.pooled_states(batch.to(classifier.device))

    size = classifier.score.in_features
    return _run(classifier, answer, size, examples, max_tokens_per_batch, progress)


def predict_together(
    predict: Callable[..., npt.NDArray[np.float32]],
    classifier: SequenceClassifier,
    examples: Sequence[TokenizedExample],
    max_tokens_per_batch: int,
    progress: Progress = SILENCE,
) -> npt.NDArray[np.float32]:
    """``predict_logits`` or ``predict_states``, the work shared among the processes that train.

    Each gets all rows, shape ``(n_examples, n_labels)`` or ``(n_examples, hidden_size)``, float32.
    ``progress`` hears of this process's share, in figures of the whole. Raises as they do.
    """
    if n_processes() == 1:
        return predict(classifier, examples, max_tokens_per_batch, progress)
    shares = share_out([len(example) for example in examples], n_processes())
    mine = [examples[index] for index in shares[rank()]]
    whole = _OfTheWhole(progress, len(examples) / max(1, len(mine)))
    found = all_gather(predict(classifier, mine, max_tokens_per_batch, whole))
    rows = np.empty((len(examples), found[0].shape[1]), dtype=np.float32)
    for indices, part in zip(shares, found, strict=True):
        rows[indices] = part
    return rows


class _OfTheWhole(OnlySays):
    """Takes the progress of one share for that of the whole, ``ratio`` times as large."""

    def __init__(self, progress: Progress, ratio: float) -> None:
        super().__init__(progress)
        self.ratio = ratio

    def advance(self, n_examples: int, n_tokens: int = 0, **figures: float) -> None:
        self.progress.advance(round(self.ratio * n_examples), round(self.ratio * n_tokens))


def _run(
    classifier: SequenceClassifier,
    answer: Callable[[PackedBatch], torch.Tensor],
    size: int,
    examples: Sequence[TokenizedExample],
    max_tokens_per_batch: int,
    progress: Progress,
) -> npt.NDArray[np.float32]:
    """Rows of ``answer``, shape ``(n_examples, size)``, in the order of the examples."""
    rows = np.empty((len(examples), size), dtype=np.float32)
    todo = list(range(len(examples)))

    def checked(batch: PackedBatch) -> torch.Tensor:
        given = answer(batch)
        check_finite(given, batch.rows, classifier, classifier.compute_dtype)
        return given

    was_training = classifier.training
    if was_training:  # visiting every module takes milliseconds, which single texts would wait for
        classifier.eval()
    try:
        while todo:
            budget = min(max_tokens_per_batch, classifier.most_tokens)
            budget = _work_through(checked, examples, todo, rows, int(budget), progress)
            if todo:
                classifier.most_tokens = budget
                progress.say(
                    f"Memory ran out: at most {budget:,} tokens in a batch from here on. The "
                    "result is the same."
                )
    finally:
        if was_training:
            classifier.train()
    return rows


def _work_through(
    answer: Callable[[PackedBatch], torch.Tensor],
    examples: Sequence[TokenizedExample],
    todo: list[int],
    rows: npt.NDArray[np.float32],
    max_tokens: int,
    progress: Progress,
) -> int:
    """Fill ``rows`` and empty ``todo``; returns the budget to go on with."""
    bins = pack([len(examples[index]) for index in todo], max_tokens)
    chosen = [[todo[place] for place in places] for places in bins]
    for done, indices in enumerate(chosen):
        batch = collate([examples[index] for index in indices])
        try:
            with torch.inference_mode():
                rows[indices] = answer(batch).float().cpu().numpy()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if len(indices) == 1:
                row = examples[indices[0]].row
                raise ModelError(
                    f"Memory ran out on the text of row {row} alone, {batch.n_tokens} tokens.",
                    option="max_length",
                    row=row,
                    way_out=f"Lower {option('max_length')}.",
                ) from error
            todo[:] = [index for rest in chosen[done:] for index in rest]
            return max(1, max_tokens // 2)
        progress.advance(batch.n_sequences, batch.n_tokens)
    todo.clear()
    return max_tokens
