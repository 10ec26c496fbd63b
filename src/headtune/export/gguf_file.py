"""``--to gguf``: one file for llama.cpp, whose first generated token is the label.

    the language model of causal_lm.py, in a folder aside -> its tensors under llama.cpp's names
    -> model.gguf with architecture and vocabulary (gguf_vocabulary.py); labels.json beside it

Tensor names, keys and the file itself are the ``gguf`` package's, by the authors of llama.cpp.
Written are Llama, GPT-2, Qwen 3 and Gemma 3; anything else is refused with the reason. Weights
stay float32; ``--quantize f16`` halves the matrices. The answers come from llama.cpp itself
(llama-cpp-python), from the text on, so its tokenizer is checked, too. It takes activations such as
GELU from tables, hence a wider tolerance than that of exact formats.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from transformers import AutoConfig, PreTrainedConfig

from headtune.errors import ExportError, option
from headtune.export.causal_lm import write_causal_lm
from headtune.export.formats import Notes
from headtune.export.gguf_vocabulary import BY_LLAMA_CPP, find_vocabulary
from headtune.export.label_words import LABELS_FILE, read_label_words
from headtune.export.source import Probabilities, Source, exported
from headtune.pretrained import from_folder
from headtune.tasks.metrics import softmax

__all__ = ["GGUF_FILE", "answers_of_llama_cpp", "halve_gguf", "write_gguf"]

GGUF_FILE = "model.gguf"

Array = npt.NDArray[Any]

ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "gpt2": gguf.MODEL_ARCH.GPT2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "gemma3_text": gguf.MODEL_ARCH.GEMMA3,
}
"""``model_type`` of transformers -> llama.cpp's."""


def write_gguf(source: Source, folder: Path, label_word: Sequence[str] = ()) -> Notes:
    """Write ``model.gguf`` and ``labels.json``. Raises ``ExportError`` where it cannot be."""
    if source.config.model_type not in ARCHITECTURES:
        raise ExportError(
            f"{option('to', 'gguf')} writes {', '.join(ARCHITECTURES)}; this run's model is a "
            f"{source.config.model_type}.",
            option="to",
            way_out=BY_LLAMA_CPP,
        )
    _require_plain_attention(source.config)
    vocabulary = find_vocabulary(source.tokenizer)
    aside = folder / "causal-lm"
    aside.mkdir()
    notes = write_causal_lm(source, aside, label_word)
    config = from_folder(AutoConfig.from_pretrained, exported(aside))
    architecture = ARCHITECTURES[config.model_type]
    writer = gguf.GGUFWriter(folder / GGUF_FILE, gguf.MODEL_ARCH_NAMES[architecture])
    _add_shape(writer, config)
    vocabulary.write(writer, config.vocab_size)
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    for path in sorted(aside.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as tensors:
            for name in tensors.keys():  # noqa: SIM118  (no mapping)
                array = _as_llama_cpp_has_it(name, tensors.get_tensor(name), config)
                found = names.get_name(name, try_suffixes=(".weight", ".bias"))
                if found is None:
                    raise ExportError(
                        f"llama.cpp has no tensor for {name}.",
                        option="to",
                        way_out=f"Use {option('to', 'causal-lm')}.",
                    )
                writer.add_tensor(found, np.ascontiguousarray(array))
    _close(writer)
    shutil.move(aside / LABELS_FILE, folder / LABELS_FILE)
    shutil.rmtree(aside)
    if vocabulary.exceptions:
        notes = replace(notes, facts=(*notes.facts, vocabulary.exceptions))
    return notes


def halve_gguf(source: Source, folder: Path) -> None:
    """Round the matrices of ``model.gguf`` to float16, in place; norms and biases stay."""
    path, rounded = folder / GGUF_FILE, folder / "rounded.gguf"
    reader = gguf.GGUFReader(path)
    writer = gguf.GGUFWriter(rounded, reader.fields["general.architecture"].contents())
    for key, entry in reader.fields.items():
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type"):
            continue
        kind = entry.types[0]
        inner = entry.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, entry.contents(), kind, inner)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for tensor in reader.tensors:
        array = np.asarray(tensor.data)
        is_matrix = array.ndim == 2 and tensor.name != "position_embd.weight"
        writer.add_tensor(tensor.name, array.astype(np.float16) if is_matrix else array)
    _close(writer)
    del reader, tensor, array  # they map the file
    rounded.replace(path)


