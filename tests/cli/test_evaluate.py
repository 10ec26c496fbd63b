"""headtune evaluate: a table of metrics, or all of them as JSON."""

import json
from pathlib import Path

from headtune.options import DataConfig

from .conftest import METRICS, Headtune, Stages


def test_metrics_as_a_table(headtune: Headtune, stages: Stages) -> None:
    result = headtune("evaluate", "runs/x", "held.csv", "--label", "topic")
    lines = [line.split() for line in result.out.splitlines()]
    assert lines[:4] == [
        ["rows", "3"],
        ["accuracy", "66.7", "%", "(95", "%", "interval:", "20.8", "to", "93.9", "%)"],
        ["macro", "F1", "60.0", "%"],
        ["log", "loss", "0.5000"],
    ]
    assert lines[-1] == ["spam", "1", "50.0", "%", "100.0", "%", "66.7", "%"]
    assert stages.arguments == {
        "path": Path("runs/x"),
        "source": "held.csv",
        "data": DataConfig(label="topic"),
    }


def test_metrics_as_json(headtune: Headtune) -> None:
    assert json.loads(headtune("evaluate", "runs/x", "held.csv", "--json").out) == METRICS


def test_int8_is_measured_beside_the_plain_classifier(headtune: Headtune, stages: Stages) -> None:
    assert headtune("evaluate", "runs/x", "held.csv", "--compute", "int8").code == 0
    assert stages.arguments["in_int8"]
    assert "compute" not in stages.arguments  # loaded plain; the evaluation does the rest


def test_a_file_is_needed(headtune: Headtune) -> None:
    assert headtune("evaluate", "runs/x").code == 2
