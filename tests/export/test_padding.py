"""The padding token of an export: one that no text ends with, out of the vocabulary as it is."""

import pytest
from transformers import PreTrainedTokenizerFast

from conftest import make_tokenizer
from headtune.export.padding import settle_export_padding

TEXTS = ["win a prize", "see you"]


def tokenizer_with(*special: str, pad: str | None = "<|end|>") -> PreTrainedTokenizerFast:
    tokenizer = make_tokenizer()
    if special:
        tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    tokenizer.pad_token = pad
    return tokenizer


def ends_with_eos(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    from tokenizers.processors import TemplateProcessing

    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="$A <|end|>", special_tokens=[("<|end|>", tokenizer.eos_token_id)]
    )
    return tokenizer


@pytest.mark.parametrize(
    ("special", "pad", "chosen"),
    [
        (("<pad>",), "<pad>", "<pad>"),  # nothing else besides: stays
        (("<file>", "<|reserved_0|>", "<|finetune_right_pad_id|>"), "<|end|>",
         "<|finetune_right_pad_id|>"),
        (("<file>", "<|reserved_0|>"), "<|end|>", "<|reserved_0|>"),
        (("<file>",), "<|end|>", "<file>"),
        ((), "<|end|>", "<|begin|>"),
    ],
)  # fmt: skip
def test_the_best_token_is_chosen(special: tuple[str, ...], pad: str, chosen: str) -> None:
    tokenizer = tokenizer_with(*special, pad=pad)
    size = len(tokenizer)
    assert settle_export_padding(tokenizer, TEXTS)
    assert tokenizer.pad_token == chosen
    assert len(tokenizer) == size


def test_without_a_choice_it_is_safe_only_if_texts_do_not_end_with_it() -> None:
    lone = make_tokenizer()  # with a single special token, as GPT-2's
    lone.bos_token = lone.pad_token = lone.eos_token
    only = {lone.eos_token_id: lone.added_tokens_decoder[lone.eos_token_id]}
    shown = {"added_tokens_decoder": property(lambda self: only)}
    lone.__class__ = type("Lone", (type(lone),), shown)
    assert settle_export_padding(lone, TEXTS)
    assert lone.pad_token == "<|end|>"
    assert not settle_export_padding(ends_with_eos(lone), TEXTS)
