"""A classifier as a language model: label words, other tokens, and what cannot be expressed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from conftest import make_model_folder, make_tokenizer
from headtune import TextClassifier
from headtune.artifact.manifest import seal_of
from headtune.errors import ExportError
from headtune.export import export_run
from headtune.export.apart import LOWEST, SEPARATION, constant_direction
from headtune.export.causal_lm import answers_of_generation
from headtune.export.label_words import choose_label_words, read_label_words
from headtune.export.proof import agreement_of
from headtune.export.source import Probabilities, open_source
from headtune.types import LabelSet
from tests_support import TEXTS, TOPICS

from .conftest import FAMILIES, RunOf


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_decoding_answers_with_the_label(
    run_of: RunOf, said_of_texts: Callable[[Path], Probabilities], tmp_path: Path, family: str
) -> None:
    """One token, the word of the most probable label, by what the folder's defaults ask for."""
    run = run_of(family, "lora")
    export_run(run, "causal-lm", tmp_path / "out")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    words = read_label_words(tmp_path / "out" / "labels.json")
    assert [word.label for word in words] == ["dinner", "prize"]
    for text, row in zip(TEXTS[::8], said_of_texts(run)[::8], strict=True):
        inputs = tokenizer(text, return_tensors="pt")
        said = model.generate(inputs["input_ids"], attention_mask=inputs["attention_mask"])
        assert said.shape[1] == inputs["input_ids"].shape[1] + 1
        assert tokenizer.decode(said[0, -1:]) == words[row.argmax()].word


def test_the_output_embedding_is_untied_and_other_tokens_are_far_below(
    run_of: RunOf, tmp_path: Path
) -> None:
    run = run_of("gpt2", "head")
    exported = export_run(run, "causal-lm", tmp_path / "out")
    assert (
        json.loads((tmp_path / "out" / "config.json").read_text())["tie_word_embeddings"] is False
    )
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    base = AutoModelForCausalLM.from_pretrained(
        json.loads((run / "headtune.json").read_text())["base_model"]["name"]
    )
    before = base.get_input_embeddings().weight
    assert torch.equal(model.get_input_embeddings().weight, before)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    ids = [word["token_id"] for word in exported.measured["label_words"]]
    for text in TEXTS:
        with torch.inference_mode():
            logits = model(**tokenizer(text, return_tensors="pt")).logits[0, -1]
        others = torch.ones(len(logits), dtype=torch.bool).index_fill(0, torch.tensor(ids), False)
        assert logits[ids].max() - logits[others].max() > 50
    assert exported.measured["other_tokens_below"] >= SEPARATION * LOWEST
    assert "All other tokens lie" in (tmp_path / "out" / "README.md").read_text()


def test_a_temperature_is_in_the_rows(
    run_of: RunOf, said_of_texts: Callable[[Path], Probabilities], tmp_path: Path
) -> None:
    run = Path(shutil.copytree(run_of("llama", "lora"), tmp_path / "run"))
    values = json.loads((run / "headtune.json").read_text())
    values |= {"temperature": 0.25, "thresholds": {"prize": 0.7}}
    (run / "headtune.json").write_text(json.dumps(values | {"seal": seal_of(values)}))
    export_run(run, "causal-lm", tmp_path / "out")
    found = answers_of_generation(open_source(run), tmp_path / "out", TEXTS)
    assert agreement_of(said_of_texts(run), found).max_probability_difference < 1e-4
    assert "thresholds {'prize': 0.7}" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("gemma2", {"final_logit_softcapping": 5.0, "query_pre_attn_scalar": 8}),
        ("granite", {"logits_scaling": 8.0}),
        ("cohere", {"logit_scale": 0.0625}),
    ],
)
def test_caps_and_scales_of_logits_are_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, changes: dict[str, Any]
) -> None:
    import conftest

    monkeypatch.setitem(conftest.FAMILIES, family, conftest.SHAPE)
    base = make_model_folder(family, tmp_path / "base", **changes)
    classifier = TextClassifier(str(base), "head", max_steps=20, learning_rate=0.03)
    run = classifier.fit(TEXTS, TOPICS).save(tmp_path / "run")
    export_run(run, "causal-lm", tmp_path / "out")
    found = answers_of_generation(open_source(run), tmp_path / "out", TEXTS)
    agreement = agreement_of(classifier.predict_proba(TEXTS), found)
    assert agreement.max_probability_difference < 1e-4
    assert agreement.n_changed_labels == 0


