"""TextClassifier keeps scikit-learn's manners."""

import copy
import inspect
import pickle
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from headtune import TextClassifier
from headtune.classifier.parameters import run_config
from headtune.errors import (
    ArtifactError,
    ConfigError,
    DataError,
    LabelError,
    PredictionError,
    SplitError,
)
from headtune.model.speed import few_rows
from headtune.options import STAGES, RunConfig
from tests_support import TEXTS, TOPICS

LEFT_OUT = {
    "how a table is read, and which columns it has; fit gets texts and labels": (
        "text", "label", "template", "encoding", "delimiter", "quoting", "header", "strict",
        "quote", "escape", "comment", "skip_lines", "label_file", "missing",
        "max_unpacked", "group_by", "split_by_time", "split_column", "validation_file", "test_file",
    ),
    "validation_fraction and seed divide the texts; nothing is written": (
        "split", "split_seed", "save_split",
    ),
    "how predictions are computed; TextClassifier.load takes it": ("compute", "exact"),
    "fit cannot be resumed": ("checkpoint_minutes",),
    "trackers write beside a run, and fit leaves nothing; history_ is for all": ("report_to",),
    "class_weight says it, with labels of any type": ("label_weight",),
    "several processes are launched for the command line": ("rendezvous_timeout",),
    "fit makes no report": (
        "baselines", "linear_probe", "suspect_labels", "page", "predictions",
    ),
}  # fmt: skip
"""Options that the estimator does not take, and why."""


@pytest.fixture(scope="module")
def estimator(tiny_llama: Path) -> TextClassifier:
    return TextClassifier(str(tiny_llama), "last-1", epochs=3, learning_rate=5e-3, batch_size=8)


@pytest.fixture(scope="module")
def fitted(estimator: TextClassifier) -> TextClassifier:
    classifier: TextClassifier = clone(estimator).fit(TEXTS, TOPICS)
    return classifier


def test_clone_is_unfitted_and_has_the_same_parameters(fitted: TextClassifier) -> None:
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(["hello"])


def test_parameters_are_the_options_with_their_defaults() -> None:
    signature = inspect.signature(TextClassifier).parameters
    options = {f.name: f.default for cls in STAGES.values() for f in fields(cls)}
    own = {"validation_fraction", "progress", "class_weight"}
    left_out = {name for names in LEFT_OUT.values() for name in names}
    assert signature.keys() - own == options.keys() - left_out
    assert left_out <= options.keys()
    assert {name: signature[name].default for name in signature.keys() - own} == {
        name: options[name] for name in signature.keys() - own
    }


def through_pickle(fitted: TextClassifier) -> TextClassifier:
    again: TextClassifier = pickle.loads(pickle.dumps(fitted))  # noqa: S301 (our own bytes)
    return again


