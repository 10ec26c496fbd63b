"""``headtune cache``: lists what is kept, and clears it."""

import json
import os
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from headtune.model.frozen.kept_files import publish, trunks_folder

from .conftest import Headtune


@pytest.fixture(autouse=True)
def two_trunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "cache"))
    for key, model, last_used in (("a", "smollm2-135m", 100_000.0), ("b", "[b]/tiny", 200_000.0)):
        header = {"model": model, "depth": "below block 30 of 30", "n_texts": "1200"}

        def write(path: Path, header: dict[str, str] = header) -> None:
            save_file({}, path, metadata=header)

        path = publish(trunks_folder() / key, write)
        os.utime(path, (last_used, last_used))


def test_a_line_for_each_trunk(headtune: Headtune) -> None:
    done = headtune("cache")
    assert done.code == 0
    heading, first, second = done.out.splitlines()
    assert heading.split() == ["model", "frozen", "texts", "size", "last", "used"]
    assert first.startswith("[b]/tiny")
    assert "1,200" in second
    assert "below block 30 of 30" in second
    assert str(trunks_folder()) in done.err


def test_json(headtune: Headtune) -> None:
    values = json.loads(headtune("cache", "--json").out)
    assert values["folder"] == str(trunks_folder())
    assert [trunk["n_texts"] for trunk in values["trunks"]] == [1200, 1200]


def test_clear(headtune: Headtune) -> None:
    done = headtune("cache", "clear")
    assert done.code == 0
    assert "Freed" in done.err
    assert not trunks_folder().exists()
    assert "Nothing is kept" in headtune("cache").err
    assert json.loads(headtune("cache", "clear", "--json").out)["freed_bytes"] == 0


def test_another_word(headtune: Headtune) -> None:
    done = headtune("cache", "empty")
    assert done.code == 2
    assert "clear" in done.err
