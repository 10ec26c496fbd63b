"""Tokenizers as llama.cpp is told of them: its tokens are ours, or the export is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from conftest import SENTENCES, make_model_folder
from headtune import TextClassifier
from headtune.errors import ExportError
from headtune.export import export_run, gguf_file
from headtune.export.gguf_vocabulary import BYTES, find_vocabulary
from tests_support import TEXTS, TOPICS

from .conftest import lean

SPACE = "\u2581"
AWKWARD = [
    "  two spaces, and at the end too  ",
    "\u00fcber \U0001f600 \u6f22\u5b57 \u200b",
    "line\nline\n\n\tline",
    "a <|end|> in the middle",
    "aaaaaaaaaaaaaaaa",
    SPACE + " written out",
]
REPLACE = normalizers.Replace(" ", SPACE)
NORMALIZERS: dict[str, tuple[Any, Any]] = {
    "replaced": (REPLACE, pre_tokenizers.Split(" ", "merged_with_previous")),
    "prepended": (normalizers.Sequence([normalizers.Prepend(SPACE), REPLACE]), None),
    "metaspace": (None, pre_tokenizers.Metaspace(SPACE, "first", split=False)),
    "bare metaspace": (None, pre_tokenizers.Metaspace(SPACE, "never", split=False)),
}
"""As in Gemma, in Llama 2 as first converted, as converted today, and without a prefix."""
EXCEPTIONS = {"metaspace": [AWKWARD[0], AWKWARD[5]]}
"""Texts that are known to be cut otherwise, and said to be."""


def sentence_piece(kind: str) -> PreTrainedTokenizerFast:
    """BPE with bytes for unknown letters, and every way to make a token among its merges."""
    from tokenizers.trainers import BpeTrainer

    trained = Tokenizer(models.BPE())
    trainer = BpeTrainer(vocab_size=260, show_progress=False)
    trained.train_from_iterator([text.replace(" ", SPACE) for text in SENTENCES], trainer)
    learned = trained.get_vocab()
    pieces = sorted(learned, key=lambda token: (len(token) == 1, learned[token]))
    special = ["<|end|>", "<|begin|>", "<unk>"]
    vocabulary = {token: i for i, token in enumerate([*special, *BYTES, *pieces])}
    merges = [
        (token[:cut], token[cut:])
        for token in pieces
        for cut in range(1, len(token))
        if token[:cut] in vocabulary and token[cut:] in vocabulary
    ]
    made = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    made.normalizer, made.pre_tokenizer = NORMALIZERS[kind]
    made.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback()])
    made.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in special]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|end|>", bos_token="<|begin|>", unk_token="<unk>"
    )


@pytest.mark.parametrize("kind", NORMALIZERS)
def test_a_sentence_piece_tokenizer_cuts_as_here(kind: str, tmp_path: Path) -> None:
    llama_cpp = pytest.importorskip("llama_cpp", reason="needs headtune[gguf]")
    tokenizer = sentence_piece(kind)
    folder = make_model_folder("gemma3_text", tmp_path / "base", vocab_size=len(tokenizer) + 9)
    tokenizer.save_pretrained(lean(folder))
    run = TextClassifier(str(folder), "head", max_steps=2).fit(TEXTS, TOPICS).save(tmp_path / "run")
    exported = export_run(run, "gguf", tmp_path / "out")
    model = llama_cpp.Llama(str(tmp_path / "out" / "model.gguf"), vocab_only=True, verbose=False)
    tokenizer.split_special_tokens = True  # as the run does, whatever llama.cpp is told
    differing = [
        text
        for text in [*SENTENCES, *AWKWARD]
        if model.tokenize(text.encode(), add_bos=True, special=True) != tokenizer(text)["input_ids"]
    ]
    assert differing == EXCEPTIONS.get(kind, [])
    assert any("puts a space before every text" in fact for fact in exported.facts) == (
        kind in EXCEPTIONS
    )


def written_of(tokenizer: PreTrainedTokenizerFast, path: Path) -> dict[str, Any]:
    """What the file says of the tokenizer, with two rows more than it has tokens."""
    writer = gguf.GGUFWriter(path, "llama")
    find_vocabulary(tokenizer).write(writer, len(tokenizer) + 2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    fields = gguf.GGUFReader(path).fields
    return {name.partition("ggml.")[2]: field.contents() for name, field in fields.items()}


def test_where_special_tokens_are_text_they_have_no_names(tmp_path: Path) -> None:
    """llama.cpp's programs look for names in a prompt; ids are all that it needs itself."""
    tokenizer = sentence_piece("replaced")
    tokenizer.split_special_tokens = True
    found = written_of(tokenizer, tmp_path / "vocabulary.gguf")
    assert not {"<|end|>", "<|begin|>", "<unk>"} & set(found["tokens"])
    assert found["token_type"][:3] == [gguf.TokenType.UNUSED] * 3
    assert gguf.TokenType.CONTROL not in found["token_type"]
    assert found["eos_token_id"] == tokenizer.eos_token_id
    assert len(set(found["tokens"])) == len(tokenizer) + 2


