"""A tokenizer with tokens that the model's embedding lacks: what counts is what occurs in texts."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from conftest import make_model_folder
from headtune import Predictor, TextClassifier
from headtune.errors import TokenizationError
from headtune.export import FORMATS, export_run
from headtune.export.label_words import choose_label_words
from headtune.export.source import open_source
from headtune.pretrained import PretrainedFolder
from headtune.tokens import load_tokenizer, n_tokens_beyond
from headtune.tokens.tokenizer import settle_padding
from headtune.types import LabelSet
from tests_support import TEXTS, TOPICS, Heard


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``[PAD]`` (id 300) and the word "prizes" (301) were added, the 300 rows left as they are."""
    folder = make_model_folder("llama", tmp_path_factory.mktemp("base"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.add_special_tokens({"pad_token": "[PAD]"}) == 1
    assert tokenizer.add_tokens(["prizes"]) == 1
    tokenizer.save_pretrained(folder)
    return folder


Fit = Callable[..., TextClassifier]


@pytest.fixture
def fit(base: Path) -> Fit:
    return lambda tune="last-1", **more: TextClassifier(
        str(base), tune, max_steps=4, dtype="float32", device="cpu", **more
    )


@pytest.mark.parametrize("tune", ["last-1", "full"])
def test_training_prediction_and_export_go_on_without_them(
    fit: Fit, tune: str, tmp_path: Path
) -> None:
    heard = Heard()
    classifier = fit(tune, progress=heard).fit(TEXTS, TOPICS)
    said = [line for line in heard.lines if "no row in the model's embedding" in line]
    assert len(said) == 1
    assert said[0].startswith("2 tokens of the tokenizer")
    run = classifier.save(tmp_path / "run")
    texts = [*TEXTS[:4], "win [PAD]", "[PAD]"]
    expected = classifier.predict_proba(texts)
    loaded = Predictor.load(run, dtype="float32", device="cpu")
    np.testing.assert_allclose(loaded.predict_proba(texts), expected, atol=1e-6)
    export_run(run, "transformers", tmp_path / "out")
    source = open_source(run)
    assert source.tokenizer.pad_token_id < 300
    found = FORMATS["transformers"].answerer()(source, tmp_path / "out", texts)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_text_that_holds_one_is_named(fit: Fit) -> None:
    classifier = fit("head").fit(TEXTS, TOPICS)
    with pytest.raises(TokenizationError, match=r"^Row 2 holds the token 'prizes'") as refused:
        classifier.predict(["win", "win prizes"])
    assert refused.value.row == 2
    assert "id is 301, and the model's embedding has 300 rows" in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(TokenizationError, match="Row 1 holds the token 'prizes'"):
        classifier.predictor_.tokenize(["prizes"])


def test_a_text_of_the_training_data_too_before_a_weight_is_read(
    fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headtune.run.loading.assemble", lambda *args, **more: 1 / 0)
    with pytest.raises(TokenizationError, match="Row 41 holds the token 'prizes'"):
        fit().fit([*TEXTS, "prizes"], [*TOPICS, "prize"])


def test_no_text_that_acts_as_markup_reaches_the_model(fit: Fit) -> None:
    classifier = fit("head", split_special_tokens=False).fit(TEXTS, TOPICS)
    with pytest.raises(TokenizationError, match=r"Row 1 holds the token '\[PAD\]'"):
        classifier.predict(["win [PAD]"])


@pytest.mark.parametrize(("n_embeddings", "padding"), [(None, 300), (301, 300), (300, 0)])
def test_padding_has_a_row(base: Path, n_embeddings: int | None, padding: int) -> None:
    tokenizer = load_tokenizer(PretrainedFolder("tiny", base), n_embeddings=n_embeddings)
    assert tokenizer.pad_token_id == padding
    assert n_tokens_beyond(tokenizer, n_embeddings) == (302 - n_embeddings if n_embeddings else 0)
    tokenizer.eos_token = tokenizer.pad_token = "prizes"
    settle_padding(tokenizer, 300)
    assert tokenizer.pad_token_id == 0


def test_no_label_word_is_beyond(base: Path) -> None:
    tokenizer = load_tokenizer(PretrainedFolder("tiny", base))
    labels = LabelSet(("prizes", "dinner"))
    assert choose_label_words(tokenizer, labels)[0].token_id == 301
    assert all(word.token_id < 300 for word in choose_label_words(tokenizer, labels, (), 300))


def test_a_configuration_that_pads_with_one_is_read(base: Path, tmp_path: Path) -> None:
    """torch makes no embedding whose padding row is not in it."""
    folder = make_model_folder("llama", tmp_path / "base")
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(values | {"pad_token_id": 300}))
    classifier = TextClassifier(str(folder), "full", max_steps=2).fit(TEXTS, TOPICS)
    run = classifier.save(tmp_path / "run")
    assert json.loads((run / "config.json").read_text())["pad_token_id"] == 0
