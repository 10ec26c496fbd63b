"""One process at a time works on a folder."""

import subprocess
import sys
import threading
import time
from contextlib import suppress
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


def test_two_caches_do_not_hide_two_writers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "mine"))
    with claimed(tmp_path / "run"):
        monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "yours"))
        with pytest.raises(ConfigError, match="Another process"), claimed(tmp_path / "run"):
            pass


def test_nothing_is_left(tmp_path: Path) -> None:
    with claimed(tmp_path / "runs" / "new" / "a"):
        assert [path.name for path in (tmp_path / "runs" / "new").iterdir()] == [".a.lock"]
    assert list(tmp_path.iterdir()) == []
    with claimed(tmp_path / "runs" / "new" / "a"):
        (tmp_path / "runs" / "new" / "a").mkdir()
    assert [path.name for path in (tmp_path / "runs" / "new").iterdir()] == ["a"]


def test_where_nothing_can_be_written_nobody_is_kept_out() -> None:
    with claimed(Path("/dev/null/run")), claimed(Path("/dev/null/run")):
        pass


def test_many_who_come_and_go_are_never_in_together(tmp_path: Path) -> None:
    """The file of the lock is removed and made again all the time."""
    inside: list[int] = []
    together: list[int] = []

    def come_and_go(number: int) -> None:
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            with suppress(ConfigError), claimed(tmp_path / "run"):
                inside.append(number)
                if len(inside) > 1:
                    together.append(number)
                inside.remove(number)

    threads = [threading.Thread(target=come_and_go, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == []
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_somebody_else_is_not_taken_for_this_one(tmp_path: Path) -> None:
    with pytest.raises(Timeout), claimed(tmp_path / "run"):
        raise Timeout("another.lock")
