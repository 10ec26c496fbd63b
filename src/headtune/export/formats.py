"""The formats of ``headtune export``, one row each: who writes it, who reads it back, how exactly.

A new format is a file with a writer and an answerer, and a row here; command line, documentation
and tests go by this table. ``write`` fills an empty folder; ``answers`` gives probabilities of
texts as the tool itself computes them from that folder, shape ``(n_texts, n_labels)``.

Leaf of this stage for the command line: no torch at the top; writers are imported by name.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypedDict

from headtune.errors import ExportError, MissingDependencyError, option
from headtune.export.proof import Tolerance

__all__ = ["FORMATS", "Format", "Measured", "Notes", "RoundingCost", "WrittenWord", "find_format"]

EXACT = Tolerance(1e-4)
"""Two ways of computing the same float32 model: rounding, and no label."""

ROUNDED = Tolerance(0.25, changed_labels=1 / 16)
"""Weights of eight bits, on sixteen probes: one label. On validation texts see ``cost.py``."""

LLAMA_CPP = Tolerance(5e-3)
"""float32 weights, with activations from tables."""


class RoundingCost(TypedDict, total=False):
    """Answers to validation texts before and after rounding; empty where there were none."""

    n_texts: int
    max_probability_difference: float
    n_changed_labels: int
    accuracy: float
    accuracy_rounded: float


class WrittenWord(TypedDict):
    """The token that stands for a label."""

    label: str
    word: str
    token_id: int


class Measured(TypedDict, total=False):
    """What ``export.json`` holds besides: of label words, and of rounding."""

    label_words: list[WrittenWord]
    other_tokens_below: float
    validation: RoundingCost


@dataclass(frozen=True, slots=True)
class Notes:
    """What a writer wants to be known: sentences for people, and figures for machines."""

    facts: tuple[str, ...] = ()
    measured: Measured = field(default_factory=Measured)


Writer = Callable[..., Notes | None]
"""Takes the source and the folder, and the format's own options by name."""

