"""Every benchmark ends in a JSON line whose ratios are made of the times that stand beside them."""

import sys
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch

import bench_latency
import bench_prediction
import bench_spam_recipe
import bench_training
import check_company
import harness
from harness import Side, alternate, ratio

from .conftest import Bench

ROOT = Path(__file__).parents[2]


def check_ratio(found: dict[str, Any], peer: str) -> None:
    sides = found["sides"]
    ours, theirs = (median(sides[name]["seconds"]) for name in ("headtune", peer))
    assert found["ratios"][peer] == pytest.approx(theirs / ours, rel=0.02)
    assert all(len(side["seconds"]) >= 3 for side in sides.values())


def test_training(last_line: Bench) -> None:
    found = last_line(bench_training, "--no-memory")
    check_ratio(found, "published")
    check_ratio(found, "best")
    assert found["sides"]["published"]["batch_size"] == 8
    rates = [tried["examples_per_second"] for tried in found["candidates_for_best"]]
    best = found["candidates_for_best"][int(np.argmax(rates))]
    assert found["sides"]["best"].items() >= {k: best[k] for k in ("attention", "dtype")}.items()
    share = found["share_of_matrix_rate"]
    assert (share is None) == (found["matrix_flops_per_second"] is None)
    assert share is None or 0 < share < 1


def test_company(last_line: Bench) -> None:
    sides = last_line(check_company)["sides"]
    assert sides.keys() == {"float32", "float32, exact", "bfloat16", "bfloat16, exact"}
    for name, side in sides.items():
        largest = max(side["alone"], side["a_few"])
        assert largest == 0 if name.endswith("exact") else 0 < largest < 0.1
    assert sides["float32"]["alone"] < 1e-5


def test_memory_of_a_side_is_that_of_its_own_process(
    tiny_llama: Path, messages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three processes take half a minute, so the command is looked at and one of them run here."""
    commands: list[list[str]] = []

    def start(command: list[str], **_: Any) -> Any:
        commands.append(command)
        return type("Done", (), {"stdout": '{"peak_memory_bytes": 7}\n'})

    monkeypatch.setattr("subprocess.run", start)
    arguments = ["--quick", "--model", str(tiny_llama), "--data", str(messages)]
    given = bench_training.options().parse_args(arguments)
    settings = bench_training.TrainerSettings(64, attention="eager")
    memory = bench_training.measure_memory(given, settings)
    assert memory == dict.fromkeys(bench_training.SIDES, 7)
    best = next(command for command in commands if "best" in command)
    assert best[:2] == [sys.executable, str(ROOT / "benchmarks" / "bench_training.py")]
    measured = bench_training.main(best[2:])
    assert measured["side"] == "best"
    assert measured["peak_memory_bytes"] > 2**20


def test_prediction(last_line: Bench) -> None:
    found = last_line(bench_prediction)
    for peer in found["ratios"]:
        check_ratio(found, peer)
    assert {"default", "best"} <= set(found["ratios"])
    assert ("openvino" in found["ratios"]) != ("openvino" in found["skipped"])
    assert max(found["largest_difference_of_a_probability"].values()) < 1e-4


def test_a_peer_that_answers_something_else_is_refused() -> None:
    ours, theirs = np.array([[0.9, 0.1]]), np.array([[0.8, 0.2]])
    with pytest.raises(RuntimeError, match="answers something else"):
        bench_prediction.check_same_answers("pipeline", ours, theirs, "float32")


def test_latency(last_line: Bench) -> None:
    found = last_line(bench_latency)
    sides = found["sides"]
    ours = median(sides["headtune"]["medians"])
    fast = min(median(sides[name]["medians"]) for name in sides if "fast" in name)
    assert found["ratios"]["to_fast"] == pytest.approx(ours / fast, rel=0.01)
    assert found["ratios"]["to_default"] > 0


def test_spam_recipe(last_line: Bench) -> None:
    found = last_line(bench_spam_recipe)
    recipe, ours = found["recipe"], found["headtune"]
    n_train, *others = found["messages"].values()
    assert recipe["steps"] == n_train // 8
    assert recipe["evaluation_batches"] == sum(-(-n // 8) for n in (n_train, *others))
    theirs = recipe["steps"] * median(recipe["step_seconds"])
    theirs += recipe["evaluation_batches"] * median(recipe["evaluation_batch_seconds"])
    assert recipe["job_seconds"] == pytest.approx(theirs, rel=0.05)
    compared = [
        sum(seconds for stage, seconds in stages.items() if stage not in ("load", "tokenize"))
        for stages in ours["stages"]
    ]
    assert ours["job_seconds"] == pytest.approx(median(compared), abs=0.01)
    assert "score training part" in ours["stages"][0]
    assert found["ratios"]["training_and_evaluation"] == pytest.approx(
        recipe["job_seconds"] / ours["job_seconds"], rel=0.05
    )


def test_sides_take_turns_and_figures_are_medians() -> None:
    calls: list[str] = []
    sides = [Side(name, partial(calls.append, name)) for name in "ab"]
    alternate(sides, 3, torch.get_num_threads())
    assert "".join(calls) == "abbaab"
    slow, fast = Side("slow", calls.clear, seconds=[3.0, 9.0, 4.0]), Side("fast", calls.clear)
    fast.seconds = [2.0, 1.0, 90.0]
    assert ratio(slow, fast) == 2.0
    assert slow.figures(8)["examples_per_second"] == 2.0


def test_a_side_with_threads_of_its_own_is_refused() -> None:
    """Two more, in case a test machine has one core."""
    before = torch.get_num_threads()
    try:
        with pytest.raises(RuntimeError, match="would not be fair"):
            alternate([Side("greedy", lambda: torch.set_num_threads(before + 2))], 3, before)
    finally:
        torch.set_num_threads(before)


def test_fewer_than_three_rounds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench_latency.options().parse_args(["--rounds", "2"])
    assert "at least 3, for a median" in capsys.readouterr().err


def test_fresh_cache_hides_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from headtune.files.cache_folder import cache_folder

    monkeypatch.setenv("HEADTUNE_CACHE", "kept")
    with harness.fresh_cache() as folder:
        assert cache_folder() == folder
        assert list(folder.iterdir()) == []
    assert cache_folder() == Path("kept")


def test_every_benchmark_is_tested_here() -> None:
    names = {path.stem for path in (ROOT / "benchmarks").glob("bench_*.py")}
    assert names <= set(globals())
