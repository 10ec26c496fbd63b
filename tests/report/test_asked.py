"""page/asked.py: what is printed is read back as the same run, and says what was done."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from headtune.cli.app import command_line
from headtune.cli.recipe import merge
from headtune.data import prepare
from headtune.options import DataConfig, RunConfig
from headtune.options.values import to_plain
from headtune.report import Report
from headtune.report.page.asked import command, in_words

MakeReport = Callable[..., Report]

RUNS: dict[str, dict[str, Any]] = {
    "many options": {
        "data": {"text": "it's", "split": "80/0/20", "save_split": True, "template": "{a} {b}"},
        "model": {"model": "gemma3-270m", "max_tokens_per_batch": 512, "cache_limit": 0},
        "tune": {"tune": "lora", "lora_targets": ["q_proj", "v_proj"], "lora_alpha": 8.0},
        "train": {"learning_rate": 1e-5, "keep_best": False, "epochs": 0.5, "max_steps": 7},
        "report": {"page": False},
    },
    "all digits": {
        "train": {"learning_rate": 0.00037281934112, "epochs": 2, "warmup": 1 / 3},
        "decide": {"abstain_below": 0.1 + 0.2},
    },
    "labels with spaces and quotes": {
        "data": {"delimiter": "\t"},
        "decide": {"threshold": ["ham & eggs=0.25", 'it\'s \\"so\\"=0.9', "$x=0.123456789"]},
    },
    "values like options": {"data": {"text": "-t"}, "decide": {"threshold": ["-a=0.5", "b=0.5"]}},
    "a label with a comma": {"decide": {"threshold": ["yes, please=0.9", "no=0.8"]}},
    "labels with commas": {"decide": {"threshold": ["a,b=0.25", "1,000=0.5", ",c=1"]}},
}


@pytest.mark.parametrize("name", RUNS)
def test_the_command_does_the_same_again(name: str) -> None:
    config = RunConfig.from_dict({"source": "my data.csv", **RUNS[name]})
    words = command(config.to_dict()).replace("\\\n", "")
    assert words.startswith("headtune train 'my data.csv'")
    _, bound, _ = command_line().parse_args(words.removeprefix("headtune "), exit_on_error=False)
    assert merge({}, bound.args[0], dict(bound.kwargs)) == config


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "Split 70 / 10 / 20 into training, validation and test, at random, with seed 7."),
        ({"split": "80/20"}, "Split 80 / 20 into training and test, at random, with seed 7."),
        ({"split": "0.9/0.1/0"}, "Split 90 / 10 into training and validation, at random, "),
        ({"split": "100/0/0"}, "No row was held back: all of them train."),
        (
            {"split_by_time": "day/month"},
            "Split 70 / 10 / 20 into training, validation and test by time (column 'day/month'): "
            "the oldest rows train.",
        ),
        (
            {"group_by": "a/b", "split": "80/20"},
            "Split 80 / 20 into training and test, at random, rows of one 'a/b' together, with",
        ),
        (
            {"split_column": "7/8"},
            "The parts were given by column '7/8'; validation cut from train by 70/10/20.",
        ),
    ],
)
def test_the_split_is_said_as_it_was(
    make_report: MakeReport, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    heads = "text,label,day/month,a/b,7/8"
    rows = [
        f"{word},{'ham' if n % 3 else 'spam'},2024-01-{n % 28 + 1:02},{n},{part}"
        for n in range(80)
        for word in ["".join(chr(97 + int(digit)) for digit in str(7919 * n + 1000))]
        for part in ["test" if n % 5 == 0 else "train"]
    ]
    (tmp_path / "a.csv").write_text("\n".join([heads, *rows]), encoding="utf-8")
    values = {"text": "text", "label": "label", "header": "yes", "split_seed": 7, **options}
    config = DataConfig(**values)
    summary = prepare(tmp_path / "a.csv", config).summary
    report = make_report(data=summary, config={"data": to_plain(asdict(config))})
    assert said in dict(in_words(report.to_dict()))["Data"]
