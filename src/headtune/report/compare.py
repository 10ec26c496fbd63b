"""Several runs side by side on the same labelled texts.

    1. labels must be the same names; columns are put in the order of the first run
    2. texts are matched by hash and true label, repeats one to one; what not all runs answered
       is left out, and how much that was is said
    3. figures of each run, and a paired test (paired.py) for each pair
    4. p-values of several pairs are adjusted by Holm's method (Scandinavian Journal of Statistics
       6, 1979): with many pairs one looks different by luck
    5. the texts on which the runs disagree, those first whose truth is judged most
       differently

A run's answer is its most probable label, whatever thresholds it has: "unsure" is no answer here.

Guarantees: the order of the runs changes signs, the order of what is listed, and whose row numbers
the texts have; no figure, and not the sentence.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from headtune.errors import PredictionError
from headtune.report.answers import Answers
from headtune.report.entries import Comparison, Disagreement, Pair, RunFigures
from headtune.tasks import Figure
from headtune.tasks.paired import SIGNIFICANT, PairedTest
from headtune.types import LabelSet
from headtune.wording.numbers import count, p_value, points

__all__ = ["compare_answers"]

Ints = npt.NDArray[np.int64]


def compare_answers(contenders: Mapping[str, Answers], *, listed: int) -> Comparison:
    """The comparison of two or more runs by name, in JSON values.

    Args:
        listed: Most rows under ``disagreements``.

    Raises:
        PredictionError: Fewer than two runs, other labels, or no text in common.
    """
    if len(contenders) < 2:
        raise PredictionError(f"A comparison needs two runs; received {len(contenders)}.")
    labels = next(iter(contenders.values())).labels
    ordered = {name: _in_order(name, answers, labels) for name, answers in contenders.items()}
    shared = {name: _take(ordered[name], rows) for name, rows in _common_rows(ordered).items()}
    first = next(iter(shared.values()))
    runs = [_figures(name, answers) for name, answers in shared.items()]
    ranked_by = first.task.headline[0]
    pairs = _pairs(shared)
    disagreements = _disagreements(shared, first)
    return {
        "n": len(first),
        "left_out": {name: len(answers) - len(first) for name, answers in contenders.items()},
        "labels": list(labels.names),
        "sentence": _sentence(runs, pairs, ranked_by),
        "runs": runs,
        "pairs": pairs,
        "n_disagreements": len(disagreements),
        "disagreements": disagreements[:listed],
    }


def _in_order(name: str, answers: Answers, labels: LabelSet) -> Answers:
    """The answers with the columns of the first run."""
    if set(answers.labels.names) != set(labels.names):
        raise PredictionError(
            f"{name} answers with {', '.join(answers.labels.names)}, the first run with "
            f"{', '.join(labels.names)}.",
            way_out="Only runs with the same labels can be compared.",
        )
    order = [answers.labels.names.index(label) for label in labels.names]
    return replace(
        answers,
        labels=labels,
        label_ids=labels.encode(answers.labels.decode(answers.label_ids)),
        probabilities=answers.probabilities[:, order],
    )


def _common_rows(contenders: Mapping[str, Answers]) -> dict[str, list[int]]:
    """Run -> the indices of the texts that all runs answered, in the order of the first."""
    keyed = {name: _keyed(answers) for name, answers in contenders.items()}
    first, *others = keyed.values()
    common = [key for key in first if all(key in other for other in others)]
    if not common:
        raise PredictionError(
            "These runs were tested on different texts: none is common to all of them.",
            way_out="Give a labelled table to test them on: headtune compare RUN RUN held-back.csv",
        )
    return {name: [rows[key] for key in common] for name, rows in keyed.items()}


def _keyed(answers: Answers) -> dict[tuple[str, int, int], int]:
    """(hash, true label, how many such were before) -> index."""
    seen: Counter[tuple[str, int]] = Counter()
    keyed = {}
    for index, key in enumerate(zip(answers.hashes, answers.label_ids.tolist(), strict=True)):
        keyed[(*key, seen[key])] = index
        seen[key] += 1
    return keyed


def _take(answers: Answers, rows: Sequence[int]) -> Answers:
    return replace(
        answers,
        rows=[answers.rows[i] for i in rows],
        texts=[answers.texts[i] for i in rows],
        hashes=[answers.hashes[i] for i in rows],
        label_ids=answers.label_ids[rows],
        probabilities=answers.probabilities[rows],
    )


def _figures(name: str, answers: Answers) -> RunFigures:
    task = answers.task
    metrics = task.metrics(answers.probabilities, answers.label_ids, answers.labels)
    return {"name": name, **metrics, "interval": list(task.interval(metrics))}


def _compared(one: Answers, other: Answers) -> PairedTest:
    return one.task.compare(one.probabilities, other.probabilities, one.label_ids)


def _pairs(shared: Mapping[str, Answers]) -> list[Pair]:
    opponents = list(combinations(shared, 2))
    tests = [_compared(shared[first], shared[second]) for first, second in opponents]
    adjusted = holm([test.p_value for test in tests])
    return [
        {
            "first": first,
            "second": second,
            "difference": test.difference,
            "interval": list(test.interval),
            "p_value": test.p_value,
            "only_first_right": test.only_first,
            "only_second_right": test.only_second,
            "adjusted_p_value": adjusted_p_value,
        }
        for (first, second), test, adjusted_p_value in zip(opponents, tests, adjusted, strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjustment, in the order of the p-values."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def _disagreements(shared: Mapping[str, Answers], first: Answers) -> list[Disagreement]:
    task, labels = first.task, first.labels
    decided = [task.decide(answers.probabilities) for answers in shared.values()]
    certain = [task.certainty(answers.probabilities) for answers in shared.values()]
    truth = np.stack(
        [task.truth_probability(a.probabilities, a.label_ids) for a in shared.values()]
    )
    differ = ~np.logical_and.reduce([task.same_answer(each, decided[0]) for each in decided])
    gaps = truth.max(axis=0) - truth.min(axis=0)  # (n,)
    rows = np.flatnonzero(differ)
    given = task.named(first.label_ids, labels)
    named = [task.named(each, labels) for each in decided]
    return [
        {
            "row": first.rows[i],
            "text": first.texts[i],
            "label": given[i],
            "answers": [
                {
                    "run": name,
                    "predicted": named[run][i],
                    "probability": float(certain[run][i]),
                }
                for run, name in enumerate(shared)
            ],
        }
        for i in rows[np.argsort(-gaps[rows], kind="stable")]
    ]


def _sentence(runs: Sequence[RunFigures], pairs: Sequence[Pair], figure: Figure) -> str:
    """The best run against the next, and whether that may be luck."""
    best, second = sorted(runs, key=lambda run: (figure.rank(figure.of(run)), run["name"]))[:2]
    pair = next(p for p in pairs if {p["first"], p["second"]} == {best["name"], second["name"]})
    texts = count(best["n"], "text")
    if pair["difference"] == 0:
        both = f"{best['name']} and {second['name']}"
        return f"On the {texts} that all answered, {both} do equally well."
    low, high = (points(end) for end in _from_best(pair, best["name"]))
    luck = pair["adjusted_p_value"] >= SIGNIFICANT
    return (
        f"On the {texts} that all answered, {best['name']} does best ({figure.written(best)} "
        f"right), {points(abs(pair['difference']))} points ahead of {second['name']} "
        f"({low} to {high}, {p_value(pair['adjusted_p_value'])}): "
        + ("that may be luck." if luck else "that is hardly luck.")
    )


def _from_best(pair: Pair, best: str) -> tuple[float, float]:
    """The interval of the best run minus the other."""
    low, high = pair["interval"]
    return (low, high) if pair["first"] == best else (-high, -low)
