"""How the tuned model stands, in one plain sentence that does not flatter.

    On 1,523 test texts the tuned model is right on 1,290 (84.7 %; 95 % interval 82.8 to 86.4 %):
    better than always answering 'other' (870 right, 57.1 %) and better than TF-IDF with
    logistic regression (1,208 right, 79.3 %).

"Better" and "worse" are said when the 95 % interval of the difference leaves out zero, else the
two "cannot be told apart". Where TF-IDF does as well, a second sentence says so: it is the cheaper
model. Without a test part the figures are those of the validation part, with the reminder that it
helped to choose the weights.
"""

from collections.abc import Mapping
from typing import Any, Literal

from headtune.metrics import (
    Metrics,
    accuracy_difference_interval,
    accuracy_interval,
    count_correct,
)
from headtune.report.figures import count, interval, percent

__all__ = ["BASELINE_NAMES", "Verdict", "judge", "standing"]

Verdict = Literal["better", "worse", "not distinguishable"]

WORDS: dict[Verdict, str] = {
    "better": "better than",
    "worse": "worse than",
    "not distinguishable": "not distinguishable from",
}

BASELINE_NAMES = {
    "majority": "majority class",
    "tfidf_logistic_regression": "TF-IDF with logistic regression",
}


def judge(metrics: Metrics, other: Metrics) -> Verdict:
    """Whether the first model's accuracy differs from the other's, on the same rows."""
    low, high = accuracy_difference_interval(
        count_correct(metrics), count_correct(other), metrics["n"]
    )
    if low > 0:
        return "better"
    return "worse" if high < 0 else "not distinguishable"


def standing(
    after: Mapping[str, Metrics | None], baselines: Mapping[str, Mapping[str, Any]]
) -> str:
    """The tuned model against each baseline, on test, else on validation."""
    for part in ("test", "validation"):
        tuned = after.get(part)
        if tuned is not None:
            others = {name: parts[part] for name, parts in baselines.items() if parts.get(part)}
            return f"{_result(part, tuned)}{_against(tuned, others)}.{_advice(part, tuned, others)}"
    return (
        "No part of the data was held back, so nothing is known about how the tuned model does "
        "on new texts."
    )


def _result(part: str, tuned: Metrics) -> str:
    n, right = tuned["n"], count_correct(tuned)
    low, high = accuracy_interval(right, n)
    return (
        f"On {count(n, f'{part} text')} the tuned model is right on {right:,} "
        f"({percent(right / n)}; 95 % interval {interval(low, high)})"
    )


def _against(tuned: Metrics, others: Mapping[str, Metrics]) -> str:
    """``: better than ... and better than ...``, or ``but`` where the verdicts differ."""
    verdicts = [judge(tuned, other) for other in others.values()]
    comparisons = [
        f"{WORDS[verdict]} {_described(name, other)}"
        for verdict, (name, other) in zip(verdicts, others.items(), strict=True)
    ]
    joint = " and " if len(set(verdicts)) == 1 else " but "
    return f": {joint.join(comparisons)}" if comparisons else ""


def _described(name: str, metrics: Metrics) -> str:
    right = count_correct(metrics)
    figures = f"({right:,} right, {percent(right / metrics['n'])})"
    if name == "majority":
        return f"always answering {_only_prediction(metrics)!r} {figures}"
    return f"{BASELINE_NAMES.get(name, name)} {figures}"


def _only_prediction(metrics: Metrics) -> str:
    """The label that a constant model predicts: the one column that is not empty."""
    columns = zip(*metrics["confusion"], strict=True)
    names: list[str] = list(metrics["per_label"])
    return next(name for name, column in zip(names, columns, strict=True) if any(column))


def _advice(part: str, tuned: Metrics, others: Mapping[str, Metrics]) -> str:
    advice = ""
    tfidf = others.get("tfidf_logistic_regression")
    verdict = judge(tuned, tfidf) if tfidf else "better"
    if verdict == "not distinguishable":
        advice += " TF-IDF costs far less and may do as well here."
    elif verdict == "worse":
        advice += " As it stands, TF-IDF is the better and the cheaper choice."
    if part == "validation":
        advice += " The validation part helped to choose the weights, so this may flatter."
    return advice
