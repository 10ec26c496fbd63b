"""``--to openvino``: OpenVINO's intermediate representation, made from the ONNX graph.

The plain ``openvino`` package converts and runs it: optimum-intel would wrap the conversion of
transformers' own class, which pools by token id and knows one pooling, and would hold transformers
back to the versions it knows. Weights stay float32. On processors with bfloat16 units OpenVINO
computes in bfloat16 unless it is told ``INFERENCE_PRECISION_HINT: f32``, as it is in the check.
"""

from pathlib import Path

from transformers import AutoTokenizer

from headtune.export.asking import ask, integer_inputs
from headtune.export.onnx_file import ONNX_FILE, write_onnx
from headtune.export.source import Probabilities, Source, exported
from headtune.pretrained import from_folder

__all__ = ["answers_of_openvino", "write_openvino"]

OPENVINO_FILE = "openvino_model.xml"


def write_openvino(source: Source, folder: Path) -> None:
    """Write ``openvino_model.xml`` and ``.bin``, tokenizer and configuration."""
    import openvino

    write_onnx(source, folder)
    model = openvino.convert_model(folder / ONNX_FILE)
    openvino.save_model(model, folder / OPENVINO_FILE, compress_to_fp16=False)
    del model  # it maps the ONNX file
    for path in folder.glob(ONNX_FILE + "*"):
        path.unlink()


def answers_of_openvino(source: Source, folder: Path, texts: list[str]) -> Probabilities:
    """What OpenVINO says on the CPU in float32, in padded batches."""
    import openvino

    model = openvino.Core().compile_model(
        folder / OPENVINO_FILE, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    tokenizer = from_folder(AutoTokenizer.from_pretrained, exported(folder))

    def answer(batch: list[str]) -> Probabilities:
        return source.task.probabilities(model(integer_inputs(tokenizer, batch))["logits"])

    return ask(answer, texts)