Answerer = Callable[[Any, Path, list[str]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to hand a classifier on.

    Attributes:
        text: What it is, in a line.
        module: File of this folder with the two functions.
        write, answers: Their names.
        tool: What reads it back.
        tolerance: How near its answers must be.
        needs: Modules that must be installed, and the extra that brings them.
        quantize: Name of the function that rounds what was written.
        quantized: Number format -> tolerance, where weights may be rounded.
        pipeline_tag: What hubs call the task of such a model.
        options: Options of its own that the writer takes.
        how_to: The lines that load it, with {out} for the folder.
        served: What else there is to say of its use, in Markdown, with {out} for the folder.
    """

    text: str
    module: str
    write: str
    answers: str
    tool: str
    tolerance: Tolerance = EXACT
    needs: tuple[str, ...] = ()
    extra: str = ""
    quantize: str = ""
    quantized: Mapping[str, Tolerance] = field(default_factory=dict)
    pipeline_tag: str = "text-classification"
    options: tuple[str, ...] = ()
    how_to: str
    served: str = ""

    def writer(self) -> Writer:
        writer: Writer = getattr(self._module(), self.write)
        return writer

    def answerer(self) -> Answerer:
        answerer: Answerer = getattr(self._module(), self.answers)
        return answerer

    def quantizer(self) -> Writer:
        quantizer: Writer = getattr(self._module(), self.quantize)
        return quantizer

    def _module(self) -> Any:
        return import_module(f"headtune.export.{self.module}")


FORMATS: dict[str, Format] = {
    "transformers": Format(
        text="A folder of transformers' AutoModelForSequenceClassification, adapters merged.",
        module="transformers_folder",
        write="write_transformers",
        answers="answers_of_pipeline",
        tool="transformers pipeline",
        how_to="""\
from transformers import pipeline

classify = pipeline("text-classification", "{out}")
print(classify(["Congratulations, you won a prize!"], top_k=None, truncation=True))
""",
    ),
    "peft": Format(
        text="Adapter and head as PEFT writes them; for runs tuned by lora.",
        module="peft_adapter",
        write="write_peft",
        answers="answers_of_peft",
        tool="PEFT",
        how_to="""\
from peft import PeftModel
from transformers import AutoConfig, AutoModelForSequenceClassification

base = AutoModelForSequenceClassification.from_pretrained(
    "{base}", config=AutoConfig.from_pretrained("{out}"), dtype="float32"
)
model = PeftModel.from_pretrained(base, "{out}").eval()
""",
    ),
    "onnx": Format(
        text="One ONNX file with the tokenizer beside it, for any batch and length.",
        module="onnx_file",
        write="write_onnx",
        answers="answers_of_onnxruntime",
        tool="ONNX Runtime",
        needs=("onnx", "onnxruntime", "onnxscript"),
        extra="onnx",
        quantize="quantize_onnx",
        quantized={"int8": ROUNDED},
        how_to="""\
import onnxruntime
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{out}")
session = onnxruntime.InferenceSession("{out}/model.onnx")
batch = tokenizer(["You won!"], padding=True, truncation=True, return_tensors="np")
inputs = {name: batch[name].astype("int64") for name in ("input_ids", "attention_mask")}
logits = session.run(["logits"], inputs)[0]
""",
    ),
    "openvino": Format(
        text="OpenVINO's intermediate representation with the tokenizer beside it.",
        module="openvino_model",
        write="write_openvino",
        answers="answers_of_openvino",
        tool="OpenVINO",
        needs=("openvino", "onnx", "onnxscript"),
        extra="openvino",
        how_to="""\
import openvino
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{out}")
model = openvino.Core().compile_model("{out}/openvino_model.xml", "CPU")
batch = tokenizer(["You won!"], padding=True, truncation=True, return_tensors="np")
inputs = {name: batch[name].astype("int64") for name in ("input_ids", "attention_mask")}
logits = model(inputs)["logits"]
""",
    ),
    "causal-lm": Format(
        text="A language model of transformers that answers a text with one word, its label.",
        module="causal_lm",
        write="write_causal_lm",
        answers="answers_of_generation",
        tool="the first token that transformers generates",
        pipeline_tag="text-generation",
        options=("label_word",),
        how_to="""\
import json
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{out}")
model = AutoModelForCausalLM.from_pretrained("{out}").eval()
with open("{out}/labels.json", encoding="utf-8") as file:
    words = json.load(file)["labels"]
inputs = tokenizer("You won!", truncation=True, return_tensors="pt")
first = model(**inputs).logits[0, -1].softmax(dim=-1)
print({word["label"]: first[word["token_id"]].item() for word in words})
""",
        served="""\
A text-generation server classifies by its first token: ask for one token with its
log-probabilities, the text alone as the prompt (no chat template). The log-probability of a label
word is that of its label. `labels.json` has the word and token of each label.

```sh
vllm serve {out}
curl localhost:8000/v1/completions -H "Content-Type: application/json" -d '{"model": "{out}",
  "prompt": "You won!", "max_tokens": 1, "temperature": 0, "logprobs": {n_labels}}'
```

`choices[0].logprobs.top_logprobs[0]` of the answer holds word and log-probability. Cut texts to the
number of tokens above, as headtune does; a server reads them whole.
""",
    ),
    "gguf": Format(
        text="One file for llama.cpp, made from the language model that causal-lm writes.",
        module="gguf_file",
        write="write_gguf",
        answers="answers_of_llama_cpp",
        tool="llama.cpp",
        tolerance=LLAMA_CPP,
        needs=("gguf", "llama_cpp"),
        extra="gguf",
        quantize="halve_gguf",
        quantized={"f16": ROUNDED},
        pipeline_tag="text-generation",
        options=("label_word",),
        how_to="""\
import json
from llama_cpp import Llama

model = Llama("{out}/model.gguf", logits_all=True, verbose=False)
with open("{out}/labels.json", encoding="utf-8") as file:
    words = json.load(file)["labels"]
said = model.create_completion("You won!", max_tokens=1, temperature=0, logprobs={n_labels})
print(said["choices"][0]["logprobs"]["top_logprobs"][0])  # by the words of the labels
""",
        served="""\
A server classifies by its first token: ask for one token with its probabilities, the text alone as
the prompt. `labels.json` has the word and token of each label.

```sh
llama-server -m {out}/model.gguf
curl localhost:8080/completion -d '{"prompt": "You won!", "n_predict": 1, "n_probs": {n_labels}}'
```
""",
    ),
}


def find_format(
    name: str, quantize: str | None, options: Collection[str] = ()
) -> tuple[Format, Tolerance]:
    """The row of a format, and the tolerance with this quantisation.

    Raises ``ExportError`` on an unknown one, or on ``options`` that it does not have,
    ``MissingDependencyError`` where its tool is missing.
    """
    if name not in FORMATS:
        raise ExportError(
            f"{option('to')} takes {', '.join(FORMATS)}; received {name!r}.", option="to"
        )
    found = FORMATS[name]
    if quantize is not None and quantize not in found.quantized:
        able = (
            f"{option('to', other)} {option('quantize', q)}"
            for other, row in FORMATS.items()
            for q in row.quantized
        )
        raise ExportError(
            f"{option('quantize', quantize)} does not go with {option('to', name)}.",
            option="quantize",
            way_out=f"It goes as: {', '.join(able)}.",
        )
    for own in set(options) - set(found.options):
        able = (option("to", other) for other, row in FORMATS.items() if own in row.options)
        raise ExportError(
            f"{option(own)} does not go with {option('to', name)}.",
            option=own,
            way_out=f"It goes with: {', '.join(able)}.",
        )
    if missing := [module for module in found.needs if find_spec(module) is None]:
        raise MissingDependencyError(
            f"{option('to', name)} needs {', '.join(missing)}.",
            option="to",
            way_out=f"Install it: pip install 'headtune[{found.extra}]'",
        )
    return found, found.tolerance if quantize is None else found.quantized[quantize]
