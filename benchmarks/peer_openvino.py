"""The classifier in OpenVINO, through optimum-intel: exported once, run by transformers' pipeline.

Both come as the extra ``bench-openvino`` where a version of optimum-intel exists for the installed
transformers; optimum-intel pins transformers, so it is tried and not trusted. Without them the
benchmark goes on and says in its result why this peer was left out.
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
            f"optimum-intel cannot be used here ({reason}); pip install optimum-intel[openvino] "
            "in an environment whose transformers it supports"
        ) from error
    from transformers import pipeline

    with TemporaryDirectory(prefix="headtune-bench-") as folder:
        peer_classifier(work, torch.float32).save_pretrained(folder)
        work.predictor.tokenizer.save_pretrained(folder)
        model = OVModelForSequenceClassification.from_pretrained(folder, export=True)
    threads = {"INFERENCE_NUM_THREADS": str(torch.get_num_threads())}
    model.ov_config = {**model.ov_config, **threads}  # as many threads as the other sides
    model.compile()
    return pipeline(
        "text-classification", model=model, tokenizer=work.predictor.tokenizer, top_k=None
    )
