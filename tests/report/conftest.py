"""Reports to test with: metrics of a chosen accuracy, made by the real functions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from headtune.report.comparison import compare_with
from headtune.report.entries import Opponent
from headtune.report.report import Report, build_report
from headtune.tasks.metrics import Metrics, classification_metrics
from headtune.types import LabelSet

HAM_SPAM = LabelSet(("ham", "spam"))
N_HAM, N_SPAM = 870, 130


Ids = Sequence[int] | npt.NDArray[np.int64]

LABEL_IDS = np.repeat([0, 1], [N_HAM, N_SPAM])


def answers_with(n_wrong: int) -> npt.NDArray[np.float64]:
    """Of 870 ham and 130 spam, the first ``n_wrong`` are called by the other name, surely."""
    predicted = np.where(np.arange(len(LABEL_IDS)) < n_wrong, 1 - LABEL_IDS, LABEL_IDS)
    answers: npt.NDArray[np.float64] = 0.9 * np.eye(2)[predicted] + 0.05
    return answers


def metrics_with(n_wrong: int, labels: LabelSet = HAM_SPAM) -> Metrics:
    """The figures of ``answers_with``."""
    return classification_metrics(answers_with(n_wrong), LABEL_IDS, labels)


def constant_metrics(train_ids: Ids, test_ids: Ids, labels: LabelSet) -> Metrics:
    """The figures of giving every row the label frequencies of training."""
    shares = np.bincount(train_ids, minlength=len(labels)) / len(train_ids)
    return classification_metrics(np.tile(shares, (len(test_ids), 1)), test_ids, labels)


def compared(n_wrong: int, tfidf_wrong: int = 45, part: str = "test") -> list[Opponent]:
    """``comparison`` of a model with always answering ham, and with TF-IDF."""
    others = {
        "majority": np.tile([0.87, 0.13], (len(LABEL_IDS), 1)),
        "tfidf": answers_with(tfidf_wrong),
    }
    return compare_with(answers_with(n_wrong), others, LABEL_IDS, part, seed=0)


@pytest.fixture
def make_report() -> Callable[..., Report]:
    """Builds the report of a spam run; keywords replace single arguments of ``build_report``."""

    def make(**changes: Any) -> Report:
        label_ids = [0] * N_HAM + [1] * N_SPAM
        majority = constant_metrics(label_ids, label_ids, HAM_SPAM)
        arguments: dict[str, Any] = {
            "config": {"source": "messages.csv", "train": {"seed": 42}},
            "data": {
                "source": "messages.csv",
                "rows_read": 5574,
                "set_aside": {
                    "count": 3,
                    "by_reason": {"the text is empty": 2, "the label is missing": 1},
                },
                "repeats": 403,
                "conflicting_texts": 0,
                "repeats_across_parts": 1,
                "labels": {"ham": 4827, "spam": 744},
                "parts": {
                    "train": {"rows": 3620, "labels": {"ham": 3100, "spam": 520}},
                    "validation": {"rows": 1000, "labels": {"ham": 870, "spam": 130}},
                    "test": {"rows": 1000, "labels": {"ham": 870, "spam": 130}},
                },
                "split": "70/10/20",
                "fingerprint": "0123abcd",
            },
            "labels": HAM_SPAM,
            "model": {
                "id": "smollm2-135m",
                "total_parameters": 134_515_008,
                "trainable_parameters": 3_541_824,
                "dtype": "bfloat16",
                "device": "cpu",
                "reasons": ["bfloat16, which this CPU multiplies 4.2 times faster than float32"],
            },
            "before": {"validation": metrics_with(700), "test": metrics_with(690)},
            "after": {"validation": metrics_with(9), "test": metrics_with(12)},
            "baselines": {
                "majority": {"validation": majority, "test": majority},
                "tfidf": {
                    "validation": metrics_with(40),
                    "test": metrics_with(45),
                    "C": 10.0,
                    "train_rows": 3620,
                },
            },
            "speed": {
                "examples_per_second": 93.14,
                "tokens_per_second": 3353.2,
                "useful_flops_per_second": 4.543e11,
                "wall_seconds": {"data": 0.52, "training": 41.3, "baselines": 2.1},
            },
            "truncated": {"ham": 0, "spam": 7},
            "history": [
                {"step": 10, "epoch": 0.5, "loss": 0.4, "learning_rate": 3e-4},
                {"step": 20, "epoch": 1.0, "validation_loss": 0.2, "validation_accuracy": 0.9},
            ],
            "evidence": {"comparison": compared(12)},
            "warnings": ["403 rows repeat another row; each text was kept once."],
        }
        return build_report(**{**arguments, **changes})

    return make