def answers_of_llama_cpp(source: Source, folder: Path, texts: list[str]) -> Probabilities:
    """What llama.cpp's first token says, over the whole vocabulary, one text after another."""
    import llama_cpp

    ids = [word.token_id for word in read_label_words(folder / LABELS_FILE)]
    model = llama_cpp.Llama(
        str(folder / GGUF_FILE),
        n_ctx=source.max_length,
        n_batch=source.max_length,
        n_ubatch=source.max_length,
        swa_full=False,
        type_k=llama_cpp.GGML_TYPE_F32,
        type_v=llama_cpp.GGML_TYPE_F32,
        verbose=False,
    )
    rows = []
    for text in texts:
        tokens = model.tokenize(text.encode(), add_bos=True, special=True)[: source.max_length]
        model.reset()
        model.eval(tokens)
        logits = llama_cpp.llama_get_logits_ith(model.ctx, -1)
        whole = np.ctypeslib.as_array(logits, shape=(model.n_vocab(),))
        rows.append(softmax(whole)[ids])
    model.close()
    return np.stack(rows)


def _require_plain_attention(config: PreTrainedConfig) -> None:
    """Raise ``ExportError`` on variants of an architecture that are not written."""
    for rope in _ropes(config).values():
        if rope.get("rope_type", "default") != "default":
            raise ExportError(
                f"{option('to', 'gguf')} does not write rotary positions of type "
                f"{rope['rope_type']!r}.",
                option="to",
                way_out=BY_LLAMA_CPP,
            )
    for name, only in (
        ("attention_bias", False),
        ("mlp_bias", False),
        ("use_bidirectional_attention", False),
        ("attn_logit_softcapping", None),
        ("scale_attn_by_inverse_layer_idx", False),
    ):
        if getattr(config, name, only) != only:
            raise ExportError(
                f"{option('to', 'gguf')} does not write models with {name} = "
                f"{getattr(config, name)}.",
                option="to",
                way_out=BY_LLAMA_CPP,
            )
    scalar = getattr(config, "query_pre_attn_scalar", None)
    if scalar is not None and scalar != config.head_dim:
        raise ExportError(
            f"{option('to', 'gguf')} does not write models whose attention is scaled by {scalar}, "
            f"not by the size of a head, {config.head_dim}.",
            option="to",
            way_out=f"Use {option('to', 'causal-lm')}.",
        )


def _ropes(config: PreTrainedConfig) -> dict[str, dict[str, Any]]:
    """Kind of layer (empty: all) -> its rotary positions."""
    found: dict[str, Any] = getattr(config, "rope_parameters", None) or {}
    nested = {kind: rope for kind, rope in found.items() if isinstance(rope, dict)}
    return nested or ({"": found} if found else {})


def _add_shape(writer: Any, config: PreTrainedConfig) -> None:
    """Sizes, norms and positions, as llama.cpp's architectures ask for them."""
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    if config.model_type == "gpt2":
        writer.add_feed_forward_length(config.n_inner or 4 * config.hidden_size)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_rope_dimension_count(size)
    ropes = _ropes(config)
    everywhere = ropes.get("full_attention") or ropes[""]
    writer.add_rope_freq_base(everywhere["rope_theta"])
    if config.model_type == "gemma3_text":
        slides = [kind == "sliding_attention" for kind in config.layer_types]
        writer.add_sliding_window(config.sliding_window)
        writer.add_sliding_window_pattern(slides)
        writer.add_rope_freq_base_swa(ropes["sliding_attention"]["rope_theta"])


def _as_llama_cpp_has_it(name: str, array: Array, config: PreTrainedConfig) -> Array:
    """One tensor as llama.cpp stores it.

    Rotary pairs of Llama lie side by side there, and in two halves here. GPT-2 has its matrices
    the other way round; Gemma's norms have one added to them.
    """
    if config.model_type == "llama":
        for part, n_heads in (
            ("q_proj.weight", config.num_attention_heads),
            ("k_proj.weight", config.num_key_value_heads),
        ):
            if name.endswith(part):
                halves = array.reshape(n_heads, 2, -1, array.shape[1])
                return halves.swapaxes(1, 2).reshape(array.shape)
    if config.model_type == "gpt2" and ".c_" in name and array.ndim == 2:
        return array.T
    if config.model_type == "gemma3_text" and name.endswith("norm.weight"):
        return array + 1
    return array


def _close(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
