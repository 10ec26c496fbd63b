"""What a fitted classifier's validation part settles: its temperature, and its thresholds.

    logits of validation  ->  temperature  ->  probabilities  ->  thresholds for wanted precision
                                                                  or recall

The test part is never looked at. Without a validation part the temperature is 1, and thresholds can
only be given, not found; ``check_decisions`` says so before anything is trained.
"""

from dataclasses import dataclass, field

from headtune.errors import ConfigError, option
from headtune.options import DecideConfig, RunConfig
from headtune.options.written import parse_shares, parse_weights
from headtune.tasks.conformal import SetRule
from headtune.tasks.decision import (
    DecisionRule,
    check_label,
    threshold_for_precision,
    threshold_for_recall,
)
from headtune.tasks.single_label import SINGLE_LABEL
from headtune.tasks.task import Chances, Logits, Probabilities, RowWeights, Targets, Task
from headtune.types import LabelSet, PreparedData

__all__ = ["Settled", "check_decisions", "settle"]


@dataclass(frozen=True, slots=True)
class Settled:
    """``n_rows`` validation rows gave the temperature; 0 where it was not fitted.

    ``sets``, from ``n_set_rows``, makes sets of labels, where a coverage was asked for. ``notes``
    say which thresholds could not be found, and where sets hold all labels.
    """

    temperature: float = 1.0
    n_rows: int = 0
    rule: DecisionRule = field(default_factory=DecisionRule)
    sets: SetRule | None = None
    n_set_rows: int = 0
    notes: tuple[str, ...] = ()


def check_decisions(config: RunConfig, prepared: PreparedData) -> None:
    """Raises ``ConfigError`` where thresholds or weights name no label, or none can be found."""
    decide, labels = config.decide, prepared.labels
    for name in parse_weights("label_weight", config.data.label_weight):
        check_label(name, labels, "label_weight")
    for items in (decide.threshold, decide.target_precision, decide.target_recall):
        for name in parse_shares("threshold", items):
            check_label(name, labels)
    DecisionRule(parse_shares("threshold", decide.threshold), decide.abstain_below).check(labels)
    if decide.coverage is not None and not prepared.validation:
        raise ConfigError(
            f"{option('coverage')} measures on the validation part how large a set of labels must "
            f"be, and there is none; see {option('split')}.",
            option="coverage",
        )
    if decide.needs_validation and not prepared.validation:
        raise ConfigError(
            f"{option('target_precision')} and {option('target_recall')} find a threshold on the "
            f"validation part, and there is none; see {option('split')}.",
            option="target_precision" if decide.target_precision else "target_recall",
            way_out=f"Or give the threshold itself: {option('threshold', 'spam=0.9')}.",
        )


def settle(
    logits: Logits | None,
    targets: Targets,
    labels: LabelSet,
    config: RunConfig,
    task: Task = SINGLE_LABEL,
    row_weights: RowWeights = None,
    chances: Chances | None = None,
) -> Settled:
    """Temperature and rules, from validation.

    ``logits`` ``(n, n_outputs)``, None without the part; ``chances`` of its texts, ``(n,)``, are
    needed for sets of labels.
    """
    given = DecisionRule(
        parse_shares("threshold", config.decide.threshold), config.decide.abstain_below
    )
    if logits is None:
        return Settled(rule=given)
    temperature, n_rows = 1.0, 0
    if config.report.calibrate:
        temperature, n_rows = task.calibrate(logits, targets, row_weights), len(targets)
    probabilities = task.probabilities(logits, temperature)
    rows = (probabilities, targets, row_weights)
    found, notes = _find_thresholds(rows, labels, config.decide, task)
    rule = DecisionRule(given.thresholds | found, given.abstain_below)
    sets, said = _find_sets(probabilities, targets, chances, config.decide, task)
    n_set_rows = 0 if sets is None else len(targets)
    return Settled(temperature, n_rows, rule, sets, n_set_rows, (*notes, *said))


def _find_sets(
    probabilities: Probabilities,
    targets: Targets,
    chances: Chances | None,
    decide: DecideConfig,
    task: Task,
) -> tuple[SetRule | None, list[str]]:
    if decide.coverage is None or chances is None:
        return None, []
    sets = task.set_rule(probabilities, targets, chances, decide.coverage)
    if sets.bound < 1:
        return sets, []
    return sets, [
        f"{len(targets):,} validation rows are too few for sets that hold the label of "
        f"{decide.coverage:g} of all texts, so each set holds all labels."
    ]


def _find_thresholds(
    rows: tuple[Probabilities, Targets, RowWeights],
    labels: LabelSet,
    decide: DecideConfig,
    task: Task,
) -> tuple[dict[str, float], list[str]]:
    probabilities, targets, row_weights = rows
    found: dict[str, float] = {}
    notes = []
    for what, items, find in (
        ("precision", decide.target_precision, threshold_for_precision),
        ("recall", decide.target_recall, threshold_for_recall),
    ):
        for name, wanted in parse_shares(f"target_{what}", items).items():
            column = labels.label2id[name]
            is_label = task.has_label(targets, column)
            threshold = find(probabilities[:, column], is_label, wanted, row_weights)
            if threshold is None:
                notes.append(
                    f"No threshold gives the label {name!r} a {what} of {wanted:g} on the "
                    f"{len(targets):,} validation rows, so it has none."
                )
            else:
                found[name] = threshold
    return found, notes
