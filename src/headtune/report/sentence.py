"""How the tuned model stands, in one plain sentence that does not flatter.

    On 1,523 test texts the tuned model is right on 1,290 (84.7 %; 95 % interval 82.8 to 86.4 %):
    better than always answering 'other' by 27.6 points (24.9 to 30.2, p < 0.001) and better than
    TF-IDF with logistic regression by 5.4 points (3.4 to 7.4, p < 0.001).

"Better" and "worse" are said when the exact McNemar test on the same rows gives p < 0.05 and the
95 % interval of the paired bootstrap leaves out 0; "not distinguishable from" when neither does
(``paired.py``). On few rows the two tests can disagree: then one model was "ahead of" the other or
"behind" it, with the remark that these rows are too few to tell. Points are percentage points of
accuracy. Where TF-IDF does as well, a second sentence says so: it is the cheaper model. Without a
test part the figures are those of the validation part, with the reminder that it helped to choose
the weights.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from headtune.report.entries import Opponent
from headtune.tasks.figures import HELD_BACK, BaselineFigures, HeldBack, Metrics
from headtune.tasks.metrics import accuracy_interval, count_correct
from headtune.tasks.paired import SIGNIFICANT
from headtune.wording.numbers import count, interval, p_value, percent, points

__all__ = ["BASELINE_NAMES", "Verdict", "judge", "standing"]

Verdict = Literal["better", "worse", "ahead", "behind", "not distinguishable"]

WORDS: dict[Verdict, str] = {
    "better": "better than",
    "worse": "worse than",
    "ahead": "ahead of",
    "behind": "behind",
    "not distinguishable": "not distinguishable from",
}

BASELINE_NAMES = {
    "majority": "majority class",
    "tfidf": "TF-IDF with logistic regression",
    "linear_probe": "linear probe of the frozen model",
}


def judge(entry: Opponent) -> Verdict:
    """Whether the tuned model differs from an opponent, an entry of ``comparison``.

    "ahead" and "behind" where p-value and interval disagree.
    """
    low, high = entry["interval"]
    differs = (entry["p_value"] < SIGNIFICANT, low > 0 or high < 0)
    if not any(differs):
        return "not distinguishable"
    if all(differs):
        return "better" if entry["difference"] > 0 else "worse"
    return "ahead" if entry["difference"] > 0 else "behind"


def standing(
    after: Mapping[str, Metrics | None],
    baselines: Mapping[str, BaselineFigures],
    comparison: Sequence[Opponent],
) -> str:
    """The tuned model against each baseline that it was compared with."""
    for part in reversed(HELD_BACK):
        tuned = after.get(part)
        if tuned is not None:
            entries = [entry for entry in comparison if entry["baseline"] in baselines]
            against = _against(part, entries, baselines)
            return f"{_result(part, tuned)}{against}.{_advice(part, entries)}"
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


def _against(
    part: HeldBack,
    entries: Sequence[Opponent],
    baselines: Mapping[str, BaselineFigures],
) -> str:
    """``: better than ... and better than ..., but worse than ...``."""
    text = joint = ""
    for before, entry in zip([None, *entries], entries, strict=False):
        if before is not None:
            joint = " and " if judge(entry) == judge(before) else ", but "
        text += joint + _compared(entry, baselines[entry["baseline"]][part])
    return f": {text}" if text else ""


def _compared(entry: Opponent, figures: Metrics | None) -> str:
    verdict, name = judge(entry), entry["baseline"]
    described = (
        f"always answering {_only_prediction(figures)!r}"
        if name == "majority" and figures is not None
        else ("a " if name == "linear_probe" else "") + BASELINE_NAMES[name]
    )
    low, high = entry["interval"]
    if verdict in ("worse", "behind"):
        low, high = -high, -low
    known = f"{points(low)} to {points(high)}, {p_value(entry['p_value'])}"
    if verdict == "not distinguishable":
        shown = f"(difference {points(entry['difference'])} points, {known})"
    else:
        shown = f"by {points(abs(entry['difference']))} points ({known})"
    return f"{WORDS[verdict]} {described} {shown}"


def _only_prediction(metrics: Metrics) -> str:
    """The label that a constant model predicts: the one column that is not empty."""
    columns = zip(*metrics["confusion"], strict=True)
    names: list[str] = list(metrics["per_label"])
    return next(name for name, column in zip(names, columns, strict=True) if any(column))


def _advice(part: str, entries: Sequence[Opponent]) -> str:
    verdicts = {entry["baseline"]: judge(entry) for entry in entries}
    advice = ""
    if {"ahead", "behind"} & set(verdicts.values()):
        advice += (
            ' Where it says "ahead" or "behind", interval and p-value disagree: these rows are too '
            "few to tell."
        )
    if verdicts.get("tfidf") == "not distinguishable":
        advice += " TF-IDF costs far less and may do as well here."
    elif verdicts.get("tfidf") == "worse":
        advice += " As it stands, TF-IDF is the better and the cheaper choice."
    elif verdicts.get("tfidf") == "behind":
        advice += " TF-IDF costs far less, and was ahead here."
    if part == "validation":
        advice += " The validation part helped to choose the weights, so this may flatter."
    return advice
