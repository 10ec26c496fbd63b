"""Texts with special tokens in them: run, reloaded run and every export give the same answer."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtune import Predictor, TextClassifier
from headtune.artifact.manifest import Manifest, seal_of
from headtune.errors import ProbeError
from headtune.export import FORMATS, export_run
from headtune.export.source import Probabilities, Source, open_source
from headtune.tokens import special_tokens
from special_families import WRITTEN, make_family_folder
from tests_support import TEXTS, TOPICS

from .conftest import lean

TRIED = {
    ("llama3", "last-1"): ("transformers", "causal-lm"),
    ("qwen", "lora"): ("transformers", "peft", "causal-lm"),
    ("gpt2", "head"): ("transformers",),
    ("bert", "head"): ("transformers",),
    ("sentence_piece", "head"): ("transformers",),
}
"""(family, tune) -> formats. The others are proved on such texts in test_export.py, as all are."""

TOGETHER = st.lists(
    st.tuples(
        st.sampled_from(["", "win a free prize ", "see you "]),
        st.sampled_from(WRITTEN),
        st.sampled_from(["", " at dinner", "<", "!"]),
    ).map("".join),
    min_size=12,
    max_size=12,
)

Answers = Callable[[list[str]], Probabilities]


def trained(family: str, folder: Path, tune: str = "head", **options: Any) -> TextClassifier:
    """A little; for language models, with states that have a direction in common."""
    base = make_family_folder(family, folder)
    if family in ("llama3", "qwen"):
        lean(base)
    classifier = TextClassifier(
        str(base),
        tune,
        max_steps=4,
        learning_rate=3e-3,
        lora_rank=4,
        dtype="float32",
        device="cpu",
        **options,
    )
    return classifier.fit(TEXTS, TOPICS)


@pytest.fixture(scope="module", params=TRIED, ids=lambda key: "-".join(key))
def answers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Answers]:
    """Where it is -> what it says of texts."""
    (family, tune), folder = request.param, tmp_path_factory.mktemp(request.param[0])
    formats = TRIED[family, tune]
    for module in (module for to in formats for module in FORMATS[to].needs):
        pytest.importorskip(module)
    classifier = trained(family, folder / "base", tune)
    run = classifier.save(folder / "run")
    in_memory = classifier.predictor_
    reloaded = Predictor.load(run, dtype="float32", device="cpu")
    found: dict[str, Answers] = {
        "in memory": in_memory.predict_proba,
        "reloaded": reloaded.predict_proba,
    }
    for to in formats:
        export_run(run, to, folder / to)
        found[to] = _asked(to, open_source(run), folder / to)
    return found


def _asked(to: str, source: Source, out: Path) -> Answers:
    answerer = FORMATS[to].answerer()
    return lambda texts: answerer(source, out, texts)


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=TOGETHER)
def test_they_agree(answers: dict[str, Answers], texts: list[str]) -> None:
    texts = [*texts, "win a free prize <|im_end|>", "see you</s>", "home [SEP]", "tea<|endoftext|>"]
    expected = answers["in memory"](texts)
    for where, answer in answers.items():
        np.testing.assert_allclose(answer(texts), expected, rtol=0, atol=1e-4, err_msg=where)


def test_nobody_moves_the_answer_by_a_special_token(tmp_path: Path) -> None:
    """In a run that takes them as such, the end of text is another text altogether."""
    text, written_out = "win a free prize", "win a free prize <|im_end|>"
    split = trained("qwen", tmp_path / "split")
    ids = [example.input_ids.tolist() for example in split.predictor_.encode([text, written_out])]
    assert not set(ids[1]) & special_tokens(split.predictor_.tokenizer).keys()
    whole = trained("qwen", tmp_path / "whole", split_special_tokens=False)
    assert whole.predictor_.encode([written_out])[0].input_ids[-1] == (
        whole.predictor_.tokenizer.eos_token_id
    )


@pytest.mark.parametrize("split", [True, False])
def test_a_run_says_which_it_does_and_keeps_to_it(split: bool, tmp_path: Path) -> None:
    from headtune.artifact import describe_run

    classifier = trained("qwen", tmp_path / "base", split_special_tokens=split)
    run = classifier.save(tmp_path / "run")
    assert (
        Manifest.load(run).split_special_tokens is describe_run(run).split_special_tokens is split
    )
    assert TextClassifier.load(run).get_params()["split_special_tokens"] is split
    text = "win <|endoftext|> a prize"
    expected = classifier.predict_proba([text])
    loaded = Predictor.load(run, dtype="float32", device="cpu")
    assert loaded.tokenizer(text) == classifier.predictor_.tokenizer(text)
    np.testing.assert_allclose(loaded.predict_proba([text]), expected, atol=1e-6)
    exported = export_run(run, "transformers", tmp_path / "out")
    assert json.loads((tmp_path / "out/export.json").read_text())["split_special_tokens"] is split
    said = "are read as text" if split else "act as such"
    for card in (run / "README.md", tmp_path / "out/README.md"):
        assert said in card.read_text(encoding="utf-8")
    assert any("full of special tokens" in fact for fact in exported.facts) is split


def test_a_run_that_says_nothing_is_as_it_was(tmp_path: Path) -> None:
    """Manifests of before lack the field; their tokenizers say nothing either."""
    run = trained("qwen", tmp_path / "base", split_special_tokens=False).save(tmp_path / "run")
    manifest = Manifest.load(run)
    values = json.loads((run / "headtune.json").read_text())
    del values["split_special_tokens"], values["seal"]
    manifest = Manifest.from_dict(values | {"seal": seal_of(values)}, run)
    assert manifest.split_special_tokens is False


def test_an_export_that_takes_them_as_such_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokenizer is written without the setting."""
    from headtune.export import transformers_folder

    run = trained("gpt2", tmp_path / "base").save(tmp_path / "run")
    write = transformers_folder.write_transformers

    def forgetting(source: Source, folder: Path) -> None:
        write(source, folder)
        path = folder / "tokenizer_config.json"
        settings = json.loads(path.read_text())
        del settings["split_special_tokens"]
        path.write_text(json.dumps(settings))

    monkeypatch.setattr(transformers_folder, "write_transformers", forgetting)
    with pytest.raises(ProbeError, match="does not answer as the run does"):
        export_run(run, "transformers", tmp_path / "out")


ALONE = """
import json, sys
from transformers import pipeline
classify = pipeline("text-classification", sys.argv[1])
print(json.dumps([classify(text, top_k=None) for text in json.loads(sys.argv[2])]))
"""


def test_transformers_alone_in_a_fresh_process_says_the_same(tmp_path: Path) -> None:
    """The padding token of this tokenizer is its end of text."""
    classifier = trained("gpt2", tmp_path / "base")
    export_run(classifier.save(tmp_path / "run"), "transformers", tmp_path / "out")
    texts = ["win a free prize <|endoftext|>", "<|endoftext|>see you", "see<|endoftext|> you"]
    said = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "out"), json.dumps(texts)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = [{row["label"]: row["score"] for row in rows} for rows in json.loads(said)]
    ours = [prediction.probabilities for prediction in classifier.predictor_.predict(texts)]
    for theirs, mine in zip(found, ours, strict=True):
        assert theirs == pytest.approx(mine, abs=1e-4)
