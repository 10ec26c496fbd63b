"""The classifier in OpenVINO, through optimum-intel: exported once, run by transformers' pipeline.

The extra ``bench`` brings it. optimum-intel holds transformers at 5.5, so it wants an environment
of its own, in which all sides then run. Elsewhere the benchmark goes on without this peer and says
in its result why.
"""

from tempfile import TemporaryDirectory
from typing import Any

import torch

from headtune.errors import MissingDependencyError
from workload import Workload, peer_classifier

__all__ = ["openvino_pipeline"]


def openvino_pipeline(work: Workload) -> Any:
    """A pipeline whose model is OpenVINO's, in its own choice of format (bfloat16 where fast).

    Raises ``MissingDependencyError`` where optimum-intel cannot be imported.
    """
    try:
        from optimum.intel import OVModelForSequenceClassification
    except ImportError as error:
        reason = " ".join(str(error).split())[:200]
        raise MissingDependencyError(
            f"optimum-intel cannot be used here ({reason}); pip install headtune[bench] in an "
            "environment of its own, since it holds transformers at 5.5"
        ) from error
    from transformers import pipeline

    with TemporaryDirectory(prefix="headtune-bench-") as folder:
        peer_classifier(work, torch.float32).save_pretrained(folder)
        work.predictor.tokenizer.save_pretrained(folder)
        threads = str(torch.get_num_threads())  # as many as the other sides have
        model = OVModelForSequenceClassification.from_pretrained(
            folder, export=True, ov_config={"INFERENCE_NUM_THREADS": threads}
        )
    return pipeline(
        "text-classification", model=model, tokenizer=work.predictor.tokenizer, top_k=None
    )
