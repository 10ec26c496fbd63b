"""``SingleLabel``: what stages ask of a task, against plain numpy, torch and scikit-learn."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.special import expit, logit
from scipy.special import softmax as scipy_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss
from sklearn.utils.class_weight import compute_class_weight

from headtune.errors import ConfigError, PredictionError
from headtune.tasks import SINGLE_LABEL, TASKS, Task, task_named
from headtune.tasks.decision import DecisionRule
from headtune.types import LabelSet

LABELS = LabelSet(("ham", "spam", "other"))
RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(scale=3, size=(60, 3)).astype(np.float32)
TARGETS = RANDOM.integers(3, size=60)
PROBABILITIES = SINGLE_LABEL.probabilities(LOGITS)


def test_it_has_all_that_the_protocol_asks_for() -> None:
    asked = {name for name in vars(Task) if not name.startswith("_")}
    assert {name for name in asked if not hasattr(SINGLE_LABEL, name)} == set()
    methods = {name for name in dir(SINGLE_LABEL) if not name.startswith("_")}
    assert methods == asked, "what no stage can ask of every task belongs elsewhere"
    assert deepcopy(SINGLE_LABEL) == SINGLE_LABEL


def test_tasks_are_found_by_name_and_another_is_refused() -> None:
    assert {name: task.name for name, task in TASKS.items()} == {"single-label": "single-label"}
    assert task_named("single-label") is SINGLE_LABEL
    with pytest.raises(ConfigError, match=r"no task 'riddle'.*single-label"):
        task_named("riddle")


def test_transformers_knows_its_names() -> None:
    from transformers.pipelines.text_classification import ClassificationFunction

    assert SINGLE_LABEL.problem_type == "single_label_classification"
    assert ClassificationFunction(SINGLE_LABEL.activation) is ClassificationFunction.SOFTMAX


def test_rows_without_a_label_cannot_be_measured() -> None:
    assert SINGLE_LABEL.targets(iter([2, 0])).tolist() == [2, 0]
    assert SINGLE_LABEL.targets([]).dtype == np.int64
    with pytest.raises(PredictionError, match="no label"):
        SINGLE_LABEL.targets([0, None])


@pytest.mark.parametrize("weighs", [False, True])
def test_micro_batches_add_up_to_the_loss_of_the_step(*, weighs: bool) -> None:
    found = SINGLE_LABEL.loss_weights(TARGETS, LABELS)
    weights = torch.from_numpy(found).float() if weighs else None
    logits, targets = torch.from_numpy(LOGITS), torch.from_numpy(TARGETS)
    parts = [slice(0, 10), slice(10, 60)]
    sums = sum(SINGLE_LABEL.loss_sum(logits[part], targets[part], weights) for part in parts)
    expected = torch.nn.CrossEntropyLoss(weight=weights)(logits, targets)
    assert sums / SINGLE_LABEL.step_weight(targets, weights) == pytest.approx(expected)


def test_loss_weights_are_those_of_scikit_learn() -> None:
    expected = compute_class_weight("balanced", classes=np.arange(3), y=TARGETS)
    found = SINGLE_LABEL.loss_weights(TARGETS, LABELS)
    assert found == pytest.approx(expected)
    assert found[TARGETS].mean() == pytest.approx(1)


def test_a_label_without_rows_weighs_nothing() -> None:
    found = SINGLE_LABEL.loss_weights(np.array([0, 0, 2, 2]), LABELS)
    assert found.tolist() == pytest.approx([2 / 3, 0, 2 / 3])


def test_probabilities_are_the_softmax_of_logits_over_the_temperature() -> None:
    assert SINGLE_LABEL.n_outputs(LABELS) == 3
    assert pytest.approx(scipy_softmax(LOGITS.astype(np.float64), axis=1)) == PROBABILITIES
    calm = SINGLE_LABEL.probabilities(LOGITS, 4.0)
    assert calm == pytest.approx(scipy_softmax(LOGITS.astype(np.float64) / 4, axis=1))
    assert calm.dtype == np.float64
    fitted = SINGLE_LABEL.calibrate(LOGITS, TARGETS)
    assert SINGLE_LABEL.loss(
        SINGLE_LABEL.probabilities(LOGITS, fitted), TARGETS, LABELS
    ) < SINGLE_LABEL.loss(PROBABILITIES, TARGETS, LABELS)


def test_the_answer_is_the_most_probable_label_unless_a_rule_says_otherwise() -> None:
    decided = SINGLE_LABEL.decide(PROBABILITIES)
    assert decided.tolist() == LOGITS.argmax(axis=1).tolist()
    assert SINGLE_LABEL.certainty(PROBABILITIES).tolist() == PROBABILITIES.max(axis=1).tolist()
    rule = DecisionRule(abstain_below=0.9)
    careful = SINGLE_LABEL.decide_by(rule, PROBABILITIES, LABELS)
    sure = PROBABILITIES.max(axis=1) >= 0.9
    assert SINGLE_LABEL.same_answer(careful, decided).tolist() == sure.tolist()
    words = SINGLE_LABEL.named(careful, LABELS)
    assert set(words) <= set(SINGLE_LABEL.possible_answers(LABELS, rule))
    assert [word == "unsure" for word in words] == (~sure).tolist()
    answers = SINGLE_LABEL.answers(rule, PROBABILITIES, LABELS)
    assert [answer.label for answer in answers] == words
    assert SINGLE_LABEL.possible_answers(LABELS, DecisionRule()) == LABELS.names


def test_the_runner_up_is_the_best_of_the_other_labels() -> None:
    found = SINGLE_LABEL.runner_up(PROBABILITIES, TARGETS)
    assert (found != TARGETS).all()
    last = 3 - found - TARGETS
    rows = np.arange(len(TARGETS))
    assert (PROBABILITIES[rows, found] >= PROBABILITIES[rows, last]).all()
    truth = SINGLE_LABEL.truth_probability(PROBABILITIES, TARGETS)
    assert truth == pytest.approx(1 - PROBABILITIES[rows, found] - PROBABILITIES[rows, last])


def test_log_odds_are_those_of_the_probabilities() -> None:
    found = SINGLE_LABEL.log_odds(LOGITS, 1)
    assert found == pytest.approx(logit(PROBABILITIES[:, 1]))
    assert expit(found) == pytest.approx(PROBABILITIES[:, 1])
    far = np.array([[500.0, 0.0, 0.0]])  # where the probability is 1
    assert SINGLE_LABEL.log_odds(far, 0)[0] == pytest.approx(500 - np.log(2))
    tensor = torch.tensor(LOGITS, requires_grad=True)
    odds = SINGLE_LABEL.log_odds_of_tensor(tensor, 1)
    assert odds.detach().numpy() == pytest.approx(found, abs=1e-5)
    torch.autograd.backward(odds.sum())
    assert tensor.grad is not None
    assert tensor.grad[:, 1].tolist() == pytest.approx([1.0] * 60)


def test_figures_are_those_of_scikit_learn() -> None:
    predicted = LOGITS.argmax(axis=1)
    metrics = SINGLE_LABEL.metrics(PROBABILITIES, TARGETS, LABELS)
    assert tuple(metrics) == SINGLE_LABEL.metric_keys
    assert SINGLE_LABEL.evaluation(metrics) == {
        "loss": pytest.approx(log_loss(TARGETS, PROBABILITIES)),
        "accuracy": accuracy_score(TARGETS, predicted),
        "macro_f1": pytest.approx(f1_score(TARGETS, predicted, average="macro")),
    }
    assert SINGLE_LABEL.loss(PROBABILITIES, TARGETS, LABELS) == metrics["log_loss"]
    assert SINGLE_LABEL.is_right(PROBABILITIES, TARGETS).mean() == metrics["accuracy"]
    counts = SINGLE_LABEL.confusion(PROBABILITIES, TARGETS, LABELS)
    assert counts == confusion_matrix(TARGETS, predicted).tolist() == metrics["confusion"]
    low, high = SINGLE_LABEL.interval(metrics)
    assert low < metrics["accuracy"] < high
    assert SINGLE_LABEL.interval({key: metrics[key] for key in ("n", "accuracy")}) == (low, high)


def test_two_classifiers_are_compared_by_the_rows_that_one_gets_right() -> None:
    others = PROBABILITIES[:, [1, 2, 0]]
    test = SINGLE_LABEL.compare(PROBABILITIES, others, TARGETS)
    right = PROBABILITIES.argmax(axis=1) == TARGETS
    other_right = others.argmax(axis=1) == TARGETS
    assert test.only_first == (right & ~other_right).sum()
    assert test.only_second == (other_right & ~right).sum()


def test_figures_know_which_way_is_better() -> None:
    loss, accuracy = (SINGLE_LABEL.best_metric(name) for name in ("loss", "accuracy"))
    assert loss.is_better(0.1, 0.2)
    assert not loss.is_better(0.2, 0.2)
    assert accuracy.is_better(0.2, 0.1)
    assert not accuracy.is_better(0.2, 0.2)
    assert sorted([0.3, 0.1, 0.2], key=accuracy.rank) == [0.3, 0.2, 0.1]
    assert sorted([0.3, 0.1, 0.2], key=loss.rank) == [0.1, 0.2, 0.3]
    metrics = {"accuracy": 0.9721, "macro_f1": 0.9, "log_loss": 0.0812}
    written = [figure.written(metrics) for figure in SINGLE_LABEL.headline]
    assert written == ["97.2 %", "90.0 %", "0.081"]
    with pytest.raises(ConfigError, match=r"'recall'; .*loss, accuracy, macro_f1"):
        SINGLE_LABEL.best_metric("recall")


def test_every_best_metric_that_can_be_asked_for_is_there() -> None:
    from typing import get_args

    from headtune.options.train import EvaluationMetric

    options = tuple(figure.option for figure in SINGLE_LABEL.best_metrics)
    assert options == get_args(EvaluationMetric)


def test_linear_models_are_those_of_scikit_learn() -> None:
    features = RANDOM.normal(size=(60, 4))
    model = SINGLE_LABEL.fit_linear(features, TARGETS, 0.5)
    found = SINGLE_LABEL.linear_probabilities(model, features, LABELS)
    twin = LogisticRegression(C=0.5, max_iter=1000).fit(features, TARGETS)
    assert found == pytest.approx(twin.predict_proba(features))
    only = SINGLE_LABEL.fit_linear(features, np.ones(60, dtype=np.int64), 0.5)
    alone = SINGLE_LABEL.linear_probabilities(only, features[:2], LABELS)
    assert alone.tolist() == [[0.0, 1.0, 0.0]] * 2
    shares = SINGLE_LABEL.constant(np.array([0, 0, 2, 1]), 2, LABELS)
    assert shares.tolist() == [[0.5, 0.25, 0.25]] * 2
