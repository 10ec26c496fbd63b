"""Benchmarks run in this process, on a tiny model and a small table, for a few seconds each."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests_support import TEXTS, TOPICS

Bench: TypeAlias = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty short messages on two topics."""
    path = tmp_path_factory.mktemp("bench") / "messages.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *zip(TEXTS, TOPICS, strict=True)])
    return path


@pytest.fixture
def last_line(tiny_llama: Path, messages: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    """``last_line(bench_latency)``: runs a benchmark with ``--quick``, reads its last line."""

    def run(benchmark: Any, *arguments: str) -> dict[str, Any]:
        options = ["--quick", "--model", str(tiny_llama), "--data", str(messages), *arguments]
        returned = benchmark.main(options)
        found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert found == json.loads(json.dumps(returned))
        assert found["quick"] is True
        return found

    return run
