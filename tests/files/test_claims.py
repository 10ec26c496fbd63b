"""One process at a time works on a folder."""

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import Timeout

from headtune.errors import ConfigError
from headtune.files.claims import claimed
from headtune.run.checkpoints import UnfinishedRun


def test_one_process_at_a_time(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from headtune.files.claims import claimed\n"
        "with claimed(pathlib.Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    )
    out = tmp_path / "run"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"in\n"
    busy = r"Another process is working on .*run at this moment"
    with pytest.raises(ConfigError, match=busy), claimed(out):
        pass
    with claimed(tmp_path / "another"):
        pass
    other.kill()
    other.wait()
    with claimed(out):  # the system freed it
        pass


def test_other_ways_to_the_same_folder_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "runs" / "a")
    for way in (tmp_path / "link", tmp_path / "runs" / ".." / "runs" / "a"):
        assert UnfinishedRun.of(way).path == tmp_path / "runs" / ".a.training"
        busy = pytest.raises(ConfigError, match="Another process")
        with claimed(tmp_path / "runs" / "a"), busy, claimed(way):
            pass


def test_a_cache_that_cannot_be_written_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADTUNE_CACHE", "/dev/null/cache")
    with claimed(tmp_path / "run"), claimed(tmp_path / "run"):
        pass


def test_a_lock_of_somebody_else_is_not_taken_for_this_one(tmp_path: Path) -> None:
    with pytest.raises(Timeout), claimed(tmp_path / "run"):
        raise Timeout("another.lock")
