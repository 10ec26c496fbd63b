"""``--to causal-lm``: the classifier as a language model that answers with one word, its label.

The score rows become rows of the output embedding, at one token a label (``label_words.py``); the
embedding is untied from the input's. All other rows are one, far below (``apart.py``), so that the
softmax over the whole vocabulary is the classifier's, and the first token that any text-generation
server gives is the label, with the label's probability.

    backbone (adapters merged) -> the language model class of transformers around it
    -> output embedding -> compare its logits with the rows, divide a scale out -> save_pretrained

Guarantees: probabilities of the first token within rounding of the run's, on the probes, in the
folder as it is read back. Refused: pooling other than the last token's, attention to later tokens,
logits that are not linear in the state. A cap on the logits (``final_logit_softcapping``) is
switched off in the configuration. Costs: one forward pass of the probes and of up to 128
validation texts, and the bytes of an embedding more.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from headtune.errors import ExportError, option
from headtune.export.apart import SEPARATION, Direction, constant_direction
from headtune.export.asking import ask
from headtune.export.formats import Notes, WrittenWord
from headtune.export.label_words import (
    LABELS_FILE,
    LabelWord,
    choose_label_words,
    read_label_words,
)
from headtune.export.source import Probabilities, Source, exported
from headtune.export.transformers_folder import require_causal_last_token
from headtune.export.validation import validation_part
from headtune.files.plain_json import to_json
from headtune.model import predict_states
from headtune.pretrained import from_config, from_folder
from headtune.quiet import quiet_transformers
from headtune.tasks.metrics import softmax
from headtune.tokens import encode_texts

__all__ = ["answers_of_generation", "label_rows", "write_causal_lm"]

MOST_TEXTS = 128
"""Validation texts whose states are measured, besides the probes."""

SOFT_CAP = "final_logit_softcapping"


def write_causal_lm(source: Source, folder: Path, label_word: Sequence[str] = ()) -> Notes:
    """Write model, tokenizer and ``labels.json``. Raises ``ExportError`` where it cannot be."""
    require_causal_last_token(source, "language models")
    words = choose_label_words(source.tokenizer, source.labels, label_word, source.n_embeddings)
    states = _states(source)
    direction = constant_direction(states)
    model = _language_model(source)
    output = _output_embedding(source, model, words, direction)
    _divide_scale_out(source, model, output, words, states[0])
    model.generation_config.max_new_tokens = 1
    model.generation_config.do_sample = False
    with quiet_transformers():
        model.save_pretrained(folder)
    _pad_on_the_left(source.tokenizer)
    source.tokenizer.save_pretrained(folder)
    _write_words(folder / LABELS_FILE, words)
    return _notes(words, direction)


def answers_of_generation(source: Source, folder: Path, texts: list[str]) -> Probabilities:
    """What the first generated token says, in batches padded on the left.

    The softmax is taken over the whole vocabulary, so mass on other tokens shows as a difference.
    """
    ids = [word.token_id for word in read_label_words(folder / LABELS_FILE)]
    written = exported(folder)
    model = from_folder(AutoModelForCausalLM.from_pretrained, written, dtype=torch.float32).eval()
    tokenizer = from_folder(AutoTokenizer.from_pretrained, written)

    def answer(batch: list[str]) -> Probabilities:
        inputs = tokenizer(batch, padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode(), quiet_transformers():
            said = model.generate(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                return_dict_in_generate=True,
                output_logits=True,
            )
        return softmax(said.logits[0].numpy())[:, ids]  # of the whole vocabulary

    return ask(answer, texts)


def label_rows(words: Sequence[LabelWord]) -> list[int]:
    """The rows of the output embedding, in the order of the labels."""
    return [word.token_id for word in words]


def _states(source: Source) -> Any:
    """States of the probes and of validation texts, shape ``(n_texts, hidden_size)``."""
    part = validation_part(source)
    texts = source.texts + ([] if isinstance(part, str) else part.texts[:MOST_TEXTS])
    examples = encode_texts(list(dict.fromkeys(texts)), source.tokenizer, source.max_length)
    return predict_states(source.classifier, examples, source.artifact.max_tokens_per_batch)


def _language_model(source: Source) -> PreTrainedModel:
    """The language model class of transformers, around the run's own backbone.

    Raises ``ExportError`` where transformers has none with this backbone in it.
    """
    config = copy.deepcopy(source.config)
    config.tie_word_embeddings = False
    config.pad_token_id = source.tokenizer.pad_token_id
    config.dtype = torch.float32
    config.use_cache = True
    if getattr(config, SOFT_CAP, None) is not None:
        setattr(config, SOFT_CAP, None)
    try:
        with torch.device("meta"):
            model: PreTrainedModel = from_config(
                AutoModelForCausalLM.from_config, config, exported(source.run)
            )
    except (KeyError, ValueError) as error:
        raise ExportError(
            f"transformers has no language model for {config.model_type!r}.",
            option="to",
            way_out=f"Use {option('to', 'onnx')}.",
        ) from error
    backbone, prefix = source.classifier.backbone, model.base_model_prefix
    if not _is_made_around(model, backbone):
        raise ExportError(
            f"{type(model).__name__} of transformers is not made around a "
            f"{type(backbone).__name__}.",
            option="to",
            way_out=f"Use {option('to', 'onnx')}.",
        )
    backbone.set_attn_implementation("eager")
    backbone.config.use_cache = True
    setattr(model, prefix, backbone)
    return model.eval()


def _is_made_around(model: PreTrainedModel, backbone: PreTrainedModel) -> bool:
    return type(getattr(model, model.base_model_prefix, None)) is type(backbone)


def _output_embedding(
    source: Source, model: PreTrainedModel, words: Sequence[LabelWord], direction: Direction
) -> nn.Linear:
    """Put in the output embedding, float32, shape ``(vocab_size, hidden_size)``."""
    rows = source.classifier.score.weight.detach().float()  # (n_labels, hidden_size)
    old = model.get_output_embeddings()
    output = nn.Linear(old.in_features, old.out_features, bias=old.bias is not None)
    below = torch.from_numpy(SEPARATION * direction.vector).float()
    with torch.no_grad():
        output.weight[:] = rows.mean(dim=0) - below
        output.weight[label_rows(words)] = rows
        if output.bias is not None:
            output.bias.zero_()
    model.set_output_embeddings(output)
    if left := [name for name, p in model.named_parameters() if p.device.type == "meta"]:
        raise ExportError(
            f"{type(model).__name__} of transformers has weights besides its backbone and output "
            f"({left[0]}).",
            option="to",
            way_out=f"Use {option('to', 'onnx')}.",
        )
    return output


def _divide_scale_out(
    source: Source,
    model: PreTrainedModel,
    output: nn.Linear,
    words: Sequence[LabelWord],
    state: Any,
) -> None:
    """Compare the model's logits of the first probe with the rows' own products.

    Some architectures multiply the logits by a number; the rows are divided by it. Raises
    ``ExportError`` where the two are not proportional.
    """
    example = encode_texts(source.texts[:1], source.tokenizer, source.max_length)[0]
    input_ids = torch.tensor(example.input_ids[None], dtype=torch.int64)
    with torch.inference_mode(), quiet_transformers():
        found = model(input_ids=input_ids, use_cache=False).logits[0, -1].double()
        expected = output(torch.from_numpy(state)).double()
    scale = float(found @ expected / (expected @ expected))
    chosen = label_rows(words)
    error = float((found / scale - expected)[chosen].abs().max())
    if not (scale > 0 and error <= 1e-3 * max(1.0, float(expected[chosen].abs().max()))):
        raise ExportError(
            f"{type(model).__name__} changes its logits behind the output embedding (by up to "
            f"{error:.2g}).",
            option="to",
            way_out=f"Use {option('to', 'onnx')}.",
        )
    if abs(scale - 1) > 1e-3:
        with torch.no_grad():
            output.weight.div_(scale)


def _pad_on_the_left(tokenizer: PreTrainedTokenizerBase) -> None:
    """As generation needs it: the token comes after the text. Saved are keys of ``init_kwargs``."""
    tokenizer.padding_side = tokenizer.init_kwargs["padding_side"] = "left"


def _write_words(path: Path, words: Sequence[LabelWord]) -> None:
    values = {"labels": [_written(word) for word in words]}
    path.write_text(to_json(values, indent=2) + "\n", encoding="utf-8")


def _written(word: LabelWord) -> WrittenWord:
    return {"label": word.label, "word": word.word, "token_id": word.token_id}


def _notes(words: Sequence[LabelWord], direction: Direction) -> Notes:
    named = ", ".join(f"{word.label!r} is {word.word!r}" for word in words)
    return Notes(
        (
            f"The label words: {named}.",
            f"All other tokens lie {SEPARATION * direction.lowest:,.0f} or more below the best "
            f"label, measured on each of {direction.n_texts:,} texts with that text left out.",
        ),
        {
            "label_words": [_written(word) for word in words],
            "other_tokens_below": SEPARATION * direction.lowest,
        },
    )
