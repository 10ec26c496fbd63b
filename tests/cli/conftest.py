"""The command line called in process, on top of stages that only note how they were called."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, TypeAlias

import pytest
from rich.console import Console

from headtune.cli.app import run
from headtune.options import DataConfig, RunConfig
from headtune.progress import Progress
from headtune.types import LabelSet, Prediction

Headtune: TypeAlias = Callable[..., "Result"]
LABELS = LabelSet(("ham", "spam"))
REPORT = {"after": {"accuracy": 0.957}}
METRICS = {
    "n": 3,
    "accuracy": 2 / 3,
    "macro_f1": 0.6,
    "log_loss": 0.5,
    "per_label": {
        "ham": {"precision": 1.0, "recall": 0.5, "f1": 0.667, "support": 2},
        "spam": {"precision": 0.5, "recall": 1.0, "f1": 0.667, "support": 1},
    },
    "confusion": [[1, 1], [0, 1]],
}


class Result(SimpleNamespace):
    """What a command did: ``code``, ``out`` (stdout) and ``err`` (stderr)."""

    code: int
    out: str
    err: str


class Stages:
    """Stands in for headtune.run.train, headtune.predict and headtune.report."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        """Raised by whatever is called next."""
        self.config: RunConfig | None = None
        self.arguments: dict[str, Any] = {}
        self.labels = LABELS

    def train_run(self, config: RunConfig, *, progress: Progress, **arguments: Any) -> object:
        self.config, self.arguments = config, arguments
        progress.stage("Training")
        progress.say("frozen weights in bfloat16")
        progress.start(10, "examples")
        progress.advance(10, 300, loss=0.25)
        self._fail()
        out: Path = arguments["out"]
        out.mkdir(parents=True)
        (out / "report.json").write_text(json.dumps(REPORT), encoding="utf-8")
        (out / "curves.png").write_bytes(b"")
        return REPORT

    def plan_run(self, config: RunConfig, **arguments: Any) -> dict[str, Any]:
        self.config, self.arguments = config, arguments
        return {"rows": {"train": 70}, "model": config.model.model}

    def render_report(self, report: object, console: Console) -> None:
        console.print("a table of results")

    note = ""
    template: str | None = None

    def whole(self, texts: Sequence[str]) -> list[str]:
        return list(texts)

    def load(self, path: Path, **arguments: Any) -> "Stages":
        self.arguments = {"path": path, **arguments}
        self._fail()
        return self

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        shares = [1 / (2**number) for number in range(1, len(self.labels))]
        row = dict(zip(self.labels.names, [1 - sum(shares), *shares], strict=True))
        return [Prediction(max(row, key=row.__getitem__), row) for _ in texts]

    def predict_file(
        self,
        predictor: object,
        source: str,
        *,
        out: Path | None,
        as_json: bool,
        safe_csv: bool,
        data: DataConfig,
        progress: Progress,
    ) -> dict[str, Any]:
        self.arguments |= {"source": source, "out": out, "as_json": as_json, "data": data}
        progress.stage("Predicting")
        if out is None:
            print('{"text": "hello"}' if as_json else "text,label\nhello,ham")
        return {"rows": 3, "unusable_rows": 0, "labels": {"ham": 1, "spam": 2}}

    def evaluate_file(
        self, predictor: object, source: str, *, data: DataConfig, progress: Progress
    ) -> dict[str, Any]:
        self.arguments |= {"source": source, "data": data}
        return METRICS

    def evaluate_in_int8(self, predictor: object, source: str, **arguments: Any) -> dict[str, Any]:
        self.arguments |= {"in_int8": True}
        return self.evaluate_file(predictor, source, **arguments)

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


@contextmanager
def forgetting_imports() -> Iterator[None]:
    """What of headtune is imported meanwhile is forgotten, since it may hold what was replaced."""
    known = set(sys.modules)
    try:
        yield
    finally:
        for name in sorted(set(sys.modules) - known):
            package, _, child = name.rpartition(".")
            if package.partition(".")[0] == "headtune":
                del sys.modules[name]
                vars(sys.modules.get(package, ModuleType(package))).pop(child, None)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stages]:
    """The stages below the command line, replaced."""
    stages = Stages()
    provided: dict[str, dict[str, Any]] = {
        "run.train": {
            "train_run": stages.train_run,
            "plan_run": stages.plan_run,
        },
        "predict": {
            "Predictor": SimpleNamespace(load=stages.load),
            "predict_file": stages.predict_file,
            "evaluate_file": stages.evaluate_file,
            "evaluate_in_int8": stages.evaluate_in_int8,
        },
    }
    monkeypatch.setattr("headtune.report.render_report", stages.render_report)
    for name, contents in provided.items():
        module = ModuleType(f"headtune.{name}")
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(sys.modules, "headtune.run", ModuleType("headtune.run"))
    vars(sys.modules["headtune.run"])["train"] = sys.modules["headtune.run.train"]
    with forgetting_imports():
        yield stages


@pytest.fixture
def headtune(
    stages: Stages,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Headtune:
    """``headtune("train", "x.csv")`` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("headtune.cli.app.QUIET", {})
    monkeypatch.setattr("warnings.filterwarnings", lambda *_: None)

    def call(*arguments: str) -> Result:
        code = run(arguments)
        captured = capsys.readouterr()
        return Result(code=code, out=captured.out, err=captured.err)

    return call
