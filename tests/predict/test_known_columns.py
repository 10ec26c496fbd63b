"""What a run knows of its columns decides first when a table is read with it."""

import json
from pathlib import Path

import pytest

from headtune import Predictor, evaluate_file, predict_file
from headtune.options import DataConfig, ModelConfig, RunConfig, TrainConfig, TuneConfig
from headtune.run.train import train_run
from tests_support import TEXTS, TOPICS


@pytest.fixture(scope="module")
def predictor(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Of a run whose columns have names that no header is known to have."""
    folder = tmp_path_factory.mktemp("known")
    rows = "".join(f"{text},{topic}\n" for text, topic in zip(TEXTS, TOPICS, strict=True))
    (folder / "rows.csv").write_text(f"Satz,Thema\n{rows}", encoding="utf-8")
    config = RunConfig(
        source=str(folder / "rows.csv"),
        data=DataConfig(text="Satz", label="Thema"),
        model=ModelConfig(model=str(tiny_llama)),
        tune=TuneConfig(tune="head"),
        train=TrainConfig(epochs=1),
    )
    train_run(config, out=folder / "run")
    return Predictor.load(folder / "run")


def test_a_header_stays_one_above_cells_that_equal_it(predictor: Predictor, tmp_path: Path) -> None:
    table, out = tmp_path / "new.csv", tmp_path / "out.jsonl"
    table.write_text("nr,Satz\nx,win a free prize\nnr,Satz\nx,Satz\ny,Satz\n", encoding="utf-8")
    assert predict_file(predictor, table, out=out)["rows"] == 3
    first = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert first["Satz"] == "win a free prize"


def test_in_evaluation_too(predictor: Predictor, tmp_path: Path) -> None:
    topic = predictor.labels.names[0]
    table = tmp_path / "new.csv"
    table.write_text(f"Satz,Thema\nSatz,{topic}\nSatz,{topic}\n", encoding="utf-8")
    assert evaluate_file(predictor, table)["n"] == 2
