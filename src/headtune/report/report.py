"""``Report``: the evidence of one training run, and ``report.json``, its file.

    before, after    {"validation": metrics or null, "test": metrics or null}
    baselines        {"majority": {"validation", "test"},
                      "tfidf": {"validation", "test", "C", "train_rows"}}
    sentence         how the tuned model stands, in words
    comparison       the tuned model against each baseline, by paired tests; see comparison.py
    confusion, mistakes, lengths      where it errs; see mistakes.py
    calibration, abstain, sets, thresholds
                     how far its probabilities can be trusted; see confidence.py
    suspect_labels, suspects_checked  rows whose label looks wrong; see suspects.py
    data             what was read, set aside, repeated and split (stage 1's summary)
    speed            examples_per_second, tokens_per_second, useful_flops_per_second,
                     peak_memory_bytes, wall_seconds by stage
    model            id, total_parameters, trainable_parameters, dtype, device, reasons
    config, labels, truncated, history, warnings, created_at

Metrics have the keys of ``metrics.classification_metrics``; null is a part without rows. Before,
after and baselines of a part are measured on the same rows, else there is no report.

Guarantees: a report checks itself when it is made and when it is read; what is read back equals
what was written; keys keep their order. ``comparable()`` leaves out what a clock decides, so two
runs of one seed on one machine have equal ones.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast, get_origin, is_typeddict

from headtune.errors import ArtifactError, ArtifactFormatError, ArtifactNotFoundError
from headtune.files.plain_json import JsonObject, to_json
from headtune.files.plain_values import plain
from headtune.files.whole_file import write_whole
from headtune.report.entries import (
    Abstention,
    Calibration,
    Confusion,
    Evidence,
    LengthRange,
    Mistake,
    ModelFacts,
    Opponent,
    ReportValues,
    Sets,
    Speed,
    Suspect,
    SuspectsChecked,
)
from headtune.report.sentence import standing
from headtune.tasks import SINGLE_LABEL
from headtune.tasks.figures import HELD_BACK, BaselineFigures, HeldBack, Metrics, PartMetrics
from headtune.types import DataAccount, HistoryRow, LabelSet

__all__ = ["REPORT_FILE", "Report", "build_report"]

REPORT_FILE = "report.json"

METRIC_KEYS = SINGLE_LABEL.metric_keys
MODEL_KEYS = ("id", "total_parameters", "trainable_parameters", "dtype", "device", "reasons")
SPEED_KEYS = (
    "examples_per_second",
    "tokens_per_second",
    "useful_flops_per_second",
    "wall_seconds",
)
VOLATILE_KEYS = ("speed", "created_at")


@dataclass(frozen=True, kw_only=True)
class Report:
    """One run's evidence; the fields are explained at the top of this file.

    Made by ``build_report``. Raises ``ArtifactError`` where a field lacks a key, or parts were
    not measured alike.
    """

    created_at: str
    """When the report was made: UTC, ISO 8601."""

    labels: tuple[str, ...]
    data: DataAccount
    model: ModelFacts
    before: PartMetrics
    after: PartMetrics
    baselines: dict[str, BaselineFigures]
    truncated: dict[str, int]
    """Label -> texts that were cut off at ``max_length``."""

    speed: Speed
    warnings: tuple[str, ...]
    config: JsonObject
    history: tuple[HistoryRow, ...]

    comparison: tuple[Opponent, ...] = ()
    confusion: Confusion = field(default_factory=Confusion)
    mistakes: tuple[Mistake, ...] = ()
    lengths: tuple[LengthRange, ...] = ()
    calibration: Calibration = field(default_factory=Calibration)
    abstain: Abstention = field(default_factory=Abstention)
    sets: Sets = field(default_factory=Sets)
    thresholds: dict[str, float] = field(default_factory=dict)
    suspect_labels: tuple[Suspect, ...] = ()
    suspects_checked: SuspectsChecked = field(default_factory=SuspectsChecked)

    def __post_init__(self) -> None:
        _require(self.model, MODEL_KEYS, "model")
        _require(self.speed, SPEED_KEYS, "speed")
        for where, parts in self._measured().items():
            _require(parts, HELD_BACK, where)
            for part in HELD_BACK:
                self._check_metrics(parts[part], f"{where}.{part}")
        for part in HELD_BACK:
            self._check_same_rows(part)
        unknown = set(self.truncated) - set(self.labels)
        if unknown:
            raise ArtifactError(f"truncated counts labels that the report lacks: {unknown}.")

    def sentence(self) -> str:
        """How the tuned model stands against the baselines, in plain words."""
        return standing(self.after, self.baselines, self.comparison)

    def _repr_html_(self) -> str:
        """What a notebook shows: sentence, figures and curves; the page is in ``report.html``."""
        from headtune.report.page import report_fragment  # Jinja2 and matplotlib: when it is shown

        return report_fragment(self.to_dict())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows where there is no HTML."""
        printer.text(self.sentence())

    def to_dict(self) -> ReportValues:
        """Plain JSON values, in the order of the fields; then the sentence."""
        values: ReportValues = plain({f.name: getattr(self, f.name) for f in fields(self)})
        return {**values, "sentence": self.sentence()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Report":
        """The inverse of ``to_dict``. Raises ``ArtifactFormatError`` on other keys."""
        known = {f.name: f for f in fields(cls)}
        given = {name: value for name, value in values.items() if name != "sentence"}
        if (set(known) - set(given)) & _required(cls) or set(given) - set(known):
            raise ArtifactFormatError(
                f"This is no report of this version of headtune. Missing: "
                f"{sorted(_required(cls) - set(given)) or 'nothing'}; "
                f"unknown: {sorted(set(given) - set(known)) or 'nothing'}."
            )
        return cls(**{name: _from_json(known[name], value) for name, value in given.items()})

    def to_json(self) -> str:
        """``to_dict`` as indented JSON; floats have all their digits."""
        return to_json(self.to_dict(), indent=2) + "\n"

    def save(self, folder: Path) -> Path:
        """Writes ``report.json`` in an existing folder, in one piece; returns its path."""
        path = folder / REPORT_FILE
        write_whole(path, self.to_json().encode())
        return path

    @classmethod
    def load(cls, folder: Path) -> "Report":
        """Reads the ``report.json`` of a folder."""
        path = folder / REPORT_FILE
        if not path.is_file():
            raise ArtifactNotFoundError(f"There is no {REPORT_FILE} in {folder}.")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ArtifactFormatError(f"{path} is not JSON: {error}.") from error
        if not isinstance(values, dict):
            raise ArtifactFormatError(f"{path} holds no report, but a {type(values).__name__}.")
        return cls.from_dict(values)

    def comparable(self) -> ReportValues:
        """``to_dict`` without what a clock decides: speed, date, and the reasons for device and
        dtype, which quote measured speeds."""
        values = {key: value for key, value in self.to_dict().items() if key not in VOLATILE_KEYS}
        values["model"] = {k: value for k, value in self.model.items() if k != "reasons"}
        return cast(ReportValues, values)

    def _measured(self) -> dict[str, PartMetrics]:
        """Everything that was measured on the parts, by where it is in the report."""
        baselines: dict[str, PartMetrics] = {
            f"baselines.{name}": {part: figures[part] for part in HELD_BACK if part in figures}
            for name, figures in self.baselines.items()
        }
        return {"before": self.before, "after": self.after, **baselines}

    def _check_metrics(self, metrics: Metrics | None, where: str) -> None:
        if metrics is None:
            return
        _require(metrics, METRIC_KEYS, where)
        if tuple(metrics["per_label"]) != self.labels:
            raise ArtifactError(
                f"{where} has figures for {list(metrics['per_label'])}, not {list(self.labels)}."
            )

    def _check_same_rows(self, part: HeldBack) -> None:
        """A comparison needs the same texts: equal numbers of every label."""
        supports = {
            where: [figures["support"] for figures in metrics["per_label"].values()]
            for where, parts in self._measured().items()
            if (metrics := parts[part]) is not None
        }
        if len({tuple(support) for support in supports.values()}) > 1:
            raise ArtifactError(f"The {part} figures are not of the same rows: {supports}.")


def build_report(
    *,
    config: Mapping[str, Any],
    data: DataAccount,
    labels: LabelSet,
    model: ModelFacts,
    before: Mapping[str, Metrics | None],
    after: Mapping[str, Metrics | None],
    baselines: Mapping[str, BaselineFigures],
    speed: Speed,
    truncated: Mapping[str, int],
    history: Sequence[HistoryRow],
    warnings: Sequence[str],
    evidence: Evidence | None = None,
) -> Report:
    """A report of what the stages found; values become plain JSON values on the way.

    A part that ``before``, ``after`` or a baseline does not name was not measured: None.
    ``evidence`` holds further fields by name, as ``collect_evidence`` gives them.
    """
    return Report(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        labels=labels.names,
        data=plain(data),
        model=plain(model),
        before=_by_part(before),
        after=_by_part(after),
        baselines={name: _by_part(figures) for name, figures in baselines.items()},
        truncated=plain(truncated),
        speed=plain(speed),
        warnings=tuple(warnings),
        config=plain(config),
        history=tuple(plain(row) for row in history),
        **_frozen(plain(evidence or {})),
    )


def _by_part(figures: Mapping[str, object]) -> Any:
    """Figures as plain values, None for a part that they do not name."""
    return dict.fromkeys(HELD_BACK) | plain(figures)


def _frozen(values: Mapping[str, Any]) -> JsonObject:
    """Lists as the tuples of a report's fields."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}


def _required(cls: type[Report]) -> set[str]:
    """Fields that every report has; the others may be left out, and are then empty."""
    return {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}


def _from_json(field: Field[Any], value: Any) -> Any:
    """The value of a field, whose JSON has a list where the field has a tuple."""
    kind: Any = dict if is_typeddict(field.type) else get_origin(field.type) or field.type
    if not isinstance(value, list if kind is tuple else kind):
        raise ArtifactFormatError(f"A report cannot have {value!r} under {field.name!r}.")
    return tuple(value) if kind is tuple else value


def _require(values: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    missing = [key for key in keys if key not in values]
    if missing:
        raise ArtifactError(
            f"A report needs {', '.join(keys)} under {where}; missing: {', '.join(missing)}."
        )