@pytest.mark.parametrize("kind", NORMALIZERS)
def test_what_is_written_of_it(kind: str, tmp_path: Path) -> None:
    tokenizer = sentence_piece(kind)
    found = written_of(tokenizer, tmp_path / "vocabulary.gguf")
    assert found["model"] == "llama"
    assert found["add_space_prefix"] == (kind in ("prepended", "metaspace"))
    assert not found["add_bos_token"]
    tokens, scores, kinds = found["tokens"], found["scores"], found["token_type"]
    assert tokens[:-2] == tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    assert len(tokens) == len(scores) == len(kinds) == len(tokenizer) + 2
    assert {tokens[i] for i, kind in enumerate(kinds) if kind == gguf.TokenType.BYTE} == set(BYTES)
    assert kinds[:3] == [gguf.TokenType.CONTROL] * 3
    assert kinds[-2:] == [gguf.TokenType.UNUSED] * 2
    # What merges make first has the highest score.
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    made = list(dict.fromkeys("".join(pair) for pair in merges))
    by_score = sorted(made, key=lambda token: -scores[tokens.index(token)])
    assert made == by_score
    assert len({scores[tokens.index(token)] for token in made}) == len(made)


def test_merges_in_another_order_than_what_they_make_are_refused() -> None:
    def apart(model: dict[str, Any]) -> None:
        merges = model["merges"]
        made = ["".join(pair) for pair in merges]
        twice = next(token for token in made if made.count(token) > 1 and token != made[-1])
        merges.append(merges.pop(made.index(twice)))

    tokenizer = changed(apart)
    with pytest.raises(ExportError, match=r"ranks the ways to make '.*' apart from each other"):
        find_vocabulary(tokenizer)


def test_a_merge_that_only_llama_cpp_would_do_is_refused() -> None:
    tokenizer = changed(lambda model: model["merges"].pop(0))
    with pytest.raises(ExportError, match=r"does not merge '.*' and '.*', and llama.cpp would"):
        find_vocabulary(tokenizer)


def changed(change: Callable[[dict[str, Any]], object]) -> PreTrainedTokenizerFast:
    """A tokenizer whose model is another."""
    tokenizer = sentence_piece("replaced")
    values = json.loads(tokenizer.backend_tokenizer.to_str())
    change(values["model"])
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(values)))


def test_letters_without_a_token_or_bytes_are_refused() -> None:
    tokenizer = changed(lambda model: model.update(byte_fallback=False))
    with pytest.raises(ExportError, match="this one is BPE with Split before"):
        find_vocabulary(tokenizer)


def test_another_kind_is_refused_before_anything_is_written(
    source_of: Callable[..., Any], tmp_path: Path
) -> None:
    source = source_of("llama", "head")
    source.tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(ExportError, match="this one is BPE with Whitespace before"):
        gguf_file.write_gguf(source, tmp_path)
    assert list(tmp_path.iterdir()) == []
