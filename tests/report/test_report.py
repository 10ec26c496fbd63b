"""report.py: round trips, self-checks, and what two runs of one seed share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtune.errors import ArtifactError, ArtifactFormatError, ArtifactNotFoundError
from headtune.report import Report
from headtune.tasks.metrics import classification_metrics
from headtune.types import LabelSet

MakeReport = Callable[..., Report]


def test_round_trip_through_a_file(make_report: MakeReport, tmp_path: Path) -> None:
    report = make_report()
    path = report.save(tmp_path)
    assert path == tmp_path / "report.json"
    assert Report.load(tmp_path) == report
    assert Report.from_dict(report.to_dict()) == report
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_stable_keys(make_report: MakeReport) -> None:
    values = json.loads(make_report().to_json())
    for parts in (values["before"], values["after"], *values["baselines"].values()):
        for part in ("validation", "test"):
            assert {"accuracy", "macro_f1", "log_loss", "per_label"} <= set(parts[part])
    assert set(values["baselines"]) == {"majority", "tfidf"}
    assert values["sentence"] == make_report().sentence()
    assert set(values["speed"]) == {
        "examples_per_second",
        "tokens_per_second",
        "useful_flops_per_second",
        "wall_seconds",
    }
    assert values["data"]["rows_read"] == 5574
    assert values["after"]["test"]["per_label"]["spam"]["recall"] == 1.0
    assert values["labels"] == ["ham", "spam"]


def test_floats_keep_all_their_digits_and_keys_their_order(make_report: MakeReport) -> None:
    report = make_report(truncated={"spam": 2, "ham": 1})
    read = json.loads(report.to_json())
    test = report.after["test"]
    assert test is not None
    assert read["after"]["test"]["log_loss"] == test["log_loss"]
    assert list(read["truncated"]) == ["spam", "ham"]
    assert list(read) == list(report.to_dict())


def test_numpy_values_and_paths_become_plain(make_report: MakeReport) -> None:
    report = make_report(
        config={"out": Path("runs") / "x", "targets": ("q_proj", "v_proj")},
        history=[{"step": np.int64(1), "loss": np.float32(0.5), "gradient_norm": float("nan")}],
    )
    assert report.config == {"out": "runs/x", "targets": ["q_proj", "v_proj"]}
    assert report.history == ({"step": 1, "loss": 0.5, "gradient_norm": None},)
    assert Report.from_dict(json.loads(report.to_json())) == report


def test_values_that_nobody_could_read_back_are_refused(make_report: MakeReport) -> None:
    with pytest.raises(TypeError, match="received a object"):
        make_report(data={"reader": object()})


def test_comparable_hides_only_what_a_clock_decides(make_report: MakeReport) -> None:
    report = make_report()
    hidden = set(report.to_dict()) - set(report.comparable())
    assert hidden == {"speed", "created_at"}
    assert set(report.model) - set(report.comparable()["model"]) == {"reasons"}

    speed = {**report.speed, "examples_per_second": 1.0}
    slower = make_report(speed=speed, model={**report.model, "reasons": ["1.2 times"]})
    assert slower != report
    assert slower.comparable() == report.comparable()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("config", {"source": "other.csv"}),
        ("data", {"rows_read": 1}),
        ("history", []),
        ("warnings", ["One."]),
        ("truncated", {"ham": 1}),
        ("after", {"test": None}),
    ],
)
def test_comparable_shows_everything_else(
    make_report: MakeReport, field: str, value: object
) -> None:
    assert make_report(**{field: value}).comparable() != make_report().comparable()


def test_parts_without_rows_are_null(make_report: MakeReport) -> None:
    report = make_report(before={}, after={"test": None}, baselines={"majority": {}})
    assert report.to_dict()["before"] == {"validation": None, "test": None}
    assert report.to_dict()["baselines"]["majority"] == {"validation": None, "test": None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"id": "x"}}, "missing: total_parameters, trainable_parameters"),
        ({"speed": {}}, "under speed; missing"),
        ({"after": {"test": {"accuracy": 0.9}}}, "under after.test; missing: n"),
        ({"labels": LabelSet(("spam", "ham"))}, r"not \['spam', 'ham'\]"),
        ({"truncated": {"eggs": 1}}, "eggs"),
    ],
)
def test_incomplete_reports_are_refused(
    make_report: MakeReport, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArtifactError, match=message):
        make_report(**changes)


def test_figures_of_other_rows_are_refused(make_report: MakeReport) -> None:
    """Accuracies of different texts must never stand side by side."""
    other = classification_metrics([[0.9, 0.1], [0.1, 0.9]], [0, 1], LabelSet(("ham", "spam")))
    with pytest.raises(ArtifactError, match="test figures are not of the same rows"):
        make_report(before={"test": other})


def test_reading_what_is_no_report(make_report: MakeReport, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFoundError, match=r"no report\.json"):
        Report.load(tmp_path)
    values = make_report().to_dict()
    for content, message in (
        ("{", "is not JSON"),
        ("[]", "a list"),
        ("{}", "Missing: .*'after'"),
        (json.dumps({**values, "extra": 1}), r"unknown: \['extra'\]"),
        (json.dumps({**values, "labels": None}), "None under 'labels'"),
        (json.dumps({**values, "after": []}), "under 'after'"),
    ):
        (tmp_path / "report.json").write_text(content)
        with pytest.raises(ArtifactFormatError, match=message):
            Report.load(tmp_path)


def test_reports_of_before_a_field_was_added_can_be_read(make_report: MakeReport) -> None:
    report = make_report(evidence={})
    values: dict[str, object] = {**report.to_dict()}
    for name in ("comparison", "confusion", "mistakes", "lengths", "sentence"):
        del values[name]
    assert Report.from_dict(values) == report


def test_a_failed_write_leaves_the_old_report(
    make_report: MakeReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_report()
    first.save(tmp_path)

    def full_disk(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        make_report(warnings=[]).save(tmp_path)
    assert Report.load(tmp_path) == first
    assert len(list(tmp_path.iterdir())) == 1
