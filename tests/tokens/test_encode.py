"""Texts to ids: padding settled, nothing cut uncounted."""

from pathlib import Path
from typing import Any

import pytest
from tokenizers import models
from transformers import PreTrainedTokenizerFast

from headtune.errors import TokenizationError
from headtune.pretrained import PretrainedFolder
from headtune.tokens import count_tokens, encode_examples, load_tokenizer, resolve_max_length
from headtune.tokens.tokenizer import settle_padding
from headtune.types import Example, LabelSet

LABELS = LabelSet(("ham", "spam"))


@pytest.fixture
def tokenizer(tiny_llama: Path) -> PreTrainedTokenizerFast:
    return load_tokenizer(PretrainedFolder("tiny", tiny_llama))


def test_padding_is_settled_without_a_new_token(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == 0
    assert tokenizer.padding_side == "right"
    assert len(tokenizer) <= 300


def test_padding_without_end_of_text_is_the_first_token(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    tokenizer.pad_token = tokenizer.eos_token = None
    size = len(tokenizer)
    settle_padding(tokenizer)
    assert tokenizer.pad_token_id == 0
    assert len(tokenizer) == size


def test_ids_are_the_tokenizers_own(tokenizer: PreTrainedTokenizerFast) -> None:
    texts = ["call now", "dinner tonight at home", "urgent"]
    encoded = encode_examples([Example(t, 0, r) for r, t in enumerate(texts)], tokenizer, 100)
    assert [e.input_ids.tolist() for e in encoded] == [tokenizer(t)["input_ids"] for t in texts]
    assert [e.n_truncated for e in encoded] == [0, 0, 0]


def test_cuts_are_counted_by_label(tokenizer: PreTrainedTokenizerFast) -> None:
    long = "free prize " * 50
    examples = [Example(long, 1, 1), Example("hi", 0, 2), Example(long, 0, 3), Example(long, 1, 4)]
    encoded = encode_examples(examples, tokenizer, 12)
    whole = len(tokenizer(long)["input_ids"])
    assert len(encoded[0]) == 12
    assert encoded[0].n_truncated == whole - 12
    counts = count_tokens(encoded, LABELS)
    assert counts.truncated_texts == {"ham": 1, "spam": 2}
    assert counts.truncated_tokens == 3 * (whole - 12)
    assert counts.longest == 12


def test_a_special_token_at_the_end_survives_the_cut(tokenizer: PreTrainedTokenizerFast) -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="$A <|end|>", special_tokens=[("<|end|>", 0)]
    )
    (encoded,) = encode_examples([Example("free prize " * 50, 1, 1)], tokenizer, 12)
    assert len(encoded) == 12
    assert encoded.input_ids[-1] == 0


def test_a_text_without_tokens_becomes_one_token(tokenizer: PreTrainedTokenizerFast) -> None:
    (encoded,) = encode_examples([Example("", 0, 1)], tokenizer, 12)
    assert encoded.input_ids.tolist() == [tokenizer.bos_token_id]


@pytest.mark.parametrize(
    ("asked", "limit", "expected"),
    [(None, 8_192, 2_048), (None, 256, 256), (None, None, 2_048), (64, 256, 64), (9, None, 9)],
)
def test_max_length(asked: int | None, limit: int | None, expected: int) -> None:
    assert resolve_max_length(asked, limit) == expected


def test_more_than_the_model_reads_is_refused() -> None:
    with pytest.raises(
        TokenizationError, match=r"^max_length=257 is more .* at most 256"
    ) as refused:
        resolve_max_length(257, 256)
    assert refused.value.option == "max_length"


def _without_unknown(model: Any) -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, pre_tokenizers

    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


VOCABULARY = {"a": 0, "b": 1, "##b": 2, "call": 3}
WITHOUT_UNKNOWN = {
    "words": (models.WordLevel(VOCABULARY), "zebra", "'zebra'"),
    "pieces": (models.WordPiece(VOCABULARY), "ab\u00e9", "'\u00e9'"),
    "unigram": (models.Unigram([("a", -1.0), ("b", -1.0)]), "ab\u00e9", "'\u00e9'"),
}


@pytest.mark.parametrize("kind", WITHOUT_UNKNOWN)
def test_a_text_that_has_no_token_is_named_by_row_and_characters(kind: str) -> None:
    """Tokenizers without an unknown token: one bad text among good ones."""
    model, odd, named = WITHOUT_UNKNOWN[kind]
    tokenizer = _without_unknown(model)
    examples = [Example("a b", 0, 1), Example("b a", 0, 2), Example(f"a {odd} a", 1, 9)]
    assert [e.input_ids.tolist() for e in encode_examples(examples[:2], tokenizer, 9)] == [
        [0, 1],
        [1, 0],
    ]
    with pytest.raises(TokenizationError, match="in row 9") as refused:
        encode_examples(examples, tokenizer, 9)
    assert refused.value.row == 9
    assert f"no token for {named} in" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_lengths_name_such_a_text_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from headtune import model, pretrained, tokens
    from headtune.inspection.lengths import measure_lengths

    tokenizer = _without_unknown(WITHOUT_UNKNOWN["words"][0])
    monkeypatch.setattr(pretrained, "find_pretrained", lambda *args, **more: None)
    monkeypatch.setattr(model, "load_config", lambda *args: None)
    monkeypatch.setattr(tokens, "load_tokenizer", lambda *args, **more: tokenizer)
    assert measure_lengths(["a b", "call"], "tiny", [4, 5])[0].tolist() == [2, 1]
    with pytest.raises(TokenizationError, match="in row 5"):
        measure_lengths(["a b", "never"], "tiny", [4, 5])
