"""Tiny tokenizers with the special tokens of the families that there are, and models to them.

Each reads text as its family does: how it cuts, what it is made of, what it puts around a text.
"""

import string
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast, XLMRobertaTokenizer

from conftest import SENTENCES, make_model_folder

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""What Llama 3 cuts texts by."""


def _bytes(cut: list[Any], special: Sequence[str], **settings: Any) -> PreTrainedTokenizerFast:
    """Byte-level BPE whose special tokens come behind the vocabulary."""
    made = Tokenizer(models.BPE(ignore_merges=True))
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not cut)
    made.pre_tokenizer = pre_tokenizers.Sequence([*cut, by_bytes])
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(SENTENCES, trainer)
    made.add_special_tokens([AddedToken(token, special=True) for token in special])
    if "bos" in settings:
        bos = settings.pop("bos")
        made.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, made.token_to_id(bos))]
        )
    return PreTrainedTokenizerFast(tokenizer_object=made, **settings)


def llama3() -> PreTrainedTokenizerBase:
    return _bytes(
        [pre_tokenizers.Split(Regex(SPLIT), "isolated")],
        ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|finetune_right_pad_id|>"],
        bos="<|begin_of_text|>",
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
    )


def qwen() -> PreTrainedTokenizerBase:
    made = _bytes(
        [pre_tokenizers.Split(Regex(SPLIT), "isolated")],
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    made.add_tokens([AddedToken("<tool_call>", special=False, normalized=False)])
    return made


def gpt2() -> PreTrainedTokenizerBase:
    one = "<|endoftext|>"
    return _bytes([], [one], bos_token=one, eos_token=one, unk_token=one)


def bert() -> PreTrainedTokenizerBase:
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=list(names.values()), show_progress=False
    )
    made.train_from_iterator([*SENTENCES, "[ ] < | > / _"], trainer)
    around = [(name, made.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=around
    )
    settings = {f"{kind}_token": token for kind, token in names.items()}
    return PreTrainedTokenizerFast(tokenizer_object=made, **settings)


def sentence_piece() -> PreTrainedTokenizerBase:
    """Unigram as XLM-R has it: special tokens are among the pieces, at the best score of all."""
    special = [(name, 0.0) for name in ("<s>", "<pad>", "</s>", "<unk>")]
    characters = sorted(set("".join(SENTENCES)) - {" "} | set(string.ascii_letters + "<>/[]|_\n"))
    pieces = [*special, ("▁", -3.0), *((character, -4.0) for character in characters)]
    pieces += [("▁win", -5.0), ("▁the", -5.0), ("ing", -5.0), ("<mask>", 0.0)]
    return XLMRobertaTokenizer(vocab=pieces)


FAMILIES: dict[str, tuple[Callable[[], PreTrainedTokenizerBase], str]] = {
    "llama3": (llama3, "llama"),
    "qwen": (qwen, "qwen3"),
    "gpt2": (gpt2, "gpt2"),
    "bert": (bert, "llama"),
    "sentence_piece": (sentence_piece, "llama"),
}
"""Family -> its tokenizer, and the causal architecture that it is tried with."""

WRITTEN = (
    "<|begin_of_text|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>",
    "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "<s>", "</s>", "<pad>", "<mask>", "<unk>",
)  # fmt: skip
"""Special tokens of all families, as people write them."""


def make_family_folder(family: str, folder: Path) -> Path:
    """A random two-layer model of the family's architecture, with its tokenizer."""
    make, model_type = FAMILIES[family]
    tokenizer = make()
    make_model_folder(model_type, folder, vocab_size=len(tokenizer))
    tokenizer.save_pretrained(folder)
    return folder