@pytest.mark.parametrize("copied", [copy.deepcopy, through_pickle])
def test_a_fitted_classifier_can_be_copied(
    estimator: TextClassifier,
    copied: Callable[[TextClassifier], TextClassifier],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As joblib does; also after single texts have had its weights packed, which stay behind."""
    monkeypatch.setattr(few_rows, "pays", lambda dtype, device: True)
    fitted = clone(estimator).fit(TEXTS, TOPICS)
    for _ in range(4):
        expected = fitted.predict_proba(TEXTS[:1])
    assert any(hasattr(m, "few_rows") for m in fitted.predictor_.classifier.modules())
    np.testing.assert_allclose(copied(fitted).predict_proba(TEXTS[:1]), expected, atol=1e-6)


def test_predictions(fitted: TextClassifier) -> None:
    texts = ["a free prize", "dinner tonight"]
    assert fitted.classes_.tolist() == ["dinner", "prize"]
    assert fitted.predict(texts).tolist() == ["prize", "dinner"]
    probabilities = fitted.predict_proba(texts)
    assert probabilities.shape == (2, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert fitted.score(TEXTS, TOPICS) > 0.9
    metrics = fitted.evaluate(TEXTS, TOPICS)
    assert metrics["accuracy"] == fitted.score(TEXTS, TOPICS)
    assert metrics["n"] == 40


@pytest.mark.parametrize(
    ("values", "kind"), [([1] * 20 + [0] * 20, np.integer), ([True] * 20 + [False] * 20, np.bool_)]
)
def test_labels_come_back_as_they_were_given(
    estimator: TextClassifier, values: list[Any], kind: type, tmp_path: Path
) -> None:
    classifier = clone(estimator).fit(np.array(TEXTS), pd.Series(values))
    assert isinstance(classifier.classes_[0], kind)
    assert classifier.classes_.tolist() == sorted(set(values))
    assert classifier.score(TEXTS, values) > 0.9
    loaded = TextClassifier.load(classifier.save(tmp_path / "run"))
    assert loaded.score(TEXTS, values) == classifier.score(TEXTS, values)


@pytest.mark.parametrize("prize", ["Zed", "9", "2"])
@pytest.mark.parametrize("dinner", ["apple", "10"])
def test_scorers_find_the_columns_where_they_look(
    estimator: TextClassifier, prize: str, dinner: str, tmp_path: Path
) -> None:
    """They take the sorted labels for the columns, whatever order headtune has them in."""
    labels = [{"prize": prize, "dinner": dinner}[topic] for topic in TOPICS]
    classifier = clone(estimator).fit(TEXTS, labels)
    loaded = TextClassifier.load(classifier.save(tmp_path / "run"))
    for each in (classifier, loaded, through_pickle(classifier)):
        assert each.classes_.tolist() == sorted([prize, dinner])
        probabilities = each.predict_proba(TEXTS)
        assert each.classes_[probabilities.argmax(axis=1)].tolist() == each.predict(TEXTS).tolist()
        assert get_scorer("roc_auc")(each, TEXTS, labels) > 0.9
        loss = each.evaluate(TEXTS, labels)["log_loss"]
        assert get_scorer("neg_log_loss")(each, TEXTS, labels) == pytest.approx(-loss)


def test_labels_of_several_types_keep_an_order(estimator: TextClassifier) -> None:
    values = [1 if topic == "prize" else "b" for topic in TOPICS]
    classifier = clone(estimator).set_params(max_steps=1).fit(TEXTS, values)
    assert set(classifier.classes_.tolist()) == {1, "b"}
    assert set(classifier.predict(TEXTS).tolist()) <= {1, "b"}


def test_a_loaded_classifier_has_the_parameters_of_its_run(
    estimator: TextClassifier, tmp_path: Path
) -> None:
    given = clone(estimator).set_params(max_steps=1, balance="weights", cache_limit="1GB")
    loaded = TextClassifier.load(given.fit(TEXTS, TOPICS).save(tmp_path / "run"), device="cpu")
    found, expected = loaded.get_params(), given.get_params()
    of_the_machine = {"cache_limit", "device", "dtype", "max_tokens_per_batch"}
    assert {name for name in found if found[name] != expected[name]} <= of_the_machine | {
        "max_length",  # as it was resolved
    }
    assert (found["device"], found["cache_limit"]) == ("cpu", "20GB")
    again = clone(loaded).fit(TEXTS, TOPICS)
    np.testing.assert_allclose(again.predict_proba(TEXTS), loaded.predict_proba(TEXTS), atol=1e-5)


@pytest.mark.parametrize("method", ["fit", "predict", "predict_proba", "score"])
@pytest.mark.parametrize("given", [pd.DataFrame({"text": TEXTS}), {"text": TEXTS}])
def test_a_table_is_not_taken_for_texts(fitted: TextClassifier, method: str, given: Any) -> None:
    labels = (TOPICS,) if method in ("fit", "score") else ()
    with pytest.raises(DataError, match=r"received a (DataFrame|dict)\. Give one column of it"):
        getattr(copy.copy(fitted), method)(given, *labels)


def test_cross_validation_pipeline_and_grid(estimator: TextClassifier) -> None:
    assert cross_val_score(estimator, TEXTS, TOPICS, cv=2).min() > 0.8
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = Pipeline([("lower", lower), ("classify", clone(estimator))])
    assert pipeline.fit(TEXTS, TOPICS).score(TEXTS, TOPICS) > 0.9
    grid = GridSearchCV(estimator, {"learning_rate": [1e-7, 5e-3]}, cv=2).fit(TEXTS, TOPICS)
    assert grid.best_params_ == {"learning_rate": 5e-3}


def test_the_same_seed_gives_the_same_bits(
    estimator: TextClassifier, fitted: TextClassifier
) -> None:
    again = clone(estimator).fit(TEXTS, TOPICS)
    assert np.array_equal(again.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    other = clone(estimator).set_params(seed=7).fit(TEXTS, TOPICS)
    assert not np.array_equal(other.predict_proba(TEXTS), fitted.predict_proba(TEXTS))


def test_given_validation_texts_are_used(estimator: TextClassifier) -> None:
    classifier = clone(estimator).fit(TEXTS, TOPICS, validation=(TEXTS[:3], TOPICS[:3]))
    assert len(classifier.fitted_.encoded.parts["validation"]) == 3
    assert len(classifier.fitted_.encoded.parts["train"]) == 40
    assert "validation_loss" in classifier.history_[-1]


def test_without_validation_all_texts_are_learned_from(estimator: TextClassifier) -> None:
    classifier = clone(estimator).set_params(validation_fraction=0.0, max_steps=1)
    assert len(classifier.fit(TEXTS, TOPICS).fitted_.encoded.parts["train"]) == 40


def test_what_cannot_be_used_is_refused(estimator: TextClassifier, fitted: TextClassifier) -> None:
    for texts, labels in (("one text", ["a"]), (["a", "b"], ["x"]), (["a", ""], ["x", "y"])):
        with pytest.raises(DataError):
            clone(estimator).fit(texts, labels)
    with pytest.raises(PredictionError, match="Text 2 of 2"):
        fitted.predict(["fine", " "])


def test_every_parameter_reaches_its_stage(tmp_path: Path) -> None:
    as_people_write_them: dict[str, Any] = {"lora_targets": ["q_proj"], "epochs": np.int64(2)}
    classifier = TextClassifier(
        **as_people_write_them,
        revision="v2",
        lora_bias="lora_only",
        max_gradient_norm=0.5,
        gradient_checkpointing=True,
        keep_best=False,
        log_steps=3,
        threshold=("prize=0.9",),
        offload_folder=str(tmp_path),
        seed=7,
    )
    config = run_config(clone(classifier).get_params())
    assert (config.model.revision, config.machine.offload_folder) == ("v2", tmp_path)
    assert (config.tune.lora_bias, config.tune.lora_targets) == ("lora_only", ("q_proj",))
    train = config.train
    assert (train.epochs, train.max_gradient_norm, train.log_steps) == (2.0, 0.5, 3)
    assert (train.gradient_checkpointing, train.keep_best, train.seed) == (True, False, 7)
    assert config.decide.threshold == ("prize=0.9",)
    assert config == RunConfig.from_dict(config.to_dict())


def test_a_parameter_of_the_wrong_kind_is_refused() -> None:
    for wrong in ({"epochs": "many"}, {"lora_bias": "some"}, {"learning_rate": float("nan")}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            run_config(TextClassifier(**wrong).get_params())


def test_a_classifier_can_be_unsure(estimator: TextClassifier) -> None:
    unsure = clone(estimator).set_params(abstain_below=1.0).fit(TEXTS, TOPICS)
    assert set(unsure.predict(TEXTS)) == {"unsure"}
    assert unsure.classes_.tolist() == ["dinner", "prize"]


@pytest.mark.parametrize(
    ("validation", "says"),
    [
        (([], []), "received none"),
        ((["a text"], []), "1 text and 0 labels"),
        ((["a text", None], ["prize", "prize"]), "expected str: None"),
        ((["a text", " "], ["prize", "prize"]), "is empty"),
        ((["a text"], ["unheard of"]), "unheard of"),
    ],
)
def test_validation_texts_are_checked_like_the_others(
    estimator: TextClassifier, validation: Any, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        clone(estimator).fit(TEXTS, TOPICS, validation=validation)


@pytest.mark.parametrize("method", ["score", "evaluate"])
def test_as_many_labels_as_texts_are_expected(fitted: TextClassifier, method: str) -> None:
    with pytest.raises(DataError, match="received 40 texts and 39 labels"):
        getattr(fitted, method)(TEXTS, TOPICS[:-1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("evaluations_per_epoch", 0),
        ("early_stopping", -1),
        ("weight_decay", -0.1),
        ("max_gradient_norm", -1.0),
        ("warmup", -0.5),
        ("lora_alpha", 0.0),
        ("lora_alpha", -3.0),
        ("max_steps", 0),
        ("epochs", 0.0),
        ("learning_rate", float("nan")),
        ("seed", -1),
        ("seed", 2**32),
        ("validation_fraction", None),
        ("validation_fraction", 1.0),
    ],
)
def test_numbers_out_of_range_are_refused(
    estimator: TextClassifier, name: str, value: object
) -> None:
    with pytest.raises(ConfigError, match=f"{name}|{name.replace('_', '-')}"):
        clone(estimator).set_params(**{name: value}).fit(TEXTS, TOPICS)


@pytest.mark.parametrize("share", [0.1, 1e-9, 1 - 1e-9])
def test_too_few_texts_to_hold_some_back(share: float) -> None:
    """The caller gave no split and has no such option."""
    few = TextClassifier(validation_fraction=share)
    with pytest.raises(SplitError) as refused:
        few.fit(["call now", "see you"], ["spam", "ham"])
    assert refused.value.option == "validation_fraction"
    assert str(refused.value) == (
        f"2 texts cannot be divided by validation_fraction={share}: one of the two parts would be "
        "empty. Give more texts, or keep none back: validation_fraction=0."
    )


@pytest.mark.parametrize("asked", [{"early_stopping": 2}, {"target_recall": ("prize=0.9",)}])
def test_what_needs_a_validation_part_names_the_parameter_that_makes_one(
    estimator: TextClassifier, asked: dict[str, Any]
) -> None:
    without = clone(estimator).set_params(validation_fraction=0, **asked)
    with pytest.raises(ConfigError, match=r"; see validation_fraction=\.") as refused:
        without.fit(TEXTS, TOPICS)
    assert refused.value.option == next(iter(asked))


def test_texts_of_one_label_have_no_column_to_be_named() -> None:
    with pytest.raises(LabelError) as refused:
        TextClassifier().fit(["call now", "see you"], ["spam", "spam"])
    assert (refused.value.option, refused.value.way_out) == ("labels", "")


def test_a_folder_in_use_is_replaced_by_the_names_of_save(
    fitted: TextClassifier, tmp_path: Path
) -> None:
    (tmp_path / "own").write_text("mine")
    with pytest.raises(ArtifactError, match=r"another folder with path=, .* overwrite=True\.$"):
        fitted.save(tmp_path)
