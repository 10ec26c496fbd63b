"""Where the texts are from that exports measure on: the user, or the folder; never a path in it."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headtune import RunConfig, train_run
from headtune.artifact.manifest import file_hashes, seal_of
from headtune.errors import DataNotFoundError, ExportError, LabelError
from headtune.export import export_run
from headtune.export.source import open_source
from headtune.export.validation import NONE_KEPT, ValidationPart, validation_part
from tests_support import TEXTS, TOPICS

SECRET = "root:x:0:0:a line of a file that is nobody's business"


def write_rows(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


@pytest.fixture(scope="module")
def original(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a table that is a file, of 16 validation rows, two of them with a long text."""
    tmp_path = tmp_path_factory.mktemp("original")
    rows = list(zip(TEXTS, TOPICS, strict=True))
    long = [(f"{text} {'and so on ' * 30}", topic) for text, topic in rows[-2:]]
    values = {
        "source": str(write_rows(tmp_path / "table.csv", rows[:-2])),
        "model": {"model": str(tiny_llama)},
        "tune": {"tune": "head"},
        "train": {"max_steps": 2},
        "data": {
            "validation_file": str(write_rows(tmp_path / "held.csv", rows[:14] + long)),
            "split": "90/0/10",
        },
        "machine": {"dtype": "float32"},
    }
    train_run(RunConfig.from_dict(values), out=tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def spam_run(original: Path, tmp_path: Path) -> Path:
    """A copy that a test may change, beside a file that is nobody's business."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    return Path(shutil.copytree(original, tmp_path / "run"))


def reseal(run: Path, change: Callable[[dict[str, Any]], Any] = lambda values: None) -> None:
    values = json.loads((run / "headtune.json").read_text())
    change(values)
    values["files"] = file_hashes(run)
    values["seal"] = seal_of(values)
    (run / "headtune.json").write_text(json.dumps(values))


def test_texts_of_the_folder(spam_run: Path) -> None:
    """Those that the predictions keep whole; rather the whole part, where it was kept."""
    part = validation_part(open_source(spam_run))
    assert isinstance(part, ValidationPart)
    assert (len(part.texts), part.origin) == (14, "predictions.parquet")
    assert set(part.texts) <= set(TEXTS)
    write_rows(spam_run / "validation.csv", [("a text", "prize"), ("another", "dinner")])
    reseal(spam_run)
    part = validation_part(open_source(spam_run))
    assert part == ValidationPart(["a text", "another"], [1, 0], "validation.csv")


def test_a_file_that_the_manifest_does_not_list_is_not_read(spam_run: Path) -> None:
    (spam_run / "validation.csv").symlink_to(spam_run.parent / "secret")
    part = validation_part(open_source(spam_run))
    assert isinstance(part, ValidationPart)
    assert part.origin == "predictions.parquet"


def test_a_path_in_the_folder_is_never_opened(spam_run: Path, tmp_path: Path) -> None:
    """Whatever table the run says it was trained on, none of it lands in the card."""
    (spam_run / "predictions.parquet").unlink()
    for place in ("source", "validation_file", "test_file"):
        secret = str(tmp_path / "secret")

        def name_it(values: dict[str, Any], place: str = place, secret: str = secret) -> None:
            config = values["config"]
            (config if place == "source" else config["data"])[place] = secret

        reseal(spam_run, name_it)
        assert validation_part(open_source(spam_run)) == NONE_KEPT
    exported = export_run(spam_run, "onnx", tmp_path / "out", quantize="int8")
    assert f"measured on the probes alone: {NONE_KEPT}." in " ".join(exported.facts)
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").glob("*.[mj]*"))
    assert SECRET.encode() not in written


def test_a_table_that_the_user_names(spam_run: Path, tmp_path: Path) -> None:
    rows = [("a text of mine", "prize"), ("and another", "dinner")]
    named = write_rows(tmp_path / "mine.csv", rows)
    part = validation_part(open_source(spam_run, validation_file=named))
    assert part == ValidationPart([text for text, _ in rows], [1, 0], "mine.csv")
    with pytest.raises(DataNotFoundError, match="There is no file"):
        export_run(
            spam_run, "onnx", tmp_path / "out", quantize="int8", validation_file=tmp_path / "none"
        )
    write_rows(named, [("a text of mine", "neither")])
    with pytest.raises(LabelError, match="does not know the label 'neither'"):
        validation_part(open_source(spam_run, validation_file=named))


def test_a_table_where_nothing_is_measured(spam_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"Nothing is measured .* Leave out validation_file="):
        export_run(spam_run, "transformers", tmp_path / "out", validation_file="x.csv")
