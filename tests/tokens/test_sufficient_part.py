"""Very long texts: the same first tokens as of the whole, in bounded time and memory."""

import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from headtune.pretrained import PretrainedFolder
from headtune.tokens import count_tokens, encode_texts, load_tokenizer
from headtune.tokens.long_texts import WHOLE_CHARACTERS, sufficient_part
from headtune.types import LabelSet

WORDS = ("free", "prize", "dinner", "tonight", "at", "home", "Grüße", "über", "🙂", "x" * 30)


def byte_level(folder: Path) -> PreTrainedTokenizerBase:
    return load_tokenizer(PretrainedFolder("tiny", folder))


def unigram(_: Path) -> PreTrainedTokenizerBase:
    pieces = [("<unk>", 0.0), *((c, -9.0) for c in "▁abcdefghijklmnopqrstuvwxyz")]
    pieces += [(f"▁{word}", -4.0) for word in WORDS[:6]] + [("inn", -5.0), ("ize", -5.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")


def word_piece(_: Path) -> PreTrainedTokenizerBase:
    known = ["[UNK]", "free", "prize", "dinner", "to", "##night", "at", "home", "x", "##x"]
    tokenizer = Tokenizer(models.WordPiece({w: i for i, w in enumerate(known)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]")


def long_texts() -> dict[str, str]:
    chosen = random.Random(3)
    words = " ".join(chosen.choices(WORDS, k=25_000))[:170_000]
    return {
        "words": words,
        "one word": "ab" * 85_000,
        "one letter": "a" * 170_000,
        "spaces between": "free" + " " * 120_000 + words[:50_000],
        "lines": "\n\n \n".join(words.split(" "))[:170_000],
        "a little too long": words[: WHOLE_CHARACTERS + 1],
    }


@pytest.mark.parametrize("make", [byte_level, unigram, word_piece])
@pytest.mark.parametrize("name", long_texts())
def test_the_kept_tokens_are_those_of_the_whole_text(
    make: Callable[[Path], PreTrainedTokenizerBase], name: str, tiny_llama: Path
) -> None:
    tokenizer, text = make(tiny_llama), long_texts()[name]
    for side, max_length in (("right", 500), ("left", 64)):
        tokenizer.truncation_side = side
        whole = tokenizer(text, truncation=True, max_length=max_length)["input_ids"]
        (example,) = encode_texts([text], tokenizer, max_length)
        assert example.input_ids.tolist() == whole


def test_texts_up_to_the_bound_are_taken_whole(tiny_llama: Path) -> None:
    tokenizer = byte_level(tiny_llama)
    text = long_texts()["words"][:WHOLE_CHARACTERS]
    assert sufficient_part(text, tokenizer, 12, 1) is text
    (example,) = encode_texts([text], tokenizer, 12)
    assert example.n_truncated == len(tokenizer(text)["input_ids"]) - 12
    assert not example.truncated_more


def test_what_was_cut_is_said_to_be_at_least_so_much(tiny_llama: Path) -> None:
    tokenizer = byte_level(tiny_llama)
    text = long_texts()["words"]
    (example,) = encode_texts([text], tokenizer, 12)
    assert example.truncated_more
    assert 10_000 < example.n_truncated < len(tokenizer(text)["input_ids"]) - 12
    counts = count_tokens([example], LabelSet(("ham", "spam")))
    assert counts.to_dict()["truncated_tokens_at_least"] is True
    (short,) = encode_texts(["free prize " * 50], tokenizer, 12)
    assert "truncated_tokens_at_least" not in count_tokens([short], LabelSet(("a", "b"))).to_dict()


def test_a_tokenizer_that_needs_more_is_given_more(tiny_llama: Path) -> None:
    tokenizer = word_piece(tiny_llama)
    text = "free" + " " * 250_000 + "prize dinner " * 20_000
    part = sufficient_part(text, tokenizer, 12, 1)
    assert 250_000 < len(part) < len(text)


def test_a_text_of_twenty_megabytes_takes_little_memory(tiny_llama: Path) -> None:
    tokenizer = byte_level(tiny_llama)
    text = "free prize at home " * 1_100_000
    tracemalloc.start()
    (example,) = encode_texts([text], tokenizer, 2_048)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(example) == 2_048
    assert peak < 30_000_000  # the ids of the whole text alone would be more


def test_many_long_texts_are_encoded_as_one_by_one(tiny_llama: Path) -> None:
    tokenizer = byte_level(tiny_llama)
    texts = [long_texts()["words"][i : i + 90_000] for i in range(0, 50_000, 5_000)]
    together = encode_texts(texts, tokenizer, 50)
    for text, example in zip(texts, together, strict=True):
        np.testing.assert_array_equal(tokenizer(text)["input_ids"][:50], example.input_ids)