def test_logits_that_are_no_product_are_refused(
    run_of: RunOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import LlamaForCausalLM

    forward = LlamaForCausalLM.forward

    def capped(self: Any, *arguments: Any, **options: Any) -> Any:
        said = forward(self, *arguments, **options)
        said.logits = torch.tanh(said.logits / 30) * 30
        return said

    monkeypatch.setattr(LlamaForCausalLM, "forward", capped)
    with pytest.raises(ExportError, match="changes its logits behind the output embedding"):
        export_run(run_of("llama", "head"), "causal-lm", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"pooling": "mean"}, "pools the mean"),
        ({"pooling": "first"}, "pools the first"),
        ({"attention": "bidirectional"}, "see the tokens after it"),
    ],
)
def test_what_a_language_model_cannot_express(
    run_of: RunOf, tmp_path: Path, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ExportError, match=rf"{reason}.* language models .*to=\"onnx\""):
        export_run(run_of("llama", "head", **options), "causal-lm", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_architecture_without_a_language_model_is_refused(
    run_of: RunOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(config: Any, **options: Any) -> Any:
        raise ValueError("Unrecognized configuration class")

    found = SimpleNamespace(from_config=none)
    monkeypatch.setattr("headtune.export.causal_lm.AutoModelForCausalLM", found)
    with pytest.raises(ExportError, match="no language model for 'llama'"):
        export_run(run_of("llama", "head"), "causal-lm", tmp_path / "out")


def test_words_of_ones_own(run_of: RunOf, tmp_path: Path) -> None:
    export_run(
        run_of("llama", "head"), "causal-lm", tmp_path / "out", label_word=["prize=a", "dinner=b"]
    )
    words = read_label_words(tmp_path / "out" / "labels.json")
    assert [(word.label, word.word) for word in words] == [("dinner", "b"), ("prize", "a")]
    with pytest.raises(ExportError, match='label_word= does not go with to="onnx"'):
        export_run(run_of("llama", "head"), "onnx", tmp_path / "no", label_word=["prize=a"])


TOKENIZER = make_tokenizer()


def words_of(names: list[str], *asked: str) -> list[str]:
    return [word.word for word in choose_label_words(TOKENIZER, LabelSet(tuple(names)), asked)]


def test_a_label_is_its_own_word_where_it_is_one_token() -> None:
    assert words_of(["the", "you"]) == [" the", "you"]
    assert words_of(["0", "1"]) == ["0", "1"]
    assert words_of(["THE", "x"]) == [" the", "x"]


def test_labels_that_begin_alike_get_letters() -> None:
    """``win`` is a token of its own; ``winner`` and ``winning`` begin with it."""
    tokens = {name: TOKENIZER.tokenize(name) for name in ("your", "yours", "yousum")}
    assert len({pieces[0] for pieces in tokens.values()}) < 3
    words = words_of(list(tokens))
    assert len(set(words)) == 3
    assert "A" in words


def test_first_tokens_tell_labels_apart() -> None:
    first = TOKENIZER.tokenize("thrift")[0]
    assert len(first) > 1
    assert words_of(["thrift", "x"]) == [first, "x"]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (["x=holidays"], r"'holidays' is \d tokens of this tokenizer"),
        (["z=a"], r"takes a label of the run and a word, such as x=yes; received 'z=a'. Labels: x"),
        (["x="], "takes a label"),
        (["x"], "takes a label"),
        (["x=a", "x=b"], "named twice"),
        (["x=a", "y=a"], "named twice"),
    ],
)
def test_words_that_cannot_be(asked: list[str], reason: str) -> None:
    with pytest.raises(ExportError, match=reason):
        words_of(["x", "y"], *asked)


def test_more_labels_than_readable_tokens() -> None:
    names = [f"label {n}" for n in range(100)]
    words = choose_label_words(TOKENIZER, LabelSet(tuple(names)))
    assert len({word.token_id for word in words}) == len({word.word for word in words}) == 100
    assert all(word.word.isprintable() and word.word.strip() for word in words)
    assert not {word.token_id for word in words} & set(TOKENIZER.all_special_ids)
    with pytest.raises(ExportError, match=r"has 200 labels, and its tokenizer only 1\d\d tokens"):
        choose_label_words(TOKENIZER, LabelSet(tuple(f"label {n}" for n in range(200))))


def test_special_tokens_are_no_words() -> None:
    tokenizer: PreTrainedTokenizerFast = make_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<spam>"]})
    with pytest.raises(ExportError, match="must be one"):
        choose_label_words(tokenizer, LabelSet(("ham", "spam")), ["spam=<spam>"])


def test_the_direction_is_near_one_on_states_that_were_left_out() -> None:
    """Against leaving each out in fact, with the strength that was chosen."""
    rng = np.random.default_rng(3)
    states = (rng.normal(size=(40, 12)) + 2.0).astype(np.float32)
    found = constant_direction(states)
    lowest = []
    for n in range(len(states)):
        others = np.delete(states, n, axis=0).astype(np.float64)
        best = None
        for ridge in np.logspace(-8, 1, 19):
            strength = ridge * np.trace(states.astype(np.float64) @ states.T) / len(states)
            weights = np.linalg.solve(
                others.T @ others + strength * np.eye(12), others.T @ np.ones(len(others))
            )
            best = weights @ states[n] if best is None else best
            lowest.append((ridge, float(weights @ states[n])))
    by_ridge = {r: min(v for x, v in lowest if x == r) for r, _ in lowest}
    assert found.lowest == pytest.approx(max(by_ridge.values()), abs=1e-6)
    assert found.n_texts == 40


def test_a_norm_with_bias_gives_an_exact_direction() -> None:
    """What comes out of a layer norm obeys one linear equation, whatever went in."""
    torch.manual_seed(0)
    norm = torch.nn.LayerNorm(16)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    with torch.no_grad():
        seen, unseen = norm(torch.randn(100, 16)), norm(5 * torch.randn(50, 16))
    found = constant_direction(seen.numpy())
    assert found.lowest == pytest.approx(1, abs=1e-3)
    assert unseen.numpy() @ found.vector == pytest.approx(np.ones(50), abs=1e-3)


def test_states_on_all_sides_are_refused_with_the_figure() -> None:
    states = np.random.default_rng(1).normal(size=(200, 8)).astype(np.float32)
    with pytest.raises(ExportError, match=r"-?\d\.\d\d of the mean at the lowest of 200 texts"):
        constant_direction(states)
