"""``--to onnx``: one file of ONNX with the tokenizer beside it, any batch and any length.

The graph is that of ``padded.py`` (``input_ids`` and ``attention_mask`` in, ``logits`` out), as
captured by torch.export; any pooling and attention can be had. Answers come from ONNX Runtime. A
model of more than 2 GB, the bound of one protobuf message, gets ``model.onnx.data`` beside it.

``--quantize int8`` rounds the weights of matrix products to eight bits, a scale for each block of
``BLOCK``, and activations likewise while running (``MatMulNBits``). Embedding and head stay as they
are. One scale for a whole batch of activations, as ONNX Runtime's dynamic rounding has it, would
not do: a few activations of language models are a thousand times as large as the others, and of
SmolLM2's spam classifiers one label in thirty changed.
"""

import warnings
from pathlib import Path

import torch
from transformers import AutoTokenizer

from headtune.export.asking import ask, integer_inputs
from headtune.export.padded import PaddedClassifier
from headtune.export.source import Probabilities, Source, exported
from headtune.export.transformers_folder import labelled_config
from headtune.pretrained import from_folder
from headtune.quiet import quiet_libraries, quiet_transformers

__all__ = ["answers_of_onnxruntime", "quantize_onnx", "write_onnx"]

ONNX_FILE = "model.onnx"
LARGEST_MESSAGE = 2**31 - 2**24
"""Bytes of weights that fit into one protobuf message with its graph."""

HEAD_OUTPUT = "logits"

BLOCK = 32
INT8_ACTIVATIONS = 4
"""``accuracy_level`` of MatMulNBits: products of integers, where the processor has fast ones."""


def write_onnx(source: Source, folder: Path) -> None:
    """Write graph, tokenizer and configuration."""
    model = PaddedClassifier(source.classifier).eval()
    n_bytes = sum(p.numel() * p.element_size() for p in model.parameters())
    ids = torch.ones(2, 5, dtype=torch.int64)
    mask = torch.tensor([[1] * 5, [1] * 3 + [0] * 2])
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
    with (
        torch.inference_mode(),
        quiet_transformers(),
        quiet_libraries(),
        warnings.catch_warnings(action="ignore"),
    ):
        torch.onnx.export(
            model,
            (ids, mask),
            folder / ONNX_FILE,
            input_names=["input_ids", "attention_mask"],
            output_names=[HEAD_OUTPUT],
            dynamic_shapes={
                "input_ids": {0: batch, 1: length},
                "attention_mask": {0: batch, 1: length},
            },
            dynamo=True,
            external_data=n_bytes > LARGEST_MESSAGE,
            verbose=False,
        )
    labelled_config(source).save_pretrained(folder)
    source.tokenizer.save_pretrained(folder)


def quantize_onnx(source: Source, folder: Path) -> None:
    """Round the weights of ``model.onnx`` to int8, in place."""
    import onnx

    path, rounded = folder / ONNX_FILE, folder / "rounded.onnx"
    beside = path.name + ".data"
    model = onnx.load(path)
    head = [node.name for node in model.graph.node if HEAD_OUTPUT in node.output]
    del model.graph.value_info[:]  # shapes from before constants were folded, partly stale
    with quiet_libraries():
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        quantizer = MatMulNBitsQuantizer(
            model,
            bits=8,
            block_size=BLOCK,
            is_symmetric=True,
            accuracy_level=INT8_ACTIVATIONS,
            nodes_to_exclude=head,
            op_types_to_quantize=("MatMul",),
        )
        quantizer.process()
    path.with_name(beside).unlink(missing_ok=True)
    found = quantizer.model.model
    onnx.save(
        found,
        rounded,
        save_as_external_data=found.ByteSize() > LARGEST_MESSAGE,
        location=beside,
    )
    rounded.replace(path)


def answers_of_onnxruntime(source: Source, folder: Path, texts: list[str]) -> Probabilities:
    """What ONNX Runtime says, in padded batches."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(
        folder / ONNX_FILE, options, providers=["CPUExecutionProvider"]
    )
    tokenizer = from_folder(AutoTokenizer.from_pretrained, exported(folder))

    def answer(batch: list[str]) -> Probabilities:
        [logits] = session.run([HEAD_OUTPUT], integer_inputs(tokenizer, batch))
        return source.task.probabilities(logits)

    return ask(answer, texts)
