"""sample_weight, class_weight and what scikit-learn does with them."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.utils.validation import has_fit_parameter

from headtune import TextClassifier
from headtune.errors import ConfigError, DataError, LabelError
from headtune.types import row_weights
from tests_support import TEXTS, TOPICS

WEIGHTS = np.random.default_rng(1).uniform(0.2, 4.0, 40)


@pytest.fixture(scope="module")
def estimator(tiny_llama: Path) -> TextClassifier:
    return TextClassifier(
        str(tiny_llama),
        "last-1",
        epochs=2,
        learning_rate=5e-3,
        batch_size=8,
        validation_fraction=0.25,
    )


def probabilities(estimator: TextClassifier, weights: Any, **parameters: Any) -> Any:
    classifier = clone(estimator).set_params(**parameters)
    return classifier.fit(TEXTS, TOPICS, sample_weight=weights).predict_proba(TEXTS)


def test_the_scale_of_weights_plays_no_role_and_equal_ones_are_none(
    estimator: TextClassifier,
) -> None:
    found = probabilities(estimator, WEIGHTS)
    np.testing.assert_array_equal(probabilities(estimator, WEIGHTS.tolist()), found)
    np.testing.assert_array_equal(probabilities(estimator, pd.Series(WEIGHTS * 1024)), found)
    plain = probabilities(estimator, None)
    np.testing.assert_array_equal(probabilities(estimator, [0.3] * 40), plain)
    assert np.abs(found - plain).max() > 1e-3


def test_a_text_of_weight_zero_is_as_if_it_were_not_there(estimator: TextClassifier) -> None:
    weights = np.where(np.arange(40) % 3 == 0, 0.0, WEIGHTS)
    left = [i for i in range(40) if weights[i]]
    without = clone(estimator).fit(
        [TEXTS[i] for i in left], [TOPICS[i] for i in left], sample_weight=weights[left]
    )
    found = probabilities(estimator, weights)
    np.testing.assert_array_equal(found, without.predict_proba(TEXTS))


def test_weights_go_with_their_rows_into_both_parts_and_choose_the_best(
    estimator: TextClassifier,
) -> None:
    classifier = clone(estimator).fit(TEXTS, TOPICS, sample_weight=WEIGHTS)
    parts, mean = classifier.fitted_.encoded.parts, WEIGHTS.mean()
    assert [len(part) for part in parts.values()] == [30, 10, 0]
    for example in (*parts["train"], *parts["validation"]):
        assert example.weight == pytest.approx(WEIGHTS[example.row - 1] / mean)
    weights = row_weights(parts["validation"])
    targets = [example.label for example in parts["validation"]]
    fitted = classifier.fitted_
    logits, task = fitted.logits["validation"], fitted.task
    assert fitted.settled.temperature == task.calibrate(logits, np.array(targets), weights)
    losses = [row["validation_loss"] for row in classifier.history_ if "validation_loss" in row]
    best = log_loss(targets, task.probabilities(logits), labels=[0, 1], sample_weight=weights)
    assert min(losses) == pytest.approx(best, rel=1e-4)
    after = fitted.after["validation"]
    assert after is not None
    calibrated = task.probabilities(logits, fitted.settled.temperature)
    expected = log_loss(targets, calibrated, labels=[0, 1], sample_weight=weights)
    assert after["log_loss"] == pytest.approx(expected)


def test_texts_held_back_by_the_caller_have_weights_of_their_own(
    estimator: TextClassifier,
) -> None:
    """As many copies as they weigh, and those of weight 0 not at all."""
    texts, topics = ["a free prize", "at dinner", "claim cash"], ["dinner", "dinner", "prize"]
    parts = [
        (texts, topics, [0, 1, 2]),
        ([texts[i] for i in (1, 2, 2)], [topics[i] for i in (1, 2, 2)]),
    ]
    ours, theirs = (clone(estimator).fit(TEXTS, TOPICS, validation=part) for part in parts)
    assert len(ours.fitted_.encoded.parts["validation"]) == 2
    assert ours.history_[-1]["validation_loss"] == pytest.approx(
        theirs.history_[-1]["validation_loss"], rel=1e-5
    )


def test_measuring_with_weights(estimator: TextClassifier) -> None:
    classifier = clone(estimator).set_params(max_steps=1).fit(TEXTS, TOPICS)
    weights = np.where(np.arange(40) < 5, 0.0, WEIGHTS)
    expected = accuracy_score(TOPICS, classifier.predict(TEXTS), sample_weight=weights)
    assert classifier.score(TEXTS, TOPICS, weights) == pytest.approx(expected)
    found = classifier.evaluate(TEXTS, TOPICS, sample_weight=weights)
    assert found["accuracy"] == pytest.approx(expected)
    assert found["n"] == 35
    loss = log_loss(TOPICS, classifier.predict_proba(TEXTS), sample_weight=weights)
    assert found["log_loss"] == pytest.approx(loss)


@pytest.mark.parametrize("method", ["fit", "score", "evaluate"])
@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1.0] * 39, r"one number for each of 40 texts; received shape \(39,\)"),
        (np.ones((40, 1)), r"received shape \(40, 1\)"),
        (2.0, r"received shape \(\)"),
        ([1.0] * 39 + [-1.0], r"Weight 39 \(counted from 0\) is -1"),
        ([math.nan] + [1.0] * 39, r"Weight 0 \(counted from 0\) is nan"),
        ([1.0] * 39 + [math.inf], "is inf; expected a finite number"),
        ([0] * 40, "All weights are 0"),
        (["heavy"] * 40, "must be numbers; received list"),
        (pd.array([1.0] * 39 + [None], dtype="Float64"), "must be numbers|is nan"),
    ],
)
def test_weights_that_are_none_are_refused_in_one_line(
    estimator: TextClassifier, fitted: TextClassifier, method: str, weights: Any, says: str
) -> None:
    classifier = clone(estimator) if method == "fit" else fitted
    with pytest.raises(DataError, match=says) as refused:
        getattr(classifier, method)(TEXTS, TOPICS, sample_weight=weights)
    assert refused.value.option == "sample_weight"
    assert "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def fitted(estimator: TextClassifier) -> TextClassifier:
    classifier: TextClassifier = clone(estimator).fit(TEXTS, TOPICS)
    return classifier


def test_a_label_whose_texts_all_weigh_nothing_cannot_be_learned(
    estimator: TextClassifier,
) -> None:
    weights = [float(topic == "prize") for topic in TOPICS]
    with pytest.raises(LabelError, match="Every text of the label 'dinner' has weight 0"):
        clone(estimator).fit(TEXTS, TOPICS, sample_weight=weights)


def test_weights_of_labels_by_the_name_of_scikit_learn(
    estimator: TextClassifier, tmp_path: Path
) -> None:
    uneven = np.where(np.arange(40) < 30, 1, 0)
    balanced = clone(estimator).set_params(class_weight="balanced").fit(TEXTS, uneven)
    ours = clone(estimator).set_params(balance="weights").fit(TEXTS, uneven)
    np.testing.assert_array_equal(balanced.predict_proba(TEXTS), ours.predict_proba(TEXTS))
    train = [example.label for example in balanced.fitted_.encoded.parts["train"]]
    counts = np.bincount(np.array(train))
    by_hand = {0: 1.0, 1: np.float64(counts[0] / counts[1])}
    given = clone(estimator).set_params(class_weight=by_hand).fit(TEXTS, uneven)
    np.testing.assert_allclose(given.predict_proba(TEXTS), ours.predict_proba(TEXTS), atol=1e-4)
    loaded = TextClassifier.load(given.save(tmp_path / "run"))
    assert loaded.class_weight == {"0": 1.0, "1": by_hand[1]}
    again = clone(loaded).set_params(validation_fraction=0.25).fit(TEXTS, uneven)
    np.testing.assert_allclose(again.predict_proba(TEXTS), given.predict_proba(TEXTS), atol=1e-5)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"class_weight": "balance"}, 'must be "balanced", a dict of labels or None'),
        ({"class_weight": [1, 2]}, r"received \[1, 2\]"),
        ({"class_weight": {"prize": -1}}, r"class_weight= takes a label and .* 'prize=-1'"),
        ({"class_weight": {"prize": "much"}}, "class_weight= takes a label"),
        ({"class_weight": {"price": 2}}, "label 'price', which is not among the labels"),
        ({"class_weight": {"prize": 2}, "balance": "weights"}, "both weigh labels"),
        ({"class_weight": "balanced", "balance": "oversample"}, 'balance="oversample"'),
    ],
    ids=str,
)
def test_weights_of_labels_that_cannot_be_used(
    estimator: TextClassifier, parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        clone(estimator).set_params(**parameters).fit(TEXTS, TOPICS)
    assert refused.value.option == "class_weight"


def test_scikit_learn_hands_weights_on(estimator: TextClassifier) -> None:
    """By slices of its own, and where metadata is routed."""
    assert has_fit_parameter(estimator, "sample_weight")
    quick = clone(estimator).set_params(max_steps=2, validation_fraction=0)
    found = cross_validate(
        quick, TEXTS, TOPICS, cv=2, params={"sample_weight": WEIGHTS}, return_estimator=True
    )
    for each, (rows, _) in zip(
        found["estimator"], StratifiedKFold(2).split(TEXTS, TOPICS), strict=True
    ):
        weights = row_weights(each.fitted_.encoded.parts["train"])
        assert weights is not None
        np.testing.assert_allclose(weights, WEIGHTS[rows] / WEIGHTS[rows].mean())
    grid = GridSearchCV(quick, {"learning_rate": [1e-3]}, cv=2)
    grid.fit(TEXTS, TOPICS, sample_weight=WEIGHTS)
    with sklearn.config_context(enable_metadata_routing=True):
        asked = vars(quick.get_metadata_routing())
        assert asked["fit"].requests == {"sample_weight": None, "validation": None}
        assert asked["score"].requests == {"sample_weight": None}
        assert asked["predict"].requests == {}
        asking = clone(quick).set_fit_request(sample_weight=True)
        asking.set_score_request(sample_weight=True)
        routed = cross_validate(asking, TEXTS, TOPICS, cv=2, params={"sample_weight": WEIGHTS})
        assert len(routed["test_score"]) == 2


def test_there_is_no_partial_fit_and_that_has_a_reason() -> None:
    assert not hasattr(TextClassifier(), "partial_fit")
    assert not hasattr(TextClassifier(), "set_output")
    assert not hasattr(TextClassifier(), "get_feature_names_out")
    with pytest.raises(AttributeError, match="Call fit with old and new texts"):
        _ = TextClassifier().partial_fit
