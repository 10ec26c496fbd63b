"""What a killed run goes on from, and that nobody else works on the same folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import Timeout

from headtune.config import RunConfig
from headtune.errors import ConfigError
from headtune.unfinished import UnfinishedRun, claimed

CONFIG = RunConfig(source="messages.csv")


@pytest.fixture
def work(tmp_path: Path) -> UnfinishedRun:
    """A run that was killed after its first checkpoint."""
    unfinished = UnfinishedRun.of(tmp_path / "run")
    unfinished.begin(CONFIG, "these rows", resume=False)
    (unfinished.path / "checkpoint-10").mkdir()
    (unfinished.path / "checkpoint-10" / "trainer_state.json").write_text("{}")
    return unfinished


def test_the_same_options_and_rows_go_on(work: UnfinishedRun) -> None:
    work.check(CONFIG, overwrite=False, resume=True)
    work.begin(CONFIG, "these rows", resume=True)
    assert work.has_checkpoint


def test_what_was_killed_before_a_whole_checkpoint_is_in_nobodys_way(work: UnfinishedRun) -> None:
    with pytest.raises(ConfigError, match="Go on with --resume"):
        work.check(CONFIG, overwrite=False, resume=False)
    (work.path / "checkpoint-10" / "trainer_state.json").unlink()
    work.check(CONFIG, overwrite=False, resume=False)


def test_other_rows_are_refused(work: UnfinishedRun) -> None:
    work.check(CONFIG, overwrite=False, resume=True)
    with pytest.raises(ConfigError, match=r"rows of messages\.csv are not those .* --overwrite"):
        work.begin(CONFIG, "other rows", resume=True)
    assert work.has_checkpoint


def test_starting_anew_forgets_the_checkpoints(work: UnfinishedRun) -> None:
    work.check(CONFIG, overwrite=True, resume=False)
    work.begin(CONFIG, "these rows", resume=False)
    assert not work.has_checkpoint


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"other": 1}'])
def test_a_record_that_cannot_be_read_is_no_unfinished_run(
    work: UnfinishedRun, content: str
) -> None:
    work.options.write_text(content)
    with pytest.raises(ConfigError, match="no unfinished run"):
        work.check(CONFIG, overwrite=False, resume=True)
    work.check(CONFIG, overwrite=False, resume=False)
    work.begin(CONFIG, "these rows", resume=False)
    work.check(CONFIG, overwrite=False, resume=True)


def test_an_option_of_another_version_is_named(work: UnfinishedRun) -> None:
    recorded = json.loads(work.options.read_text())
    recorded["config"]["train"]["momentum"] = 0.9
    work.options.write_text(json.dumps(recorded))
    with pytest.raises(ConfigError, match=r"had momentum = 0\.9, not None"):
        work.check(CONFIG, overwrite=False, resume=True)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from headtune.unfinished import claimed\n"
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
