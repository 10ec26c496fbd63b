"""What is never taken for a text: files, folders and what is written like one."""

import json
import os
from pathlib import Path

import pytest

from headtune.cli.texts import ENDINGS, after_dashes, table_in
from headtune.errors import DataNotFoundError, PredictionError

from .conftest import Headtune, Stages


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a file and a folder in it, and nothing else."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").touch()
    (tmp_path / "my folder").mkdir()
    (tmp_path / "data").mkdir()


@pytest.mark.parametrize(
    "name",
    [
        "texts.txt", "data.xlsx", "DATA.CSV", "data.csv.gz", "my file.csv", "see data.csv ",
        "https://headtune.example/data.csv", "data/new", "data/new.dat", "a/b/c", "a/b/",
        "./new", "../new words", "~/new", "/nowhere", "/nowhere/at/all", "C:\\new", "C:/my words",
        "new.d/x.y", "a\\b\\c", "\\\\host\\share",
    ],
)  # fmt: skip
def test_a_name_of_a_file_that_is_missing(name: str) -> None:
    with pytest.raises(DataNotFoundError, match="There is no file") as raised:
        table_in([name])
    assert "text_is=" in str(raised.value)
    with pytest.raises(DataNotFoundError):
        table_in(["a text", name])


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending(ending: str) -> None:
    for name in (f"new.{ending}", f"my new.{ending.upper()}"):
        with pytest.raises(DataNotFoundError):
            table_in([name])


@pytest.mark.parametrize("name", ["data", "my folder", ".", "..", "/", "~", "data/", "./data"])
def test_a_folder_is_a_table(name: str) -> None:
    assert table_in([name]) == name
    with pytest.raises(PredictionError, match="is a table, and beside it are texts"):
        table_in([name, "hello"])


@pytest.mark.parametrize(
    "text",
    [
        "and/or", "28/11/2026", "24/7", "1/2", "he/she", "N/A", "w/o", "s/he", "AC/DC", "km/h",
        "https://headtune.example/win", "see https://headtune.example/a.html",
        "either/or is a book", "/me waves hello", "i.e./e.g.", ":/", "version 1.2", "hello",
        "¯\\_(ツ)_/¯", "first line\nsecond.csv", "x" * 300 + ".csv", "\ud83d", "...",
        "data.csv is missing",
    ],
)  # fmt: skip
def test_a_text(text: str) -> None:
    assert table_in([text]) is None


def test_a_pipe_is_a_table(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert table_in(["pipe"]) == "pipe"


def test_a_table_beside_texts() -> None:
    for arguments in (["there", "hello"], ["hello", "there"]):
        with pytest.raises(PredictionError, match="there is a table, and beside it are texts"):
            table_in(arguments)
    with pytest.raises(PredictionError, match="standard input is a table, and beside it"):
        table_in(["-"], texts_beside=True)


@pytest.mark.parametrize("command", ["predict", "explain"])
def test_a_missing_file_is_one_line_with_the_way_out(headtune: Headtune, command: str) -> None:
    result = headtune(command, "runs/x", "my file.csv")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "Error: There is no file 'my file.csv'. To classify it as a text: --text-is 'my file.csv'\n"
    )


def test_explain_takes_no_table(headtune: Headtune) -> None:
    assert "Expected texts; there is a file." in headtune("explain", "runs/x", "there").err


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--text-is", "data.csv"], ["data.csv"]),
        (["--text-is=data.csv", "a", "--text-is", "-5 degrees"], ["a", "data.csv", "-5 degrees"]),
        (["--", "data.csv"], ["data.csv"]),
        (["--", "-", "--json", "data"], ["-", "--json", "data"]),
        (["a", "--device", "cpu", "--", "-5.csv"], ["a", "-5.csv"]),
        (["--text-is", '["a", "b"]', "--text-is", "a, b"], ['["a", "b"]', "a, b"]),
    ],
)
def test_what_is_a_text_whatever_it_looks_like(
    headtune: Headtune, arguments: list[str], texts: list[str]
) -> None:
    result = headtune("predict", "runs/x", "--json", *arguments)
    assert (result.code, result.err) == (0, "")
    assert [json.loads(line)["text"] for line in result.out.splitlines()] == texts


def test_an_empty_text_is_said_however_it_is_given(headtune: Headtune) -> None:
    for arguments in (["--", ""], ["--text-is", ""], ["--text-is="]):
        assert "Text 1 of 1 is empty" in headtune("predict", "runs/x", *arguments).err


def test_dashes_of_other_commands_are_cyclopts(stages: Stages, headtune: Headtune) -> None:
    assert after_dashes(["predict", "r"]) == ["predict", "r"]
    headtune("train", "--", "data.csv")
    assert stages.config is not None
    assert stages.config.source == "data.csv"


# What of a file is meant


@pytest.mark.parametrize("address", ["there::Sheet 2", "there::SELECT a::b FROM t", "-::Sheet2"])
def test_a_part_of_a_file_is_a_table(address: str) -> None:
    assert table_in([address]) == address
    with pytest.raises(PredictionError):
        table_in([address, "a text"])


@pytest.mark.parametrize("address", ["data.xlsx::Sheet1", "./b.zip::a/b.csv", "x.db::SELECT 1"])
def test_a_part_of_a_file_that_is_missing(address: str) -> None:
    with pytest.raises(DataNotFoundError, match="There is no file"):
        table_in([address])


@pytest.mark.parametrize("text", ["std::vector", "a :: b", "data::x", "see my data.csv::x please"])
def test_colons_in_a_text(text: str) -> None:
    assert table_in([text]) is None
